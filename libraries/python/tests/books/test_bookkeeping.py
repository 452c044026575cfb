"""The books against hand calculations, and what must always hold: dollars and shares add up."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.books.activities import ActivityKind
from internal.books.bookkeeping import keep_books
from internal.books.ledger import ACCOUNT
from internal.books.profit import Profit, profit_by_name, sum_profits
from internal.books.spin_offs import divide_by_value
from internal.venue.action_processing import OpeningTerms, apply_action
from internal.venue.corporate_actions import CorporateAction
from internal.venue.margin_account import MarginAccount, apply_fill
from internal.venue.money import cents
from libraries.python.tests.books.books_kit import FIRST, Journal
from libraries.python.tests.venue.venue_kit import every_action


def D(text: str) -> Decimal:  # noqa: N802 - short for a column of them
    """A decimal."""
    return Decimal(text)


def test_oldest_shares_are_sold_first() -> None:
    """100 at 10, 100 at 12; 150 sold at 15: 100 x 5 + 50 x 3 gained, 50 at 12 left."""
    books = keep_books(
        Journal()
        .write(0, "CSD", amount="5000")
        .write(1, "FILL", "A", "100", price="10")
        .write(2, "FILL", "A", "100", price="12")
        .write(3, "FILL", "A", "-150", price="15")
        .rows
    )
    assert [(one.gain, one.proceeds, one.cost) for one in books.disposals] == [
        (D("500"), D("1500"), D("1000")),
        (D("150"), D("750"), D("600")),
    ]
    assert (books.shares, books.basis) == ({"A": D("50")}, {"A": D("600")})
    assert (books.cash, books.flows) == (D("5050"), D("5000"))


def test_a_sale_beyond_the_position_opens_a_short_one() -> None:
    """100 bought at 10, 130 sold at 12, 30 bought back at 11: 200 and 30 gained."""
    books = keep_books(
        Journal()
        .write(0, "FILL", "A", "100", price="10")
        .write(1, "FILL", "A", "-130", price="12")
        .write(2, "FILL", "A", "30", price="11")
        .rows
    )
    assert [(one.gain, one.is_short) for one in books.disposals] == [(D("200"), False), (D("30"), True)]
    assert (books.shares, books.cash) == ({}, D("230"))


def test_a_merger_that_is_listed_twice() -> None:
    """100 bought for 1,000 leave twice and 50 come: no error; the shares are those that came, and it is noted."""
    journal = Journal().write(0, "FILL", "A", "100", price="10").write(1, "MA", "A", "-100")
    books = keep_books(journal.write(1, "MA", "A", "-100").write(1, "MA", "B", "50").rows)
    assert (books.shares, books.cash) == ({"B": D("50")}, D("-1000"))
    assert any("-100 A, of which the books hold none any more" in note for note in books.notes)


def test_dividends_interest_and_charges_by_name() -> None:
    """A short position pays the dividend; a fee that names borrowing is borrow cost; a deposit is no income."""
    rows = (
        Journal()
        .write(0, "JNLC", amount="1000")
        .write(0, "FILL", "A", "-10", price="20")
        .write(1, "DIV", "A", "-10", amount="-5")
        .write(1, "FEE", amount="-0.02", sub_type="TAF", description="TAF fee")
        .write(1, "FEE", "A", amount="-0.31", description="Borrow fee for 10 shares of A")
        .write(1, "FEE", amount="-0.01", sub_type="CAT", description="CAT fee")
        .write(2, "INT", amount="0.70")
        .write(2, "DIVWH", "B", amount="-0.40")
        .write(3, "XYZ", "B", "3", amount="1.5")
        .rows
    )
    books = keep_books(rows)
    profits = profit_by_name(books, {"A": D("-210")}, {"A": D("2.5")})
    assert profits["A"] == Profit(price=D("-7.5"), slippage=D("-2.5"), dividend=D("-5"), borrow=D("-0.31"))
    assert profits["B"] == Profit(dividend=D("-0.40"), other=D("1.5"))
    assert profits[ACCOUNT] == Profit(fee=D("-0.03"), interest=D("0.70"))
    assert sum_profits(profits).total == books.cash - 210 - 1000
    assert "XYZ" in books.notes[0]
    assert books.shares == {"A": D("-10")}


def bought() -> Journal:
    """100 at 10 and 50 at 13 of A: a basis of 1,650."""
    return Journal().write(0, "FILL", "A", "100", price="10").write(1, "FILL", "A", "50", price="13")


@pytest.mark.parametrize("rows", [[("300",)], [("-150",), ("450",)]])
def test_a_split_keeps_the_basis(rows: list[tuple[str]]) -> None:
    """Three for one, stated as 300 more, or as 150 out and 450 in."""
    journal = bought()
    for (quantity,) in rows:
        journal.write(5, "SPLIT", "A", quantity)
    books = keep_books(journal.rows)
    assert [(lot.quantity, lot.basis) for lot in books.lots["A"]] == [(D("300"), D("1000")), (D("150"), D("650"))]


@pytest.mark.parametrize("change", ["-143", "-142.5"])
def test_cash_for_a_fraction_sells_it(change: str) -> None:
    """One for twenty of 150 shares: 7 and a half; the half is paid with 55, its basis is 1,000 / 5 / 2 = 100."""
    books = keep_books(bought().write(5, "SPLIT", "A", change).write(5, "CIL", "A", "0.5", amount="55").rows)
    assert books.shares == {"A": D("7")}
    (paid,) = books.disposals
    assert (paid.lot.quantity, paid.gain) == (D("0.5"), D("-45"))


def test_a_rename_keeps_lots_and_days() -> None:
    """A becomes B, share for share, in whichever order the two rows come."""
    for rows in permutations([("A", "-150"), ("B", "150")]):
        journal = bought()
        for ticker, quantity in rows:
            journal.write(5, "NC", ticker, quantity)
        books = keep_books(journal.rows)
        assert [(lot.quantity, lot.basis, (lot.opened - FIRST).days) for lot in books.lots["B"]] == [
            (D("100"), D("1000"), 0),
            (D("50"), D("650"), 1),
        ]
        assert "A" not in books.lots


def test_mergers_for_cash_for_shares_and_for_both() -> None:
    """12 a share in cash: 150 gained. Half a share of B: the basis moves. B and 2 a share: the basis falls by it."""
    cash = keep_books(bought().write(9, "MA", "A", "-150", amount="1800").rows)
    assert (sum(one.gain for one in cash.disposals), cash.shares) == (D("150"), {})
    stock = keep_books(bought().write(9, "MA", "A", "-150").write(9, "MA", "B", "75").rows)
    assert (stock.disposals, stock.shares, stock.basis) == ((), {"B": D("75")}, {"B": D("1650")})
    both = keep_books(bought().write(9, "MA", "A", "-150", amount="300").write(9, "MA", "B", "75").rows)
    assert (both.disposals, both.shares, both.basis) == ((), {"B": D("75")}, {"B": D("1350")})
    assert keep_books(bought().write(9, "REORG", "A", "-150").rows).disposals[0].gain == D("-1000")


def test_several_mergers_of_one_day() -> None:
    """A for shares of B, C for shares of D, and E for cash: each takes what is listed with it."""
    journal = Journal()
    for ticker, price in (("A", "10"), ("C", "20"), ("E", "30")):
        journal.write(0, "FILL", ticker, "10", price=price)
    journal.write(1, "MA", "E", "-10", amount="350", sub_type="CMA")
    for old, new in (("A", "B"), ("C", "D")):
        journal.write(1, "MA", old, "-10", sub_type="SMA").write(1, "MA", new, "5", sub_type="SMA")
    books = keep_books(journal.rows)
    assert books.basis == {"B": D("100"), "D": D("200")}
    assert [(one.lot.ticker, one.gain) for one in books.disposals] == [("E", D("50"))]


def test_a_merger_and_the_acquirers_new_name_on_one_day() -> None:
    """10 of A bought for 100 become 5 of B, which is renamed C with the 20 that were held: whichever comes first."""
    journal = Journal().write(0, "FILL", "A", "10", price="10").write(0, "FILL", "B", "20", price="20")
    journal.write(1, "MA", "A", "-10").write(1, "MA", "B", "5").write(1, "NC", "B", "-25").write(1, "NC", "C", "25")
    assert keep_books(journal.rows).basis == {"C": D("500")}
    journal = Journal().write(0, "FILL", "A", "10", price="10")
    journal.write(1, "NC", "A", "-10").write(1, "NC", "B", "10").write(1, "MA", "B", "-10").write(1, "MA", "C", "5")
    assert keep_books(journal.rows).basis == {"C": D("100")}


def test_an_acquirer_that_is_acquired_on_one_day() -> None:
    """10 of B become 5 of C; then 4 of B come for the 2 of A, and leave for 30 dollars: 10 more than A's basis."""
    journal = Journal().write(0, "FILL", "A", "2", price="10").write(0, "FILL", "B", "10", price="20")
    journal.write(1, "MA", "B", "-10", sub_type="SMA").write(1, "MA", "C", "5", sub_type="SMA")
    journal.write(1, "MA", "A", "-2", sub_type="SCMA").write(1, "MA", "B", "4", sub_type="SCMA")
    books = keep_books(journal.write(1, "REORG", "B", "-4", amount="30").rows)
    assert (books.basis, [one.gain for one in books.disposals]) == ({"C": D("200")}, [D("10")])


