"""The checks of `fund doctor`: each looks for one fault and says what to do about it. They change nothing."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import httpx
from rich.console import Console

from fund.addresses import Addresses, Service, check_port_free
from fund.clients import connect
from fund.folder import FundFolder
from fund.processes import running_processes
from internal.baselines.trees import load_lightgbm
from internal.errors import FundError
from internal.kernels.compiler import configure

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
DISK_BYTES = 2 * 1024**3
NAMED_SESSIONS = 5
CLOCK_TOLERANCE = timedelta(seconds=30)
ACCOUNTS = {
    "ALPACA_API_KEY_ID": ("ALPACA_API_KEY_ID", "APCA_API_KEY_ID"),
    "ALPACA_API_SECRET": ("ALPACA_API_SECRET", "APCA_API_SECRET_KEY"),
    "ALPACA_BASE_URL": ("ALPACA_BASE_URL", "APCA_API_BASE_URL"),
    "POLYGON_API_KEY": ("POLYGON_API_KEY", "MASSIVE_API_KEY"),
    "EDGAR_USER_AGENT": ("EDGAR_USER_AGENT",),
}


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        subject: What was checked.
        seen: What was found.
        remedy: What to do about a fault, None when there is none.
    """

    subject: str
    seen: str
    remedy: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether there is nothing to do."""
        return self.remedy is None


def run_checks(folder: FundFolder, addresses: Addresses, variables: Mapping[str, str]) -> list[Finding]:
    """Run every check, in the order in which a first run would meet the faults."""
    ports = [check_port(folder, addresses, service) for service in Service]
    return [
        check_python(sys.version_info[:2]),
        check_compiler(configure),
        check_lightgbm(load_lightgbm if find_spec("lightgbm") else None),
        *ports,
        check_disk(folder.root),
        check_folder(folder),
        *check_configuration(variables),
        *check_proxies(variables),
        *check_reachability(addresses, folder, variables),
        *check_data(addresses, folder),
    ]


def show_findings(findings: list[Finding], console: Console) -> None:
    """Print one line a check; a fault is followed by what to do."""
    for finding in findings:
        mark = "[green]ok[/green]   " if finding.healthy else "[red]fault[/red]"
        console.print(f"{mark} {finding.subject}: {finding.seen}", soft_wrap=True)
        if finding.remedy is not None:
            console.print(f"      -> {finding.remedy}", soft_wrap=True)


def check_python(version: tuple[int, ...]) -> Finding:
    """Check that the interpreter is Python 3.12."""
    seen = f"{platform.python_implementation()} {'.'.join(map(str, version))}"
    remedy = None if version == (3, 12) else "Install Python 3.12, delete the folder .venv and run `./fund up` again."
    return Finding("Python", seen, remedy)


def check_compiler(find: Callable[[], object]) -> Finding:
    """Check that there is a C compiler for the model's kernels."""
    try:
        return Finding("compiler", str(find()))
    except FundError as error:
        return Finding("compiler", error.detail, "Delete the folder .venv and run `./fund up`: ziglang has a compiler.")


def check_lightgbm(load: Callable[[], object] | None) -> Finding:
    """Check that LightGBM loads; `load` is None where this optional package is not installed."""
    if load is None:
        return Finding(
            "LightGBM",
            "not installed (optional), so the comparison of models leaves boosted trees out; to install it: "
            "uv sync --inexact --package models --extra trees",
        )
    try:
        load()
    except FundError as error:
        return Finding("LightGBM", "does not load", error.detail)
    return Finding("LightGBM", "loads")


def check_port(folder: FundFolder, addresses: Addresses, service: Service) -> Finding:
    """Check that the service's port is free, or that the fund's own service listens there."""
    port = addresses.ports[service]
    if service in running_processes(folder):
        return Finding(f"port {port}", f"{service} of this fund listens")
    try:
        check_port_free(service, port)
    except FundError as error:
        return Finding(f"port {port}", "in use", error.detail)
    return Finding(f"port {port}", f"free for {service}")


