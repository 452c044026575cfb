"""Corporate actions as vendors state them: late, twice, corrected, withdrawn; and the tables of an earlier version."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from datamanager.action_migration import migrate_actions
from datamanager.adapters.files import FilesOnly
from datamanager.corporate_actions import ActionChanges, record_actions
from datamanager.ports import ACTION_SCHEMA
from datamanager.session_batches import commit_batch, fetch_batch
from internal.lake.store import Lake
from internal.schemas.corporate_actions import actions_in_force, dividends_of, splits_of, validate_actions

START, END = date(2024, 3, 1), date(2024, 3, 31)
DAY = date(2024, 3, 27)
FIRST, SECOND = datetime(2024, 4, 1, tzinfo=UTC), datetime(2024, 4, 2, tzinfo=UTC)
SPLIT = {"kind": "forward_split", "ticker": "AAA", "effective_date": DAY, "old_shares": 1.0, "new_shares": 2.0}
DIVIDEND = {"kind": "cash_dividend", "ticker": "BBB", "effective_date": DAY, "cash_amount": 0.25, "special": False}


def stated(*rows: dict[str, Any]) -> pl.DataFrame:
    """Statements in the port's schema."""
    empty = dict.fromkeys(ACTION_SCHEMA.names())
    return pl.DataFrame([{**empty, "source": "polygon", **row} for row in rows], schema=ACTION_SCHEMA)


def record(lake: Lake, *rows: dict[str, Any], at: datetime = FIRST, source: str = "polygon") -> ActionChanges:
    """Record everything that the vendor states of March."""
    return record_actions(lake, stated(*rows), source, START, END, at)


def in_force(lake: Lake, known_at: datetime | None = None) -> list[tuple[Any, ...]]:
    """Kind, ticker, shares and cash of the actions in force."""
    names = ("kind", "ticker", "old_shares", "new_shares", "cash_amount")
    return actions_in_force(lake.scan("corporate_actions"), known_at).select(names).sort(names).collect().rows()


def reasons(changes: ActionChanges) -> list[str]:
    """Why statements were held back, without their records."""
    return changes.quarantined.get_column("reason").str.split(":").list.first().to_list()


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ((1.0, 2.0), (2.0, 4.0), (1.0, 2.0)),
        ((10.0, 1.0), (1.0, 0.1), (10.0, 1.0)),
        ((3.0, 1.0), (1.0, 0.3333), (3.0, 1.0)),
    ],
)
@pytest.mark.parametrize("ids", [("x", "y"), (None, None)])
def test_one_split_in_two_numbers(
    lake: Lake,
    first: tuple[float, float],
    second: tuple[float, float],
    kept: tuple[float, float],
    ids: tuple[str | None, str | None],
) -> None:
    """1 for 2 and 2 for 4 are one split, whatever the order and the ids; stating it again changes nothing."""
    kind = "forward_split" if first[1] > first[0] else "reverse_split"
    statements = [
        {**SPLIT, "action_id": name, "kind": kind, "old_shares": old, "new_shares": new}
        for name, (old, new) in zip(ids, (second, first), strict=True)
    ]
    assert record(lake, *statements).quarantined.is_empty()
    assert [(kind, "AAA", *kept, None)] == in_force(lake)
    assert record(lake, *reversed(statements), at=SECOND).versions.is_empty()
    assert record(lake, {**statements[0], "action_id": "another"}, at=SECOND).versions.is_empty()


def test_contradicting_splits(lake: Lake) -> None:
    """Different ratios contradict: both are held back with their records, and what was in force stays."""
    record(lake, {**SPLIT, "action_id": "x"})
    statements = [{**SPLIT, "action_id": "x"}, {**SPLIT, "action_id": "y", "new_shares": 3.0}]
    changes = record(lake, *statements, at=SECOND)
    assert ["corporate_action_split_contradicts_another"] * 2 == reasons(changes)
    assert changes.versions.is_empty()
    assert [("forward_split", "AAA", 1.0, 2.0, None)] == in_force(lake)
    quarantine = lake.scan("equity_bars_quarantine").sort("reason").collect()
    assert ["2024-03-27"] * 2 == quarantine.get_column("date").to_list()
    assert '"new_shares":3.0' in "".join(quarantine.get_column("reason"))
    record(lake, statements[1], at=SECOND)  # the vendor decides: 1 for 3
    assert [("forward_split", "AAA", 1.0, 3.0, None)] == in_force(lake)
    assert lake.scan("equity_bars_quarantine").collect().is_empty()


