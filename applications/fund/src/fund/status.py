"""What `fund status` and `fund doctor` show.

Knows how to ask a fund, running or not, and tables. Changes nothing.
"""

import psutil
from rich.console import Console
from rich.table import Table

from fund.clients import Clients
from fund.doctor import Finding
from fund.home import SERVICES, Home
from fund.lifetime import clients_of
from fund.screen import positions_table, totals
from fund.services import Addresses, recorded
from internal.baselines.catalogue import BASELINES
from internal.errors import ArtifactError
from internal.forecasting.artifact import load_artifact
from internal.forecasting.registry import Registry

LAST_SESSIONS = 5


def show_status(home: Home, addresses: Addresses, console: Console) -> bool:
    """Services, last sessions, model and book; whether every service answers."""
    opening = home.opening()
    if opening is None:
        console.print(f"No fund in {home.root}. Open one: fund up")
        return False
    console.print(f"{home.root}: {opening.market()}, opened after {opening.session}")
    running, clients = recorded(home), clients_of(home, addresses)
    console.print(services_table(home, addresses, running, clients))
    console.print(model_sentence(home))
    answering = all(name in running and clients.of(name).alive() for name in SERVICES)
    if answering:
        show_running(clients, console)
    else:
        console.print("Not every service answers: `fund up` starts them and resumes.")
    return answering


def services_table(home: Home, addresses: Addresses, running: dict[str, psutil.Process], clients: Clients) -> Table:
    """One row a service: process, address, health, memory, log."""
    table = Table("service", "process", "address", "health", "memory", "log", title="Services", title_justify="left")
    for name in SERVICES:
        process = running.get(name)
        health = "alive" if process is not None and clients.of(name).alive() else "down"
        memory = f"{process.memory_info().rss / 1024**2:.0f} MiB" if process else ""
        number = str(process.pid) if process else ""
        table.add_row(name, number, addresses.url(name), health, memory, str(home.log(name)))
    return table


def model_sentence(home: Home) -> str:
    """The champion of the registry with its held-out loss beside the best baseline's, in one sentence."""
    try:
        path = Registry(home.registry).path("champion")
        artifact = load_artifact(path)
    except ArtifactError as error:
        return f"Model: {error.detail}"
    said = f"Model: champion {path.name}, {artifact.kind}"
    held_out = artifact.metrics.get("held_out", {})
    losses = {name: float(one["cumulative_loss"]) for name, one in held_out.items()}
    own = losses.get(artifact.kind)
    baselines = {name: loss for name, loss in losses.items() if name in BASELINES}
    if own is None or not baselines:
        return f"{said}; it was not measured beside the baselines"
    best = min(baselines, key=baselines.__getitem__)
    difference = 100 * (own / baselines[best] - 1)
    return (
        f"{said}: held-out pinball loss {1e4 * own:.2f}e-4 beside {1e4 * baselines[best]:.2f}e-4 of the best baseline, "
        f"{best} ({difference:+.2f} %)"
    )


def show_running(clients: Clients, console: Console) -> None:
    """Clock, last sessions and book of a running fund."""
    state = clients.state()
    console.print(f"Clock: {state['timestamp']} ({state['phase']}), {state['sessions_left']} sessions left to play")
    console.print(sessions_table(clients))
    book = clients.book()
    if book is None:
        console.print("No portfolio yet.")
        return
    console.print(positions_table(book))
    for sentence in totals(book, clients.portfoliomanager.get("/performance")):
        console.print(sentence)


def sessions_table(clients: Clients) -> Table:
    """The last sessions of the ledger."""
    ledger = clients.datamanager.frame("/sessions").sort("date").tail(LAST_SESSIONS)
    table = Table("session", "status", "rows", "quarantined", title="Last sessions", title_justify="left")
    for row in ledger.select("date", "status", "rows", "quarantined").iter_rows():
        table.add_row(*(str(value) for value in row))
    return table


def show_findings(findings: list[Finding], console: Console) -> None:
    """One line a check; a fault is followed by what to do."""
    for finding in findings:
        mark = "[green]ok[/green]   " if finding.healthy else "[red]fault[/red]"
        console.print(f"{mark} {finding.subject}: {finding.seen}", soft_wrap=True)
        if finding.remedy is not None:
            console.print(f"      -> {finding.remedy}", soft_wrap=True)
