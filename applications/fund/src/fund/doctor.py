"""What `fund doctor` looks at: one check a fault, each with what to do about it.

Knows the machine and the environment. Changes nothing.
"""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from fund.home import SERVICES, Home
from fund.services import Addresses, check_port_free, recorded
from internal.baselines.trees import load_lightgbm
from internal.errors import FundError
from internal.kernels.compiler import configure

DISK_BYTES = 2 * 1024**3
CLOCK_TOLERANCE = timedelta(seconds=30)
ACCOUNTS = {
    "ALPACA_API_KEY_ID": ("ALPACA_API_KEY_ID", "APCA_API_KEY_ID"),
    "ALPACA_API_SECRET": ("ALPACA_API_SECRET", "APCA_API_SECRET_KEY"),
    "ALPACA_BASE_URL": ("ALPACA_BASE_URL", "APCA_API_BASE_URL"),
    "POLYGON_API_KEY": ("POLYGON_API_KEY", "MASSIVE_API_KEY"),
}


@dataclass(frozen=True)
class Finding:
    """One look: what was looked at, what was seen, and what to do when that is a fault."""

    subject: str
    seen: str
    remedy: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether there is nothing to do."""
        return self.remedy is None


def examine(home: Home, addresses: Addresses, variables: Mapping[str, str]) -> list[Finding]:
    """Every check, in the order in which a first run would meet the faults."""
    ports = [check_port(home, addresses, service) for service in SERVICES]
    return [
        check_python(sys.version_info[:2]),
        check_compiler(configure),
        check_openmp(load_lightgbm),
        *ports,
        check_disk(home.root),
        check_home(home),
        *check_configuration(variables),
        *check_reachability(addresses, home, variables),
    ]


def check_python(version: tuple[int, ...]) -> Finding:
    """The interpreter is 3.12."""
    seen = f"{platform.python_implementation()} {'.'.join(map(str, version))}"
    remedy = None if version == (3, 12) else "Install Python 3.12 (pyenv install 3.12) and run `uv sync` again."
    return Finding("Python", seen, remedy)


def check_compiler(find: Callable[[], object]) -> Finding:
    """A C compiler for the model's kernels is found."""
    try:
        return Finding("compiler", str(find()))
    except FundError as error:
        return Finding("compiler", error.detail, "Run `uv sync`: the package ziglang brings a compiler.")


def check_openmp(load: Callable[[], object]) -> Finding:
    """The library that LightGBM's threads need is there; `uv sync` does not bring it."""
    try:
        load()
    except FundError as error:
        return Finding("OpenMP", "missing", error.detail)
    return Finding("OpenMP", "LightGBM loads")


def check_port(home: Home, addresses: Addresses, service: str) -> Finding:
    """The service's port is free, or its own service listens there."""
    port = addresses.ports[service]
    if service in recorded(home):
        return Finding(f"port {port}", f"{service} of this fund listens")
    try:
        check_port_free(service, port)
    except FundError as error:
        return Finding(f"port {port}", "in use", error.detail)
    return Finding(f"port {port}", f"free for {service}")


def check_disk(folder: Path) -> Finding:
    """At least 2 GiB are free where the fund lives."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    remedy = None if free >= DISK_BYTES else "Free at least 2 GiB, or set FUND_HOME to a folder on a larger disk."
    return Finding("disk", f"{free / 1024**3:.1f} GiB free at {existing}", remedy)


def check_home(home: Home) -> Finding:
    """The fund's folder can be written and its record read."""
    try:
        opening = home.opening()
    except FundError as error:
        return Finding("folder", str(home.root), error.detail)
    existing = next(path for path in (home.root, *home.root.parents) if path.exists())
    if not os.access(existing, os.W_OK):
        return Finding("folder", f"{existing} is read-only", "Set FUND_HOME to a folder that you may write.")
    return Finding("folder", f"{home.root}: " + (opening.market() if opening else "no fund yet"))


def check_configuration(variables: Mapping[str, str]) -> list[Finding]:
    """Real accounts, when some are configured, are configured whole, and the key fits the address."""
    found = {
        name: next((variables[alias] for alias in aliases if variables.get(alias)), None)
        for name, aliases in ACCOUNTS.items()
    }
    if not any(found.values()):
        return [Finding("configuration", "no account configured: the fund runs offline, on its own exchange")]
    missing = [name for name, value in found.items() if value is None and name != "ALPACA_BASE_URL"]
    findings = [Finding("configuration", "accounts configured; `fund up` ignores them, it is always offline")]
    if missing:
        findings.append(
            Finding("configuration", f"{', '.join(missing)} missing", f"Set {', '.join(missing)}, or NAME_FILE for it.")
        )
    return [*findings, *_key_fits(found["ALPACA_API_KEY_ID"], found["ALPACA_BASE_URL"])]


def _key_fits(key: str | None, url: str | None) -> list[Finding]:
    if key is None or url is None:
        return []
    paper = key.startswith("PK")
    if paper == ("paper" in url):
        return [Finding("broker key", "paper" if paper else "live")]
    kind, other = ("paper", "live") if paper else ("live", "paper")
    return [Finding("broker key", f"a {kind} key at a {other} address", "Use the key of the account that you mean.")]


def check_reachability(addresses: Addresses, home: Home, variables: Mapping[str, str]) -> list[Finding]:
    """Running services answer, configured vendors too, and their clocks agree with ours."""
    services = {service: f"{addresses.url(service)}/ready" for service in SERVICES if service in recorded(home)}
    vendors = {
        name: url
        for name, aliases in ACCOUNTS.items()
        if name == "ALPACA_BASE_URL"
        for alias in aliases
        if (url := variables.get(alias))
    }
    return [
        finding for name, url in (services | vendors).items() for finding in check_answer(name, url, datetime.now(UTC))
    ]


def check_answer(name: str, url: str, now: datetime) -> list[Finding]:
    """The address answers, and the clock in its answer agrees with ours within 30 seconds."""
    try:
        answer = httpx.get(url, timeout=5)
    except httpx.HTTPError as error:
        return [Finding(name, f"no answer ({type(error).__name__})", f"Check the network and the address {url}.")]
    reachable = Finding(name, f"answers {answer.status_code}")
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        reachable = Finding(name, f"answers {answer.status_code}: {answer.text[:300]}", "Read its log: fund status.")
    return [reachable, check_clock(name, answer.headers.get("date"), now)]


def check_clock(name: str, header: str | None, now: datetime) -> Finding:
    """This machine's clock agrees with the other side's `Date` (RFC 9110)."""
    if header is None:
        return Finding("clock", f"{name} tells no time: not compared")
    theirs = datetime.strptime(header, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    apart = abs(now - theirs)
    remedy = None if apart <= CLOCK_TOLERANCE else "Set this machine's clock (timedatectl set-ntp true)."
    return Finding("clock", f"{apart.total_seconds():.0f} s from {name}'s", remedy)
