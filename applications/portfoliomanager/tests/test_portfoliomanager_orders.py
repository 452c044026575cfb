"""Orders, the book and performance on frames: ids, plans, cuts, splits, cost; answers worked out by hand."""

import re
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.dates import next_session
from internal.schemas import orders as orders_schema
from internal.schemas import portfolios as portfolios_schema
from portfoliomanager import book, orders, performance
from portfoliomanager.policy import Policy
from portfoliomanager.ports import BROKER_POSITION_COLUMNS, COST_COLUMNS
from portfoliomanager.risk import LOCKED
from portfoliomanager.sending import book_updates

DAY = date(2024, 3, 15)
MOMENT = datetime(2024, 3, 15, 20, tzinfo=UTC)
POLICY = Policy()


def make_order(ticker: str, side: str, leg: str, quantity: float, price: float, **changes: object) -> pl.DataFrame:
    """One row of the orders frame, planned unless changed."""
    row = {
        "portfolio_id": "p",
        "date": DAY,
        "client_order_id": orders.client_order_id("account", str(changes.get("date", DAY)), ticker, leg, 0),
        "ticker": ticker,
        "side": side,
        "leg": leg,
        "quantity": quantity,
        "reference_price": price,
        "order_type": "market",
        "time_in_force": "day",
        "state": "planned",
        "broker_order_id": None,
        "filled_quantity": 0.0,
        "filled_average_price": None,
        "reason": "",
        "updated_at": MOMENT,
    }
    return pl.DataFrame([row | changes], schema=orders_schema.COLUMNS)


def make_holding(ticker: str, side: str, quantity: float, price: float, reason: str = "in band") -> pl.DataFrame:
    """One held row of the portfolios frame."""
    row = {
        "portfolio_id": "p",
        "date": DAY,
        "ticker": ticker,
        "side": side,
        "action": "hold",
        "quantity": quantity,
        "dollar_amount": quantity * price,
        "reference_price": price,
        "opened_date": date(2024, 3, 1),
        "entry_price": price,
        "quantile_10": None,
        "quantile_50": None,
        "quantile_90": None,
        "reason": reason,
        "model_version": "m",
        "bars_version": 1,
    }
    return pl.DataFrame([row], schema=portfolios_schema.COLUMNS)


def broker_positions(**quantities: float) -> pl.DataFrame:
    """The broker's positions: signed shares by ticker."""
    rows = [{"ticker": ticker, "quantity": quantity} for ticker, quantity in quantities.items()]
    return pl.DataFrame(rows, schema=BROKER_POSITION_COLUMNS)


words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


@settings(max_examples=200)
@given(words, words, words, st.sampled_from(["open", "close"]), st.integers(0, 999))
def test_ids_fit_and_repeat(account: str, portfolio: str, ticker: str, leg: str, revision: int) -> None:
    """Whatever the names are, an id is one that the broker takes, and the same again for the same order."""
    identity = orders.client_order_id(account, portfolio, ticker, leg, revision)
    assert re.fullmatch(r"[A-Za-z0-9-]{1,48}", identity)
    assert identity == orders.client_order_id(account, portfolio, ticker, leg, revision)


def test_ids_differ() -> None:
    """Every part of what an order is changes its id, also where the readable part is the same."""
    parts = [
        ("a", "p", "BRK.B", "open", 0),
        ("b", "p", "BRK.B", "open", 0),
        ("a", "q", "BRK.B", "open", 0),
        ("a", "p", "BRKB", "open", 0),
        ("a", "p", "BRK.B", "close", 0),
        ("a", "p", "BRK.B", "open", 1),
    ]
    assert len({orders.client_order_id(*part) for part in parts}) == len(parts)


