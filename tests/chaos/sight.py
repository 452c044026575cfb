"""What the services of a fund, its lake and its files say at one moment."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl
from pydantic import BaseModel, TypeAdapter

from fund.answers import BooksSummary
from fund.clients import Clients
from fund.folder import FundFolder
from fund.services import Service
from internal.lake.store import Lake
from internal.lake.tables import TABLES

BOXES = {Service.EXCHANGE: "/control/events", Service.DATAMANAGER: "/events", Service.PORTFOLIOMANAGER: "/events"}


class SentOrder(BaseModel):
    """An order that the exchange has taken."""

    client_order_id: str
    symbol: str
    side: str
    status: str
    filled_qty: float


class JournalOrder(BaseModel):
    """An order of the fund's journal."""

    client_order_id: str
    portfolio_id: str
    date: date
    side: str
    leg: str
    state: str
    filled_quantity: float


class Decision(BaseModel):
    """A decision of the journal."""

    date: date
    portfolio_id: str
    state: str


class Run(BaseModel):
    """A run of the scheduler."""

    kind: str
    session: date
    outcome: str
    reason: str


class Event(BaseModel):
    """An event that a service received or sent."""

    id: str
    type: str
    state: str
    last_error: str | None


@dataclass(frozen=True)
class Sight:
    """All of it; `runs` is empty where the fund has no scheduler.

    Attributes:
        sent: The exchange's own orders.
        journal: The journal's.
        foreign: What the journal does not explain in the account.
        differences: Of the books from the broker.
        decisions: Of the journal.
        decided: The ids of the stored portfolios, by session.
        collected: The sessions of the ledger; one that was collected twice is there twice.
        runs: Of the scheduler.
        inbox: Received events by service.
        outbox: Sent events by service, one for each subscriber.
        held: Signed shares at the broker.
        unready: What `/ready` of a service complains of.
        damaged: Files that cannot be read.
        state: The trading state.
        flattens: Whether everything is to be closed.
    """

    sent: Sequence[SentOrder]
    journal: Sequence[JournalOrder]
    foreign: Sequence[str]
    differences: Sequence[str]
    decisions: Sequence[Decision]
    decided: Mapping[date, Sequence[str]]
    collected: Sequence[date]
    held: Mapping[str, float]
    state: str
    flattens: bool
    runs: Sequence[Run] = ()
    inbox: Mapping[Service, Sequence[Event]] = field(default_factory=dict[Service, Sequence[Event]])
    outbox: Mapping[Service, Sequence[Event]] = field(default_factory=dict[Service, Sequence[Event]])
    unready: Sequence[str] = ()
    damaged: Sequence[str] = ()


def look(clients: Clients, folder: FundFolder) -> Sight:
    """Ask all of them. Raises FundError where one does not answer."""
    lake, manager = Lake(str(folder.lake)), clients.portfoliomanager
    portfolios = lake.scan("portfolios").select("date", "portfolio_id").unique().collect()
    state = manager.get("/trading-state")
    current = clients.current_portfolio()
    positions = current.positions if current else []
    return Sight(
        sent=_read(list[SentOrder], clients.exchange.get("/control/orders")["orders"]),
        journal=_read(list[JournalOrder], clients.orders().to_dicts()),
        foreign=[json.dumps(item, sort_keys=True) for item in manager.get("/foreign")["foreign"]],
        differences=[one.describe() for one in BooksSummary.model_validate(manager.get("/books")).differences],
        decisions=_read(list[Decision], json.loads(manager.text("/portfolios/decisions", since="2000-01-01"))),
        decided=dict(portfolios.group_by("date").agg("portfolio_id").iter_rows()),
        collected=lake.scan("ingestion_sessions").select("date").collect().get_column("date").to_list(),
        held={one.ticker: one.quantity if one.side == "long" else -one.quantity for one in positions},
        state=state["state"],
        flattens=state["cause"] == "flatten",
        runs=read_runs(clients),
        inbox=_read_boxes(clients, "inbox"),
        outbox=_read_boxes(clients, "outbox"),
        unready=list_unready(clients),
        damaged=list_damaged(folder.root),
    )


def read_runs(clients: Clients) -> list[Run]:
    """The scheduler's runs, newest first; none where the fund has no scheduler."""
    scheduler = clients.scheduler
    return [] if scheduler is None else _read(list[Run], scheduler.get("/schedule", limit="1000")["runs"])


def _read_boxes(clients: Clients, box: str) -> dict[Service, list[Event]]:
    return {service: _read(list[Event], clients.of(service).get(path)[box]) for service, path in BOXES.items()}


def _read[Value](kind: type[Value], value: object) -> Value:
    return TypeAdapter(kind).validate_python(value)


def list_unready(clients: Clients) -> list[str]:
    """What each service's `/ready` complains of."""
    every = (clients.exchange, clients.datamanager, clients.portfoliomanager, clients.scheduler)
    return [
        f"{client.name}: {check}: {answer}"
        for client in every
        if client is not None
        for check, answer in client.readiness().items()
        if answer != "ok"
    ]


def list_damaged(root: Path) -> list[str]:
    """The files of a fund that are not whole: JSON, SQLite, and the tables of the lake."""
    readers = {"*.json": _read_json, "*.sqlite3": _check_database}
    files = [(path, reader) for pattern, reader in readers.items() for path in root.rglob(pattern)]
    found = [f"{path.relative_to(root)}: {problem}" for path, reader in files if (problem := reader(path))]
    return found + [f"{name}: {problem}" for name in TABLES if (problem := _read_table(root / "lake", name))]


def _read_json(path: Path) -> str:
    try:
        lines = path.read_text().splitlines() if "_delta_log" in path.parts else [path.read_text()]
        for line in lines:
            json.loads(line)
    except FileNotFoundError:
        return ""  # replaced or removed meanwhile
    except ValueError as error:
        return str(error)
    return ""


def _check_database(path: Path) -> str:
    try:
        with sqlite3.connect(path, timeout=0) as connection:
            answer = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.OperationalError:
        return ""  # a running service has it for itself
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if answer == "ok" else answer


def _read_table(lake: Path, name: str) -> str:
    try:
        Lake(str(lake)).scan(name).select(pl.len()).collect()
    except Exception as error:  # noqa: BLE001 - whatever makes a table unreadable
        return str(error)
    return ""