def test_a_short_that_pays_more_than_it_brought() -> None:
    """10 sold short at 10; 130 are paid and 5 of B are owed: a loss of 30, and B has no basis left."""
    journal = Journal().write(0, "FILL", "A", "-10", price="10").write(1, "MA", "A", "10", amount="-130")
    books = keep_books(journal.write(1, "MA", "B", "-5").rows)
    assert (books.shares, books.basis, [one.gain for one in books.disposals]) == (
        {"B": D("-5")},
        {"B": D("0")},
        [D("-30")],
    )


@pytest.mark.parametrize(("paid", "basis", "gain"), [("300", "1350", "0"), ("2000", "0", "350")])
def test_a_return_of_capital_lowers_the_basis(paid: str, basis: str, gain: str) -> None:
    """2 dollars on each of 150 shares come off the 1,650 that they cost; what is above the basis is a gain."""
    books = keep_books(bought().write(9, "DIVROC", "A", "150", amount=paid).rows)
    assert (books.basis["A"], books.shares["A"], books.income) == (D(basis), D("150"), {})
    assert sum(one.gain for one in books.disposals) == D(gain)


def test_a_return_of_capital_on_a_short_sale() -> None:
    """The short sale of 10 at 20 brought 200, of which 5 go to the lender: bought back at 15 it gained 45."""
    journal = Journal().write(0, "FILL", "A", "-10", price="20").write(9, "DIVROC", "A", "-10", amount="-5")
    books = keep_books(journal.write(12, "FILL", "A", "10", price="15").rows)
    assert [one.gain for one in books.disposals] == [D("45")]
    late = keep_books(journal.write(13, "DIVROC", "A", amount="1").rows)
    assert late.income == {("A", "return_of_capital"): D("1")}