def check_disk(root: Path) -> Finding:
    """Check that at least 2 GiB are free on the disk of the fund's folder."""
    existing = next(path for path in (root, *root.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    remedy = None if free >= DISK_BYTES else "Free at least 2 GiB, or set FUND_HOME to a folder on a larger disk."
    return Finding("disk", f"{free / 1024**3:.1f} GiB free at {existing}", remedy)


def check_folder(folder: FundFolder) -> Finding:
    """Check that the fund's folder can be written and its settings can be read."""
    try:
        market = folder.read_market()
    except FundError as error:
        return Finding("folder", str(folder.root), error.detail)
    existing = next(path for path in (folder.root, *folder.root.parents) if path.exists())
    if not os.access(existing, os.W_OK):
        return Finding("folder", f"{existing} is read-only", "Set FUND_HOME to a folder that you may write.")
    return Finding("folder", f"{folder.root}: " + (market.describe() if market else "no fund yet"))


def check_configuration(variables: Mapping[str, str]) -> list[Finding]:
    """Check that the settings of real accounts, if there are any, are complete, and that the key fits the address."""
    found = {
        name: next((variables[alias] for alias in aliases if variables.get(alias)), None)
        for name, aliases in ACCOUNTS.items()
    }
    if not any(found.values()):
        return [Finding("configuration", "no account configured: the fund runs offline, on its own exchange")]
    not_needed = {"ALPACA_BASE_URL"}
    if variables.get("MARKET_DATA_VENDOR", "polygon") != "polygon":
        not_needed.add("POLYGON_API_KEY")
    missing = [name for name, value in found.items() if value is None and name not in not_needed]
    findings = [Finding("configuration", "accounts configured; `./fund up` ignores them, it is always offline")]
    if missing:
        findings.append(
            Finding("configuration", f"{', '.join(missing)} missing", f"Set {', '.join(missing)}, or NAME_FILE for it.")
        )
    return [*findings, *_check_key(found["ALPACA_API_KEY_ID"], found["ALPACA_BASE_URL"])]


def _check_key(key: str | None, url: str | None) -> list[Finding]:
    if key is None or url is None:
        return []
    paper = key.startswith("PK")
    if paper == ("paper" in url):
        return [Finding("broker key", "paper" if paper else "live")]
    kind, other = ("paper", "live") if paper else ("live", "paper")
    return [Finding("broker key", f"a {kind} key at a {other} address", "Use the key of the account that you mean.")]


def check_proxies(variables: Mapping[str, str]) -> list[Finding]:
    """Say that the fund does not use the proxies of the environment, if there are any; names in any case."""
    found = sorted(name for name, value in variables.items() if name.upper() in PROXIES and value)
    if not found:
        return []
    seen = (
        f"{', '.join(found)} set; not used: the fund calls its own services, vendors and broker directly. Where these "
        "can only be reached through a proxy, run the fund on a host that reaches them"
    )
    return [Finding("proxy", seen)]


def check_reachability(addresses: Addresses, folder: FundFolder, variables: Mapping[str, str]) -> list[Finding]:
    """Check that running services and the configured broker answer, and that their clocks agree with this machine's."""
    running = running_processes(folder)
    services = {str(service): f"{addresses.url(service)}/ready" for service in Service if service in running}
    brokers = [url for alias in ACCOUNTS["ALPACA_BASE_URL"] if (url := variables.get(alias))]
    addresses_by_name = services | ({"ALPACA_BASE_URL": brokers[0]} if brokers else {})
    return [
        finding for name, url in addresses_by_name.items() for finding in check_answer(name, url, datetime.now(UTC))
    ]


def check_data(addresses: Addresses, folder: FundFolder) -> list[Finding]:
    """Check that a running datamanager lacks no session and holds no row that needs a decision."""
    if Service.DATAMANAGER not in running_processes(folder):
        return []
    try:
        found = connect(folder, addresses).data.check_data()
    except FundError as error:
        return [Finding("data", "not checked", error.detail)]
    counts = found.sessions
    missing = ", ".join(str(one.date) for one in counts.missing[:NAMED_SESSIONS]) or "none"
    seen = f"{counts.present} of {counts.expected} sessions since {counts.first}; missing: {missing}"
    return [Finding("data", seen, "`./fund data check` says what to do." if found.to_do else None)]


def check_answer(name: str, url: str, now: datetime) -> list[Finding]:
    """Check that the address answers, and that the clock in its answer agrees within 30 seconds."""
    try:
        answer = httpx.get(url, timeout=5, trust_env=False)  # as the services call one another and the broker
    except httpx.HTTPError as error:
        return [Finding(name, f"no answer ({type(error).__name__})", f"Check the network and the address {url}.")]
    reachable = Finding(name, f"answers {answer.status_code}")
    if answer.is_server_error:
        log = "Read the service's log: `./fund status` names the file."
        reachable = Finding(name, f"answers {answer.status_code}: {answer.text[:300]}", log)
    return [reachable, check_clock(name, answer.headers.get("date"), now)]


def check_clock(name: str, header: str | None, now: datetime) -> Finding:
    """Check that this machine's clock agrees with the answer's `Date` header (RFC 9110)."""
    if header is None:
        return Finding("clock", f"{name} sent no date: not compared")
    theirs = datetime.strptime(header, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    apart = abs(now - theirs)
    remedy = None if apart <= CLOCK_TOLERANCE else "Set this machine's clock (timedatectl set-ntp true)."
    return Finding("clock", f"{apart.total_seconds():.0f} s from {name}'s", remedy)