def test_regular_and_special(lake: Lake) -> None:
    """Two payments of one day are two, also of the same amount; the same payment stated twice is one."""
    pay_day = date(2024, 4, 15)
    statements = [
        {**DIVIDEND, "action_id": "r", "pay_date": pay_day},
        {**DIVIDEND, "action_id": "repeated"},
        {**DIVIDEND, "action_id": "s", "special": True},
    ]
    record(lake, *statements)
    rows = dividends_of(actions_in_force(lake.scan("corporate_actions"))).sort("pay_date").collect()
    assert [(0.25, None), (0.25, pay_day)] == rows.select("cash_amount", "pay_date").rows()


def test_versions(lake: Lake) -> None:
    """A correction is the next version and says what changed; what was known before stays readable."""
    record(lake, {**DIVIDEND, "action_id": "d"}, {**SPLIT, "action_id": "x"})
    corrected = {**DIVIDEND, "action_id": "d", "cash_amount": 0.27, "pay_date": date(2024, 4, 15)}
    changes = record(lake, corrected, {**SPLIT, "action_id": "x"}, at=SECOND)
    assert [("d", 2, "pay_date from none to 2024-04-15; cash_amount from 0.25 to 0.27")] == changes.versions.select(
        "action_id", "version", "change"
    ).rows()
    assert 0.27 in in_force(lake)[0]
    assert 0.25 in in_force(lake, FIRST)[0]
    assert [] == in_force(lake, datetime(2024, 3, 31, tzinfo=UTC))
    validate_actions(lake.scan("corporate_actions").collect())


def test_correction_without_an_id(lake: Lake) -> None:
    """Without the vendor's id, source, kind, ticker and day identify the action, so a correction is its version."""
    record(lake, DIVIDEND)
    changes = record(lake, {**DIVIDEND, "cash_amount": 0.3}, at=SECOND)
    assert [(2, False)] == changes.versions.select("version", "withdrawn").rows()
    assert [("cash_dividend", "BBB", None, None, 0.3)] == in_force(lake)


def test_withdrawn_and_stated_again(lake: Lake) -> None:
    """What the vendor does not state any more is withdrawn; other windows stay; stated again it is in force again."""
    record(lake, {**SPLIT, "action_id": "x"}, {**DIVIDEND, "action_id": "d"})
    elsewhere = record_actions(lake, stated(), "polygon", date(2024, 4, 1), date(2024, 4, 30), SECOND)
    assert elsewhere.versions.is_empty()
    changes = record(lake, {**SPLIT, "action_id": "x"}, at=SECOND)
    assert [("d", 2, True)] == changes.versions.select("action_id", "version", "withdrawn").rows()
    assert [("forward_split", "AAA", 1.0, 2.0, None)] == in_force(lake)
    record(lake, {**SPLIT, "action_id": "x"}, {**DIVIDEND, "action_id": "d"}, at=SECOND)
    assert 2 == len(in_force(lake))


@pytest.mark.parametrize(("paid", "kept"), [(100, 1), (101, 2)])
def test_paid_later_than_was_asked_for(lake: Lake, paid: int, kept: int) -> None:
    """A vendor that lists dividends by payment is asked 100 days ahead: silence about a later one withdraws nothing."""
    late = {**DIVIDEND, "ticker": "CCC", "action_id": "c", "pay_date": END + timedelta(days=paid)}
    soon = {**DIVIDEND, "action_id": "b", "pay_date": END}
    record(lake, soon, late)
    record(lake, soon, at=SECOND)
    assert len(in_force(lake)) == kept


def test_moved_to_another_day(lake: Lake) -> None:
    """A corrected date moves the action, out of the window and back too: it is never in force twice."""
    record(lake, {**SPLIT, "action_id": "x"})
    moved = {**SPLIT, "action_id": "x", "effective_date": date(2024, 4, 5)}
    record(lake, at=SECOND)
    record_actions(lake, stated(moved), "polygon", date(2024, 4, 1), date(2024, 4, 30), SECOND)
    found = actions_in_force(lake.scan("corporate_actions")).select("effective_date", "version").collect()
    assert [(date(2024, 4, 5), 3)] == found.rows()


def test_another_vendor(lake: Lake) -> None:
    """The configured vendor decides on splits and dividends; other kinds are its own vendor's to withdraw."""
    spin_off = {"kind": "spin_off", "ticker": "AAA", "effective_date": DAY, "old_shares": 4.0, "new_shares": 1.0}
    record(
        lake,
        {**SPLIT, "action_id": "x", "source": "alpaca"},
        {**DIVIDEND, "action_id": "d", "source": "alpaca"},
        {**spin_off, "new_ticker": "NEW", "action_id": "o", "source": "alpaca"},
        source="alpaca",
    )
    changes = record(lake, {**SPLIT, "action_id": "p1"}, {**DIVIDEND, "cash_amount": 0.3}, at=SECOND)
    assert ["x"] == changes.versions.filter(pl.col("change").str.contains("source from alpaca"))["action_id"].to_list()
    assert [
        ("cash_dividend", "BBB", None, None, 0.3),
        ("forward_split", "AAA", 1.0, 2.0, None),
        ("spin_off", "AAA", 4.0, 1.0, None),
    ] == in_force(lake)