def test_a_spin_off_has_no_basis_and_says_so() -> None:
    """50 of C come with 150 of A; what they are worth is a gain of C until somebody divides the basis."""
    books = keep_books(bought().write(9, "SPIN", "C", "50").rows)
    assert (books.shares["C"], books.basis["C"]) == (D("50"), D("0"))
    assert "Form 8937" in books.notes[0]


def test_a_spin_off_takes_its_part_of_the_basis() -> None:
    """A is worth 9 after it, a third of a share of C another 3: a quarter of each lot's basis goes, and its days.

    Taken back by the broker, it comes back.
    """
    division = divide_by_value("A", "C", FIRST + timedelta(days=9), ratio=D("1") / 3, prices=(D("9"), D("9")))
    books = keep_books(bought().write(10, "SPIN", "C", "50").rows, [division])
    assert [(lot.quantity.quantize(D("0.01")), lot.basis) for lot in books.lots["C"]] == [
        (D("33.33"), D("250")),
        (D("16.67"), D("162.5")),
    ]
    assert [lot.basis for lot in books.lots["A"]] == [D("750"), D("487.5")]
    assert [lot.opened for lot in books.lots["C"]] == [lot.opened for lot in books.lots["A"]]
    assert (books.cash, books.notes, books.disposals) == (D("-1650"), (), ())
    short = Journal().write(0, "FILL", "A", "-30", price="12").write(10, "SPIN", "C", "-10")
    assert keep_books(short.rows, [division]).basis == {"A": D("-270"), "C": D("-90")}
    undone = keep_books(bought().write(10, "SPIN", "C", "50").write(11, "SPIN", "C", "-50").rows, [division])
    assert (undone.basis, undone.disposals) == ({"A": D("1650")}, ())