def test_plan_by_hand() -> None:
    """A new long buys, a new short sells, closed and cut positions trade back what they lose, kept ones nothing."""
    decided = pl.DataFrame(
        [
            ("A", "long", "open", 10.0, 0.0, 20.0, "rank 1"),
            ("B", "short", "open", 5.0, 0.0, 40.0, "rank 9"),
            ("C", "long", "close", 0.0, 7.5, 10.0, "left its band"),
            ("D", "short", "close", 0.0, 3.0, 10.0, "left its band"),
            ("E", "short", "hold", 6.0, 8.0, 10.0, "cut"),
            ("F", "long", "hold", 6.0, 6.0, 10.0, "in band"),
        ],
        schema=["ticker", "side", "action", "quantity", "held", "reference_price", "reason"],
        orient="row",
    )
    plan = orders.plan(decided, "account", "p", DAY, MOMENT).sort("ticker")
    assert plan.select("ticker", "side", "leg", "quantity").rows() == [
        ("A", "buy", "open", 10.0),
        ("B", "sell", "open", 5.0),
        ("C", "sell", "close", 7.5),
        ("D", "buy", "close", 3.0),
        ("E", "buy", "close", 2.0),
    ]


def test_refused_short_cuts_new_longs() -> None:
    """Of 1,000 dollars of shorts 400 were refused: new longs worth 1,000 go down to 600, in whole shares, once."""
    plan = pl.concat(
        [
            make_order("S", "sell", "open", 6, 100.0, state="submitted"),
            make_order("T", "sell", "open", 4, 100.0, state="rejected"),
            make_order("L", "buy", "open", 50, 10.0),
            make_order("M", "buy", "open", 5, 100.0),
        ]
    )
    cut = orders.cut_to_shorts(plan, portfolios_schema.empty(), "account", POLICY, MOMENT)
    assert cut.sort("ticker").select("ticker", "quantity", "state").rows() == [
        ("L", 30.0, "planned"),
        ("M", 3.0, "planned"),
    ]
    after = pl.concat([plan.join(cut, on="client_order_id", how="anti"), cut])
    assert orders.cut_to_shorts(after, portfolios_schema.empty(), "account", POLICY, MOMENT).is_empty()


def test_refused_short_trims_held_longs() -> None:
    """With no new long to cut, held longs are trimmed by what the short side did not get; locked ones are not."""
    plan = make_order("T", "sell", "open", 4, 100.0, state="rejected")
    held = pl.concat([make_holding("H", "long", 100, 10.0), make_holding("K", "long", 50, 10.0, LOCKED)])
    cut = orders.cut_to_shorts(plan, held, "account", POLICY, MOMENT)
    assert cut.select("ticker", "side", "leg", "quantity", "state").rows() == [("H", "sell", "close", 40.0, "planned")]
    applied = orders.applied(held, pl.concat([plan, cut]))
    assert applied.select("ticker", "quantity", "dollar_amount").rows() == [("H", 60.0, 600.0), ("K", 50.0, 500.0)]


def test_all_shorts_refused_drops_the_longs() -> None:
    """A long with no share left is dropped, and the portfolio says that nothing is held of it."""
    plan = pl.concat(
        [make_order("T", "sell", "open", 4, 100.0, state="rejected"), make_order("L", "buy", "open", 40, 10.0)]
    )
    cut = orders.cut_to_shorts(plan, portfolios_schema.empty(), "account", POLICY, MOMENT)
    assert cut.select("ticker", "state").rows() == [("L", "dropped")]


def test_fills_are_booked_once() -> None:
    """The broker's running totals: the same answer a second time changes no row."""
    sent = make_order("A", "buy", "open", 10, 20.0, state="submitted")
    update = {"client_order_id": sent.item(0, "client_order_id"), "state": "filled", "broker_order_id": "b"} | {
        "broker_quantity": 10.0,
        "filled_quantity": 10.0,
        "filled_average_price": 21.0,
    }
    booked = book_updates(sent, [update], MOMENT)
    assert booked.select("state", "filled_quantity", "filled_average_price").rows() == [("filled", 10.0, 21.0)]
    assert book_updates(booked, [update], MOMENT).is_empty()


def test_split_of_an_open_order_keeps_its_dollars() -> None:
    """The broker doubled an open order for a 2-for-1 split: quantity doubles, reference price halves."""
    sent = make_order("A", "buy", "open", 10, 20.0, state="submitted")
    update = {"client_order_id": sent.item(0, "client_order_id"), "state": "submitted", "broker_quantity": 20.0}
    assert book_updates(sent, [update], MOMENT).select("quantity", "reference_price").rows() == [(20.0, 10.0)]


