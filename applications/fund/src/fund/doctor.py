"""The checks of `fund doctor`: each looks for one fault and says what to do about it. They change nothing."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import httpx
import psutil

from fund.addresses import Addresses, check_port_free
from fund.answers import PendingEvent
from fund.clients import connect, parked_events
from fund.doctor_accounts import check_configuration, check_secret_files, read_accounts
from fund.doctor_fund import (
    CLOCK_TOLERANCE,
    SET_CLOCK,
    check_broker,
    check_calendar,
    check_notifications,
    find_market_time,
)
from fund.doctor_model import check_model
from fund.findings import Finding
from fund.folder import FundFolder
from fund.processes import running_processes
from fund.services import BROKER_SERVICES, Service
from fund.settings.fund_settings import FundSettings, read_settings
from fund.settings.secrets import Secret, read_secret
from fund.vendor_check import check_vendor
from internal.baselines.trees import require_lightgbm
from internal.errors import FundError
from internal.kernels.compiler import configure
from internal.modes import Mode

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
DISK_BYTES = 2 * 1024**3
NAMED_SESSIONS = 5
MEMORY_BYTES = 1024**3


def run_checks(folder: FundFolder, addresses: Addresses, variables: Mapping[str, str]) -> Iterator[Finding]:
    """Each check as it is done, in the order in which a first run would meet the faults."""
    yield check_python(sys.version_info[:2])
    yield check_compiler(configure)
    yield check_lightgbm(require_lightgbm if find_spec("lightgbm") else None)
    yield from check_ports(folder, addresses)
    yield check_disk(folder.root)
    yield check_folder(folder)
    yield check_memory(psutil.virtual_memory().available)
    yield from check_accounts(folder, variables)
    yield from check_proxies(variables)
    yield from check_reachability(addresses, folder)
    yield from check_data(addresses, folder)
    yield check_model(folder, addresses)
    yield from check_events(addresses, folder)


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
            "not installed (optional), so the comparison of models leaves out boosted trees and what combines them; "
            "to install it: uv sync --inexact --package models --extra trees",
        )
    try:
        load()
    except FundError as error:
        return Finding("LightGBM", "does not load", error.detail)
    return Finding("LightGBM", "loads")


def check_ports(folder: FundFolder, addresses: Addresses) -> list[Finding]:
    """Check the ports of the services that the fund has: one at a broker has no exchange."""
    services = BROKER_SERVICES if folder.is_at_broker else tuple(Service)
    return [check_port(folder, addresses, service) for service in services]


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
        market, record = folder.read_market(), folder.read_record()
    except FundError as error:
        return Finding("folder", str(folder.root), error.detail)
    existing = next(path for path in (folder.root, *folder.root.parents) if path.exists())
    if not os.access(existing, os.W_OK):
        return Finding("folder", f"{existing} is read-only", "Set FUND_HOME to a folder that you may write.")
    opened = market.describe() if market else "no fund yet"
    return Finding("folder", f"{folder.root}: {record.describe() if record else opened}")


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


def check_accounts(folder: FundFolder, variables: Mapping[str, str]) -> list[Finding]:
    """Check the settings and keys of accounts; of a fund that runs for real also what it needs there."""
    try:
        settings = read_settings(folder.settings_file) if folder.settings_file.exists() else None
        real = settings if settings is not None and settings.mode is not Mode.SIMULATED else None
        accounts = read_accounts(folder.root, real, variables)
        has_targets = read_secret(folder.root, Secret.NOTIFICATION_URLS) is not None
    except FundError as error:
        return [Finding("configuration", "cannot be read", error.detail)]
    vendor = real.market_data.market_data_vendor if real else variables.get("MARKET_DATA_VENDOR", "polygon")
    findings = check_configuration(accounts, vendor, runs_for_real=real is not None)
    if real is None:
        brokers = [("ALPACA_BASE_URL", accounts["ALPACA_BASE_URL"])] if "ALPACA_BASE_URL" in accounts else []
        return [*findings, *(one for name, url in brokers for one in check_answer(name, url, datetime.now(UTC)))]
    return [*findings, *_check_real_fund(folder, real, accounts, variables, has_targets=has_targets)]


def _check_real_fund(
    folder: FundFolder,
    settings: FundSettings,
    accounts: Mapping[str, str],
    variables: Mapping[str, str],
    *,
    has_targets: bool,
) -> list[Finding]:
    return [
        *check_secret_files(folder.root, variables),
        *check_broker(accounts, folder.read_record()),
        check_calendar(datetime.now(UTC).date()),
        check_vendor(settings.market_data, accounts, find_market_time(accounts)),
        check_notifications(has_targets=has_targets, mode=settings.mode),
    ]


def check_memory(available: int) -> Finding:
    """Check that at least 1 GiB of memory is available."""
    remedy = None if available >= MEMORY_BYTES else "End other programs, or use a machine with more memory."
    return Finding("memory", f"{available / 1024**3:.1f} GiB available", remedy)


def check_reachability(addresses: Addresses, folder: FundFolder) -> Iterator[Finding]:
    """Check that running services answer."""
    running = running_processes(folder)
    for service in Service:
        if service in running:
            yield from check_answer(service, f"{addresses.url(service)}/ready", datetime.now(UTC))


def check_data(addresses: Addresses, folder: FundFolder) -> list[Finding]:
    """Check that a running datamanager lacks no session and holds no row that needs a decision."""
    if Service.DATAMANAGER not in running_processes(folder):
        return []
    try:
        found = connect(folder, addresses).data.check_data()
    except FundError as error:
        return [Finding("data", "not checked", error.detail)]
    counts = found.sessions
    missing = "; ".join(f"{one.date} ({one.reason})" for one in counts.missing[:NAMED_SESSIONS]) or "none"
    seen = f"{counts.present} of {counts.expected} sessions since {counts.first}; missing: {missing}"
    return [Finding("data", seen, f"{found.to_do[0]} `./fund data check` shows all." if found.to_do else None)]


def check_events(addresses: Addresses, folder: FundFolder) -> list[Finding]:
    """Check that no running service, the scheduler included, has given up an event."""
    running = [service for service in Service if service in running_processes(folder)]
    if not running:
        return []
    try:
        found = parked_events(connect(folder, addresses), running)
    except FundError as error:
        return [Finding("events", "not checked", error.detail)]
    return [describe_events(found)]


def describe_events(given_up: Sequence[PendingEvent]) -> Finding:
    """The finding of events that were given up; of several the first is named."""
    if not given_up:
        return Finding("events", "none was given up")
    return Finding("events", f"{len(given_up)} given up", given_up[0].describe_parked())


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
    remedy = None if apart <= CLOCK_TOLERANCE else SET_CLOCK
    return Finding("clock", f"{apart.total_seconds():.0f} s from {name}'s", remedy)