def test_transferred_shares_are_flows_at_their_price() -> None:
    """40 of A come at 11, 20 leave at 15: flows of 440 and -300, and 20 x 4 or 5 gained before they left."""
    books = keep_books(Journal().write(0, "JNLS", "A", "40", price="11").write(5, "ACATS", "A", "-20", price="15").rows)
    assert (books.flows, books.shares, books.basis) == (D("140"), {"A": D("20")}, {"A": D("220")})
    assert books.income == {("A", ActivityKind.TRANSFER): D("80")}
    assert keep_books(Journal().write(0, "JNLS", "A", "40").rows).notes


@given(
    st.sampled_from(every_action(FIRST)),
    st.decimals(-500, 500, places=3).filter(bool),
    st.none() | st.decimals(-300, 300, places=0).filter(bool),
    st.sampled_from([None, "0.01", "61.2345", "4000"]),
    st.booleans(),
)
def test_the_venue_and_the_books_agree_on_corporate_actions(
    action: CorporateAction,
    quantity: Decimal,
    other: Decimal | None,
    price: str | None,
    fractionable: bool,  # noqa: FBT001 - hypothesis gives it by position
) -> None:
    """Every kind on longs and shorts, with shares of the acquirer held: cash, shares and dollars of the venue."""
    held = {action.ticker: quantity, **({"BUYR": other} if other else {})}
    account, journal = MarginAccount(Decimal(0), Decimal(0)), Journal()
    for ticker, shares in held.items():
        journal.write(0, "FILL", ticker, str(shares), price="100")
        account = apply_fill(account, ticker, shares, Decimal(100), Decimal(100))
    opening = OpeningTerms(lambda _: None if price is None else Decimal(price), lambda _: fractionable)
    account, movements = apply_action(account, action, opening)
    for one in movements:
        row = (one.activity_type.value, one.ticker, str(one.quantity or 0), str(one.net_amount))
        journal.write(1, *row, sub_type=one.activity_sub_type or "")
    books = keep_books(journal.rows)
    assert (books.cash, books.shares) == (
        account.cash,
        {name: one.quantity for name, one in sorted(account.positions.items())},
    )
    values = {ticker: one.market_value for ticker, one in account.positions.items()}
    assert sum_profits(profit_by_name(books, values, {})).total == account.equity


SHARES = st.integers(-120, 120).filter(bool)
TRADES = st.tuples(st.sampled_from("AB"), SHARES, st.integers(100, 9999))


@given(st.lists(TRADES, max_size=25), st.lists(st.tuples(st.integers(0, 25), st.sampled_from([2, 3, 10])), max_size=3))
def test_profits_and_flows_are_the_value(trades: list[tuple[str, int, int]], splits: list[tuple[int, int]]) -> None:
    """Whatever was traded and split: kinds and flows sum to cash plus positions, and lots to the position."""
    journal = Journal().write(0, "CSD", amount="100000")
    held = {"A": Decimal(0), "B": Decimal(0)}
    for place, (ticker, quantity, price) in enumerate(trades):
        for _, times in (one for one in splits if one[0] == place):
            journal.write(place, "SPLIT", "A", str(held["A"] * (times - 1)))
            held["A"] *= times
        journal.write(place, "FILL", ticker, str(quantity), price=str(Decimal(price) / 100))
        held[ticker] += quantity
    books = keep_books(journal.rows)
    assert {ticker: books.shares.get(ticker, Decimal(0)) for ticker in held} == held
    values = {ticker: cents(shares * Decimal("12.345")) for ticker, shares in held.items()}
    profit = sum_profits(profit_by_name(books, values, {}))
    assert profit.total + books.flows == books.cash + sum(values.values())
    assert all(lot.quantity * held[ticker] > 0 for ticker, lots in books.lots.items() for lot in lots)