def filled(  # noqa: PLR0913, PLR0917 - an order in one line
    ticker: str, side: str, leg: str, quantity: float, price: float, day: date = DAY
) -> pl.DataFrame:
    """A filled order decided on a day."""
    return make_order(
        *(ticker, side, leg, quantity, price),
        date=day,
        state="filled",
        filled_quantity=quantity,
        filled_average_price=price,
    )


def test_book_after_split_and_partial_close() -> None:
    """100 bought at 40, a 4-for-1 split, 100 sold: 300 are ours at an entry of 10; 50 more are foreign."""
    later = date(2024, 3, 20)
    journal = pl.concat([filled("A", "buy", "open", 100, 40.0), filled("A", "sell", "close", 100, 11.0, later)])
    splits = pl.DataFrame([("A", date(2024, 3, 19), 1.0, 4.0)], schema=book.NO_SPLITS.schema, orient="row")
    found = book.own(journal, broker_positions(A=350, Z=-5), splits, book.NO_FACTORS, book.NO_BANDS)
    position = found.positions.select("ticker", "quantity", "opened_date", "entry_price").rows()
    assert position == [("A", 300.0, next_session(DAY), 10.0)]
    assert found.foreign.rows() == [("A", 50.0), ("Z", -5.0)]


def test_book_starts_anew_after_the_account_was_flattened() -> None:
    """Longs that somebody closed by hand leave no ghost: the short opened later is ours, whole."""
    later = date(2024, 4, 1)
    journal = pl.concat([filled("A", "buy", "open", 10, 40.0), filled("A", "sell", "open", 10, 44.0, later)])
    found = book.own(journal, broker_positions(A=-10), book.NO_SPLITS, book.NO_FACTORS, book.NO_BANDS)
    assert found.positions.select("quantity", "entry_price").rows() == [(-10.0, 44.0)]
    assert found.foreign.is_empty()


def test_entry_price_counts_dividends() -> None:
    """The factor of the entry's session, adjusted over raw close, takes the entry price to today's terms."""
    factors = pl.DataFrame([("A", next_session(DAY), 0.98)], schema=book.NO_FACTORS.schema, orient="row")
    found = book.own(
        filled("A", "buy", "open", 10, 50.0), broker_positions(A=10), book.NO_SPLITS, factors, book.NO_BANDS
    )
    assert found.positions.item(0, "entry_price") == pytest.approx(49.0)


def test_cost_by_hand() -> None:
    """Bought 1 dollar above and sold short 2 below the decision's close: 10 x 1 + 5 x 2 = 20 dollars of slippage."""
    journal = pl.concat(
        [
            filled("A", "buy", "open", 10, 51.0).with_columns(reference_price=pl.lit(50.0)),
            filled("B", "sell", "open", 5, 98.0).with_columns(reference_price=pl.lit(100.0)),
        ]
    )
    rows = [("1", DAY, "fees", 0.5), ("2", DAY, "borrow", 1.25), ("3", DAY, "fees", 0.25)]
    costs = pl.DataFrame(rows, schema=COST_COLUMNS, orient="row")
    assert performance.realized_cost(journal, costs) == {"slippage": 20.0, "fees": 0.75, "borrow": 1.25}


def test_report_by_hand() -> None:
    """100, 120, 90, 108: a return of 8 % and a fall of 25 % from the peak."""
    values = [100.0, 120.0, 90.0, 108.0]
    points = dict.fromkeys(performance.POINT_COLUMNS[2:], 0.0)
    moments = [datetime(2024, 3, day, 20, tzinfo=UTC) for day in (4, 5, 6, 7)]
    snapshots = pl.DataFrame({"timestamp": moments, "net_asset_value": values}).with_columns(
        pl.lit(value).alias(name) for name, value in points.items()
    )
    report = performance.report(snapshots.sample(fraction=1.0, shuffle=True, seed=3))
    assert report["return"] == pytest.approx(0.08)
    assert report["maximum_drawdown"] == pytest.approx(0.25)
    assert [point["net_asset_value"] for point in report["points"]] == values