def test_a_stock_dividend_that_the_next_vendor_states_as_a_split(lake: Lake) -> None:
    """5 new shares for 100, then a split from 100 to 105: one event, so prices are divided by 1.05 once."""
    stock_dividend = {**SPLIT, "kind": "stock_dividend", "old_shares": 100.0, "new_shares": 5.0}
    record(lake, {**stock_dividend, "action_id": "x", "source": "alpaca"}, source="alpaca")
    record(lake, {**SPLIT, "old_shares": 100.0, "new_shares": 105.0}, at=SECOND)
    assert [("forward_split", "AAA", 100.0, 105.0, None)] == in_force(lake)


def test_an_empty_answer_withdraws_no_market(lake: Lake) -> None:
    """Of 21 dividends one is withdrawn; the other 20 stay in force when the vendor answers with nothing at all."""
    stated_before = [{**DIVIDEND, "ticker": f"B{number:02}", "action_id": f"d{number}"} for number in range(21)]
    record(lake, *stated_before)
    assert record(lake, *stated_before[1:], at=SECOND).versions.height == 1
    assert record(lake, at=SECOND).versions.is_empty()
    assert len(in_force(lake)) == 20


def test_a_vendor_that_has_nothing_withdraws_nothing(lake: Lake) -> None:
    """After a change to `files`, which states no actions, the split of the other vendor stays in force."""
    record(lake, SPLIT, DIVIDEND)
    before = in_force(lake)
    assert commit_batch(lake, fetch_batch(FilesOnly(), [DAY], lambda: None), SECOND).is_empty()
    assert len(before) == 2
    assert before == in_force(lake)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ticker": None}, "ticker_missing"),
        ({"ticker": " "}, "ticker_not_blank"),
        ({"effective_date": None}, "effective_date_missing"),
        ({"cash_amount": float("nan")}, "cash_amount_positive"),
        ({"cash_amount": -1.0}, "cash_amount_positive"),
        ({"cash_amount": None}, "cash_amount_of_its_kind"),
        ({"currency": "CAD"}, "cash_in_CAD"),
        ({"kind": "party"}, "kind_known"),
    ],
)
def test_invalid(lake: Lake, change: dict[str, Any], reason: str) -> None:
    """An invalid statement is held back with its reason, beside a valid one that is recorded."""
    changes = record(lake, {**DIVIDEND, **change}, {**SPLIT, "action_id": "x"})
    assert [f"corporate_action_{reason}"] == reasons(changes)
    assert ["x"] == changes.versions.get_column("action_id").to_list()
    assert record(lake, {**DIVIDEND, **change}, {**SPLIT, "action_id": "x"}, at=SECOND).versions.is_empty()
    assert 1 == lake.scan("equity_bars_quarantine").collect().height


def test_stock_dividend_is_a_split_of_prices(lake: Lake) -> None:
    """5 new shares for 100 are a split from 100 to 105."""
    record(lake, {**SPLIT, "kind": "stock_dividend", "old_shares": 100.0, "new_shares": 5.0})
    splits = splits_of(actions_in_force(lake.scan("corporate_actions"))).collect()
    assert [("AAA", DAY, 100.0, 105.0)] == splits.rows()


def test_tables_of_an_earlier_version(lake: Lake) -> None:
    """Old splits and dividends are moved once, as recorded at their session's collection; the vendor restates them."""
    splits = pl.DataFrame({"ticker": ["AAA"], "execution_date": [DAY], "split_from": [1.0], "split_to": [2.0]})
    dates = {"declaration_date": None, "record_date": None, "pay_date": None}
    dividends = pl.DataFrame({"ticker": ["BBB"], "ex_dividend_date": [DAY], "cash_amount": [0.25], **dates}).cast(
        dict.fromkeys(dates, pl.Date())
    )
    log = pl.DataFrame({"date": [date(2024, 3, 28)], "status": ["collected"], "rows": [1], "quarantined": [0]})
    collected = pl.lit(FIRST).cast(pl.Datetime("ms", "UTC"))
    lake.replace_days("splits", splits, DAY, DAY)
    lake.replace_days("dividends", dividends, DAY, DAY)
    lake.append("ingestion_sessions", log.with_columns(vendor_digest=pl.lit(""), collected_at=collected))
    assert [2, 0] == [migrate_actions(lake, SECOND), migrate_actions(lake, SECOND)]
    assert 2 == len(in_force(lake, FIRST))
    changes = record(lake, {**SPLIT, "action_id": "x"}, {**DIVIDEND, "action_id": "d"}, at=SECOND)
    assert changes.versions.is_empty()
    assert splits.equals(splits_of(actions_in_force(lake.scan("corporate_actions"))).collect())
