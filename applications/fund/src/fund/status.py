"""The output of `fund status`: services, model, last sessions and portfolio of a fund, running or not."""

from collections.abc import Sequence

import psutil
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fund.addresses import Addresses
from fund.arming_answers import ArmingAnswer
from fund.clients import Clients, connect, parked_events
from fund.folder import FundFolder
from fund.processes import running_processes
from fund.schedule import describe_schedule, read_schedule
from fund.services import BROKER_SERVICES, OFFLINE_SERVICES, Service
from fund.stakes import show_banner
from fund.tables import positions_table, summarize_performance
from fund.trading_answers import TradingStateAnswer
from fund.unopened import describe_unopened
from internal.baselines.catalogue import find_best_baseline
from internal.errors import ArtifactError
from internal.forecasting.artifact import load_artifact
from internal.forecasting.rank_evidence import describe_rank_evidence, find_rank_evidence
from internal.forecasting.registry import Registry
from internal.modes import Mode

LAST_SESSIONS = 5


def show_status(folder: FundFolder, addresses: Addresses, console: Console) -> bool:
    """Print services, model, last sessions and portfolio; whether every service answers."""
    market, record = folder.read_market(), folder.read_record()
    if market is None and record is None:
        console.print(escape(describe_unopened(folder)))
        return False
    if (mode := folder.read_mode()) is not None:
        show_banner(mode)
    opened = f"{market.describe()}, opened after {market.session}" if market else f"account {record and record.account}"
    console.print(f"{folder.root}: {opened}")
    running, clients = running_processes(folder), connect(folder, addresses)
    console.print(services_table(services_of(folder), addresses, running, clients))
    console.print(f"Logs: {escape(str(folder.logs))}")
    console.print(describe_model(folder))
    answering = all(service in running and clients.of(service).is_alive() for service in services_of(folder))
    if answering:
        if record is None:
            show_clock(clients, console)
        if Service.SCHEDULER in services_of(folder):
            show_schedule(clients, console)
        for event in parked_events(clients, services_of(folder)):
            console.print(escape(event.describe_parked()))
        show_running_fund(clients, console)
    else:
        if (strategy := folder.read_strategy()) is not None:
            console.print(escape(f"Strategy: {strategy.describe()}"))
        console.print(f"Not every service answers: `./fund {starting_command(folder)}` starts them and resumes.")
    return answering


def starting_command(folder: FundFolder) -> str:
    """The command that starts the fund of a folder: what `fund init` has set up is not for `fund up`."""
    return "run" if folder.settings_file.exists() or folder.read_record() is not None else "up"


def services_of(folder: FundFolder) -> Sequence[Service]:
    """The services of the fund in a folder: with a broker there is no exchange, and `fund up` needs no scheduler."""
    if folder.read_record() is not None:
        return BROKER_SERVICES
    return tuple(Service) if Service.SCHEDULER in running_processes(folder) else OFFLINE_SERVICES


def services_table(
    services: Sequence[Service], addresses: Addresses, running: dict[str, psutil.Process], clients: Clients
) -> Table:
    """One row a service: process, address, health, memory; every column is whole in a terminal of 80 columns."""
    table = Table("service", "process", "address", "health", "memory", title="Services", title_justify="left")
    for service in services:
        process = running.get(service)
        health = "alive" if process is not None and clients.of(service).is_alive() else "down"
        memory = f"{process.memory_info().rss / 1024**2:.0f} MiB" if process else ""
        number = str(process.pid) if process else ""
        table.add_row(service, number, addresses.url(service), health, memory)
    return table


def describe_model(folder: FundFolder) -> str:
    """The champion of the registry with its held-out loss beside the best baseline's, and its rank evidence."""
    try:
        path = Registry(folder.registry).path("champion")
        artifact = load_artifact(path)
    except ArtifactError as error:
        return f"Model: {error.detail} (a strategy that reads no forecasts needs none)"
    champion = f"Model: champion {path.name}, {artifact.kind}"
    evidence = describe_rank_evidence(find_rank_evidence(artifact.kind, artifact.metrics))
    held_out = artifact.metrics.get("held_out", {})
    best = find_best_baseline(held_out, artifact.kind)
    if artifact.kind not in held_out or best is None:
        return f"{champion}; it was not measured beside the baselines. {evidence}"
    own, other = (float(held_out[kind]["cumulative_loss"]) for kind in (artifact.kind, best))
    difference = 100 * (own / other - 1)
    return (
        f"{champion}: held-out pinball loss {1e4 * own:.2f}e-4 beside {1e4 * other:.2f}e-4 of the best "
        f"baseline, {best} ({difference:+.2f} %). {evidence}"
    )


def show_clock(clients: Clients, console: Console) -> None:
    """Print the clock of the fund's own exchange."""
    state = clients.exchange_state()
    console.print(f"Clock: {state.timestamp} ({state.phase}), {state.sessions_left} sessions left")


def show_schedule(clients: Clients, console: Console) -> None:
    """Print the last run of each kind and the next ones."""
    for line in describe_schedule(read_schedule(clients.of(Service.SCHEDULER))):
        console.print(escape(line))


def show_running_fund(clients: Clients, console: Console) -> None:
    """Print trading state, last sessions and portfolio of a running fund."""
    for line in TradingStateAnswer.read(clients.portfoliomanager).describe():
        console.print(escape(line))
    if (arming := ArmingAnswer.model_validate(clients.portfoliomanager.get("/arming"))).mode is Mode.LIVE:
        for line in arming.describe_state():
            console.print(escape(line))
    console.print(escape(f"Next decision by {clients.strategy().describe()}"))
    console.print(sessions_table(clients))
    portfolio = clients.current_portfolio()
    if portfolio is None:
        console.print("No portfolio yet.")
        return
    console.print(escape(f"Last decision by {portfolio.strategy.describe()}"))
    for note in portfolio.notes:
        console.print(escape(f"note: {note}"))
    console.print(positions_table(portfolio))
    for sentence in summarize_performance(portfolio, clients.performance()):
        console.print(sentence)


def sessions_table(clients: Clients) -> Table:
    """The last sessions that datamanager collected."""
    collected = clients.data.sessions().sort("date").tail(LAST_SESSIONS)
    table = Table("session", "status", "rows", "quarantined", title="Last sessions", title_justify="left")
    for row in collected.select("date", "status", "rows", "quarantined").iter_rows():
        table.add_row(*(str(value) for value in row))
    return table
