"""The account's arithmetic against hand calculations and invariants."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from internal.venue.margin_account import (
    MarginAccount,
    apply_fill,
    apply_marks,
    buying_power,
    margin_multiplier,
    roll_day,
)

FILLS = st.lists(
    st.tuples(
        st.sampled_from(["AAA", "BBB"]),
        st.integers(-500, 500).filter(bool).map(Decimal),
        st.integers(100, 5_000_000).map(lambda value: Decimal(value) / 10_000),
    ),
    max_size=30,
)


def opened(cash: str = "100000") -> MarginAccount:
    """A book with cash alone."""
    return MarginAccount(Decimal(cash), Decimal(cash))


def test_long_by_hand() -> None:
    """100 at 10, 100 at 20, sell 150 at 30: average 15, cash 100000 - 3000 + 4500, 50 shares left at 30."""
    book = opened()
    for quantity, price in ((100, 10), (100, 20), (-150, 30)):
        book = apply_fill(book, "AAA", Decimal(quantity), Decimal(price), Decimal(10))
    held = apply_marks(book, {"AAA": Decimal(30)}).positions["AAA"]
    assert (Decimal(50), Decimal(15), Decimal(101500)) == (held.quantity, held.average_entry_price, book.cash)
    assert (Decimal(1500), Decimal(750)) == (held.market_value, held.cost_basis)


def test_short_by_hand() -> None:
    """Short 100 at 50, mark 40: market value -4000, equity up by 1000, cash up by the proceeds."""
    book = apply_marks(apply_fill(opened(), "AAA", Decimal(-100), Decimal(50), Decimal(50)), {"AAA": Decimal(40)})
    assert (Decimal(105000), Decimal(-4000), Decimal(101000)) == (book.cash, book.short_market_value, book.equity)


def test_intraday_basis_by_hand() -> None:
    """Ten shares overnight from a close of 100, ten more today at 110, mark 120: 200 + 100 of today's profit."""
    book = roll_day(
        apply_marks(apply_fill(opened(), "AAA", Decimal(10), Decimal(90), Decimal(90)), {"AAA": Decimal(100)})
    )
    held = apply_marks(
        apply_fill(book, "AAA", Decimal(10), Decimal(110), Decimal(100)), {"AAA": Decimal(120)}
    ).positions["AAA"]
    assert Decimal(300) == held.market_value - held.intraday_basis
    assert Decimal(100) == held.lastday_price


def test_buying_power_by_hand() -> None:
    """Regulation T on 100,000: 200,000 of positions; 30,000 long and 30,000 short leave 140,000."""
    book = apply_fill(
        apply_fill(opened(), "AAA", Decimal(300), Decimal(100), Decimal(100)),
        "BBB",
        Decimal(-300),
        Decimal(100),
        Decimal(100),
    )
    assert (Decimal(200000), Decimal(140000)) == (buying_power(opened(), [], 2), buying_power(book, [], 2))
    assert Decimal(100000) == buying_power(opened(), [], 1)
    assert (1, 2) == (margin_multiplier(opened("1999.99"), 4), margin_multiplier(opened("2000"), 4))


@given(FILLS)
def test_equity_is_cash_plus_positions(fills: list[tuple[str, Decimal, Decimal]]) -> None:
    """Whatever is filled: positions are the sum of fills, cash is the opening less what fills cost, no dust remains."""
    book, cost = opened(), Decimal(0)
    for ticker, quantity, price in fills:
        book = apply_fill(book, ticker, quantity, price, price)
        cost += (quantity * price).quantize(Decimal("0.01"))
    totals = {ticker: sum(quantity for name, quantity, _ in fills if name == ticker) for ticker in ("AAA", "BBB")}
    assert {ticker: total for ticker, total in totals.items() if total} == {
        ticker: held.quantity for ticker, held in book.positions.items()
    }
    assert Decimal(100000) - cost == book.cash
    assert book.equity == book.cash + sum((held.market_value for held in book.positions.values()), Decimal(0))


@given(st.integers(1, 500), st.integers(1, 500), FILLS)
def test_average_entry_price_between_its_fills(
    first: int, second: int, fills: list[tuple[str, Decimal, Decimal]]
) -> None:
    """Adding to a position averages between the prices paid; reducing it never moves the average."""
    book = apply_fill(
        apply_fill(opened(), "CCC", Decimal(first), Decimal(10), Decimal(10)),
        "CCC",
        Decimal(second),
        Decimal(20),
        Decimal(10),
    )
    average = book.positions["CCC"].average_entry_price
    expected = Decimal(first * 10 + second * 20) / Decimal(first + second)
    assert abs(average - expected) < Decimal("1e-9")
    reduced = apply_fill(book, "CCC", Decimal(-1), fills[0][2] if fills else Decimal(5), Decimal(10))
    assert reduced.quantity_of("CCC") == 0 or reduced.positions["CCC"].average_entry_price == average
