"""Alpaca's activity rows, as its documentation shows them and as they may come broken."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from internal.books.activities import Activity, ActivityKind
from internal.lake.store import Lake
from internal.trading.enums import Leg, OrderSide, OrderState
from internal.trading.memory_journal import MemoryJournal
from internal.trading.orders import Order
from portfoliomanager.account_books import AccountBooks
from portfoliomanager.adapters.alpaca_activities import read_activity
from portfoliomanager.adapters.lake_activities import LakeActivities

if TYPE_CHECKING:
    from internal.trading.ports import Broker, MarketData
    from portfoliomanager.ports import FundJournal

NO_DATA = cast("MarketData", None)  # there is no spin-off to be asked about
FILL = {
    "activity_type": "FILL",
    "id": "20190524113406977::8efc7b9a-8b2b-4000-9955-d36e7db0df74",
    "price": "1.63",
    "qty": "2",
    "side": "sell_short",
    "symbol": "LPCN",
    "transaction_time": "2019-05-24T15:34:06.977Z",
    "order_id": "904837e3-3b76-47ec-b432-046db621571b",
    "type": "fill",
}
DIVIDEND = {
    "activity_type": "DIV",
    "id": "20190801011955195::5f596936-6f23-4cef-bdf1-3806aae57dbf",
    "date": "2019-08-01",
    "net_amount": "1.02",
    "symbol": "T",
    "qty": "2",
    "per_share_amount": "0.51",
}


def test_rows_of_the_documentation() -> None:
    """A short sale brings 3.26; a dividend's time is that of its id, in New York; shares of a dividend do not move."""
    fill = read_activity(FILL, 1)
    assert (fill.quantity, fill.net_amount, fill.shares, fill.day) == (-2, Decimal("3.26"), -2, date(2019, 5, 24))
    assert fill.moment == datetime(2019, 5, 24, 15, 34, 6, 977000, UTC)
    dividend = read_activity(DIVIDEND, 2)
    assert (dividend.kind, dividend.net_amount, dividend.shares) == (ActivityKind.DIVIDEND, Decimal("1.02"), 0)
    assert dividend.moment == datetime(2019, 8, 1, 5, 19, 55, 195000, UTC)


def test_deposits_fees_and_types_to_come() -> None:
    """`created_at` is the moment; a row of a day alone begins with it; an unknown type is kept under its name."""
    deposit = {"activity_type": "CSD", "id": "a::b", "date": "2026-01-02", "net_amount": "50000", "status": "executed"}
    timed = read_activity(deposit | {"created_at": "2026-01-02T16:00:00.1234Z"}, 1)
    assert (timed.kind, timed.moment) == (ActivityKind.TRANSFER, datetime(2026, 1, 2, 16, 0, 0, 123000, UTC))
    assert read_activity(deposit, 1).moment == datetime(2026, 1, 2, 5, tzinfo=UTC)
    assert read_activity(deposit | {"status": "canceled"}, 1).net_amount == 0
    fee = {"activity_type": "FEE", "activity_sub_type": "TAF", "description": "TAF fee"}
    assert read_activity(deposit | fee, 1).kind is ActivityKind.FEE
    assert read_activity(deposit | fee | {"description": "Borrow fee"}, 1).kind is ActivityKind.BORROW
    new = read_activity(deposit | {"activity_type": "DTCS", "qty": None, "symbol": ""}, 1)
    assert (new.kind, new.type, new.ticker, new.quantity) == (ActivityKind.OTHER, "DTCS", None, 0)


@pytest.mark.parametrize(
    "broken",
    [
        {**FILL, "qty": "many"},
        {**FILL, "price": None},
        {**FILL, "side": 1},
        {**DIVIDEND, "date": "soon"},
        {**DIVIDEND, "net_amount": "nan"},
        {**DIVIDEND, "net_amount": True},
        {"activity_type": "DIV"},
    ],
)
def test_broken_rows_are_unreadable(broken: dict[str, Any]) -> None:
    """What the transport asks for again, and then reports."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        _ = read_activity(broken, 1)


def test_activities_come_back_from_the_lake(tmp_path: Path) -> None:
    """Exact decimals, and a row once however often it is saved."""
    store = LakeActivities(Lake(str(tmp_path)))
    assert store.read() == ()
    rows: list[Activity] = [read_activity(FILL, 1), read_activity({**DIVIDEND, "net_amount": "0.1"}, 2)]
    store.save(rows)
    store.save(rows[1:])
    assert LakeActivities(Lake(str(tmp_path))).read() == tuple(rows)
    store.replace(rows[:1])
    assert store.read() == tuple(rows[:1])


@dataclass
class Listed:
    """A feed of the same rows."""

    rows: Sequence[Activity]

    def read_new(self) -> Sequence[Activity]:
        """The rows."""
        return self.rows

    def forget(self) -> None:
        """Nothing: nothing is remembered."""


def test_steps_that_end_together_store_a_fill_once(tmp_path: Path) -> None:
    """The stream, an event and a route may each end a step at once: the fill is one row, and so in the books."""
    rows = [read_activity(DIVIDEND, 1), read_activity(FILL, 2)]
    store = LakeActivities(Lake(str(tmp_path)))
    store.save(rows[:1])
    books = AccountBooks(cast("Broker", None), Listed(rows), store, cast("FundJournal", None), NO_DATA)
    with ThreadPoolExecutor(8) as pool:
        _ = [step.result() for step in [pool.submit(books.record) for _ in range(8)]]
    assert list(LakeActivities(Lake(str(tmp_path))).read()) == rows


def test_income_of_received_shares_is_no_flow(tmp_path: Path) -> None:
    """Under CAPITAL: the dividend of shares that a spin-off gave the fund is its own; another's 1.02 are a flow."""
    journal, store = MemoryJournal(), LakeActivities(Lake(str(tmp_path)))
    given = Order(
        *("corporate-actions", date(2019, 7, 1), "T-add-0-1", "T", OrderSide.BUY, Leg.OPEN, 2.0, 30.0, "spin off"),
        datetime(2019, 7, 2, tzinfo=UTC),
        state=OrderState.FILLED,
        filled_quantity=2.0,
        filled_average_price=30.0,
    )
    journal.save_orders([given])
    store.save([read_activity(DIVIDEND, 1), read_activity({**DIVIDEND, "id": "b::b", "symbol": "X"}, 2)])
    books = AccountBooks(cast("Broker", None), Listed([]), store, journal, NO_DATA, others=True)
    (flow,) = books.flows()
    assert flow.amount == 1.02
