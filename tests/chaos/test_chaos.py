"""The chaos itself: what is drawn, what a whole fund looks like, and that each thing that may break is noticed."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from chaos.draws import Move, Wish, draw_round
from chaos.invariants import find_broken, find_forbidden, find_not_flat, find_undone, find_unhandled
from chaos.laps import Lap
from chaos.sight import Decision, Event, JournalOrder, Run, SentOrder, Sight, list_damaged
from fund.services import Service
from internal.event_types import EventType
from internal.trading.order_planning import FLATTEN

MONDAY, TUESDAY = date(2024, 3, 18), date(2024, 3, 19)
BUY = SentOrder(client_order_id="AAA-open-0-1a", symbol="AAA", side="buy", status="filled", filled_qty=5)
BOUGHT = JournalOrder(
    client_order_id="AAA-open-0-1a",
    portfolio_id="drawn-2024-03-18-00",
    date=MONDAY,
    side="buy",
    leg="open",
    state="filled",
    filled_quantity=5,
)
SELL = SentOrder(client_order_id="AAA-close-0-2b", symbol="AAA", side="sell", status="accepted", filled_qty=0)
SOLD = JournalOrder(
    client_order_id="AAA-close-0-2b",
    portfolio_id="drawn-2024-03-19-00",
    date=TUESDAY,
    side="sell",
    leg="close",
    state="submitted",
    filled_quantity=0,
)
DECISIONS = [Decision(date=day, portfolio_id=f"drawn-{day}-00", state="submitted") for day in (MONDAY, TUESDAY)]
RUNS = [
    Run(kind=kind, session=day, outcome="done", reason="")
    for day in (MONDAY, TUESDAY)
    for kind in ("reconciliation", "collection", "decision")
]
INBOX = {
    Service.DATAMANAGER: [
        Event(
            id=f"{EventType.SESSION_CLOSED}:2024-03-19", type=EventType.SESSION_CLOSED, state="handled", last_error=None
        )
    ],
    Service.PORTFOLIOMANAGER: [
        Event(id=f"{kind}:2024-03-19", type=kind, state="handled", last_error=None)
        for kind in (EventType.SESSION_OPENED, EventType.BARS_SYNCED)
    ],
}
WHOLE = Sight(
    sent=[BUY, SELL],
    journal=[BOUGHT, SOLD],
    foreign=[],
    differences=[],
    decisions=DECISIONS,
    decided={MONDAY: ["drawn-2024-03-18-00"], TUESDAY: ["drawn-2024-03-19-00"]},
    collected=[MONDAY, TUESDAY],
    held={"AAA": 5.0},
    state="active",
    flattens=False,
    runs=RUNS,
    inbox=INBOX,
)
PENDING = INBOX[Service.PORTFOLIOMANAGER][0].model_copy(update={"state": "parked", "last_error": "why"})


def test_a_whole_fund() -> None:
    """Nothing is broken, undone or unhandled."""
    assert find_broken(WHOLE) == []
    assert find_undone(RUNS, TUESDAY, ("reconciliation", "collection", "decision")) == []
    assert find_unhandled(WHOLE, TUESDAY) == []
    assert find_forbidden(WHOLE, WHOLE) == find_not_flat(WHOLE, WHOLE) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sent": [BUY, BUY, SELL]}, "was taken 2 times"),
        ({"journal": [BOUGHT]}, "is not in the journal"),
        ({"sent": [BUY]}, "the exchange does not know it"),
        ({"journal": [BOUGHT, SOLD.model_copy(update={"state": "dropped"})]}, "and the exchange has it"),
        (
            {
                "sent": [BUY, SELL, BUY.model_copy(update={"client_order_id": "AAA-open-0-3c"})],
                "journal": [BOUGHT, SOLD, BOUGHT.model_copy(update={"client_order_id": "AAA-open-0-3c"})],
            },
            "2 orders are",
        ),
        ({"journal": [BOUGHT.model_copy(update={"filled_quantity": 4}), SOLD]}, "5.0 filled, 4 in the journal"),
        ({"journal": [BOUGHT.model_copy(update={"state": "unresolved"}), SOLD]}, "is still unresolved"),
        ({"foreign": ["5 BBB"]}, "does not explain 5 BBB"),
        ({"differences": ["a cent"]}, "the books differ: a cent"),
        ({"collected": [MONDAY, MONDAY]}, "2024-03-18 was collected 2 times"),
        ({"decisions": [*DECISIONS, DECISIONS[0]]}, "2024-03-18 was decided 2 times"),
        ({"decided": {MONDAY: ["one", "two"]}}, "has the portfolios"),
        ({"decisions": [DECISIONS[0].model_copy(update={"state": "planned"})]}, "are not all sent"),
        ({"runs": [RUNS[0].model_copy(update={"outcome": "running"}), *RUNS[1:]]}, "has no outcome"),
        ({"inbox": {Service.PORTFOLIOMANAGER: [PENDING]}}, "parked: why"),
        ({"outbox": {Service.EXCHANGE: [PENDING]}}, "gave up sending"),
        ({"unready": ["exchange: down"]}, "not ready: exchange: down"),
        ({"damaged": ["a.json"]}, "a file is damaged: a.json"),
    ],
)
def test_what_is_broken_is_said(change: Mapping[str, object], sentence: str) -> None:
    """Each kind of damage is one sentence."""
    (broken,) = find_broken(replace(WHOLE, **change))

    assert sentence in broken


def test_orders_against_the_trading_state() -> None:
    """Nothing new while halted, closes alone while reducing, and closes of everything where that was asked for."""
    before = replace(WHOLE, sent=[], journal=[])
    only_close = replace(WHOLE, sent=[SELL], journal=[SOLD])
    closing_all = replace(only_close, journal=[SOLD.model_copy(update={"portfolio_id": f"{FLATTEN}-2024-03-19-00"})])

    assert len(find_forbidden(replace(before, state="halted"), WHOLE)) == 2
    assert find_forbidden(replace(before, state="reduce_only"), only_close) == []
    assert len(find_forbidden(replace(before, state="reduce_only"), WHOLE)) == 1
    assert len(find_forbidden(replace(before, state="halted", flattens=True), only_close)) == 1
    assert find_forbidden(replace(before, state="halted", flattens=True), closing_all) == []


def test_flat_stays_flat() -> None:
    """A name that was not held before is said to have been opened."""
    flat = replace(WHOLE, state="halted", flattens=True, held={})

    assert find_not_flat(flat, WHOLE) == ["['AAA'] are held while everything is to be closed"]
    assert find_not_flat(flat, replace(WHOLE, held={})) == []


def test_undone_and_unhandled() -> None:
    """A run without success and an event that never came are named."""
    failed = [run.model_copy(update={"outcome": "failed", "reason": "why"}) for run in RUNS if run.kind == "decision"]

    assert find_undone(failed, TUESDAY, ("decision", "collection")) == [
        "2024-03-19 has no collection",
        "the decision of 2024-03-19 is failed: why",
    ]
    assert len(find_unhandled(replace(WHOLE, inbox={}), TUESDAY)) == 3


def test_damaged_files(tmp_path: Path) -> None:
    """Half a JSON file and a database that was overwritten are found; whole ones are not."""
    (tmp_path / "whole.json").write_text(json.dumps({"a": 1}))
    with sqlite3.connect(tmp_path / "whole.sqlite3") as connection:
        connection.execute("CREATE TABLE a (b)")
    assert list_damaged(tmp_path) == []
    (tmp_path / "half.json").write_text('{"a":')
    (tmp_path / "half.sqlite3").write_bytes(b"no database" * 100)

    assert [line.partition(":")[0] for line in sorted(list_damaged(tmp_path))] == ["half.json", "half.sqlite3"]


def test_draws() -> None:
    """A round is the same whenever it is drawn; over many each service is killed, and each wish comes up."""
    rounds = [draw_round(1, number) for number in range(200)]

    assert draw_round(1, 7) == rounds[7] != draw_round(2, 7)
    assert {kill.service for one in rounds for move in Move for kill in one.kills[move]} == set(Service)
    asked = {one.wish(is_active=is_active) for one in rounds for is_active in (True, False)}
    assert asked == {*Wish, None}


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("place", [0, 3])
def test_rounds_of_chaos(tmp_path: Path, place: int) -> None:
    """A few rounds with real processes, as at a broker and offline; `mask development chaos` plays as many as asked."""
    lap = Lap(7, range(1, 6), place, "realistic", tmp_path / "fund")

    assert {played.text: played.broken for played in lap.play() if played.broken} == {}
