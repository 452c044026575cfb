"""Wash sales against the examples of IRS Publication 550 and hand calculations; Form 8949's rows."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.action_kinds import ActionKind
from internal.books.bookkeeping import keep_books
from internal.books.tax_form import Term, list_tax_rows
from internal.books.wash_sales import TaxedDisposal, find_wash_sales
from internal.trading.corporate_actions import CorporateAction
from libraries.python.tests.books.books_kit import FIRST, Journal
from libraries.python.tests.books.test_bookkeeping import TRADES


def taxed(journal: Journal) -> list[TaxedDisposal]:
    """The disposals of a journal, taxed."""
    return find_wash_sales(keep_books(journal.rows))


def test_the_example_of_publication_550() -> None:
    """100 shares for 1,000, sold for 750; within 30 days 100 are bought for 800: 250 are disallowed, basis 1,050."""
    journal = (
        Journal()
        .write(0, "FILL", "X", "100", price="10")
        .write(60, "FILL", "X", "-100", price="7.5")
        .write(80, "FILL", "X", "100", price="8")
        .write(200, "FILL", "X", "-100", price="12")
    )
    first, second = list_tax_rows(taxed(journal), None)
    assert (first.code, first.adjustment, first.gain) == ("W", Decimal(250), Decimal(0))
    assert (second.code, second.cost, second.gain) == ("", Decimal(1050), Decimal(150))
    assert second.date_acquired == FIRST + timedelta(days=20)  # 60 days earlier than it was bought


@pytest.mark.parametrize(("bought", "disallowed"), [(29, 0), (30, 250), (60, 250), (90, 250), (91, 0)])
def test_thirty_days_before_and_after(bought: int, disallowed: int) -> None:
    """Shares of the 30th day count, those of the 31st do not; more of them were bought than sold."""
    journal = Journal().write(0, "FILL", "X", "100", price="10")
    for day, quantity, price in sorted([(60, "-100", "7.5"), (bought, "150", "8")]):
        journal.write(day, "FILL", "X", quantity, price=price)
    assert [one.disallowed for one in taxed(journal)] == [disallowed]


def test_fewer_shares_bought_than_sold() -> None:
    """40 of 100 are replaced: 40 per cent of the loss of 250; other names and the same purchase replace nothing."""
    journal = (
        Journal()
        .write(0, "FILL", "X", "130", price="10")
        .write(60, "FILL", "X", "-100", price="7.5")
        .write(61, "FILL", "Y", "100", price="8")
        .write(62, "FILL", "X", "40", price="8")
    )
    assert [one.disallowed for one in taxed(journal)] == [Decimal(100)]


def test_a_replacement_counts_once() -> None:
    """Two losses of 50 shares each, 60 bought between them: 50 of the first and 10 of the second are replaced."""
    journal = (
        Journal()
        .write(0, "FILL", "X", "100", price="10")
        .write(60, "FILL", "X", "-50", price="8")
        .write(62, "FILL", "X", "60", price="9")
        .write(64, "FILL", "X", "-50", price="8")
    )
    assert [one.disallowed for one in taxed(journal)] == [Decimal(100), Decimal(20)]


def split(ticker: str, day: int, new: float) -> CorporateAction:
    """`new` shares for one."""
    return CorporateAction(ActionKind.FORWARD_SPLIT, ticker, FIRST + timedelta(days=day), 1.0, new)


@pytest.mark.parametrize(
    ("bought", "quantity", "disallowed"),
    [(62, "80", "100"), (62, "200", "250"), (62, "500", "250"), (58, "40", "100"), (60, "40", "100"), (61, "40", "50")],
)
def test_a_split_between_sale_and_purchase(bought: int, quantity: str, disallowed: str) -> None:
    """100 are sold at a loss of 250 on day 60, two for one on day 61: a share bought since replaces half a share."""
    journal = Journal().write(0, "FILL", "X", "100", price="10")
    for day, shares, price in sorted([(60, "-100", "7.5"), (bought, quantity, "8")]):
        journal.write(day, "FILL", "X", shares, price=price)
    rows = find_wash_sales(keep_books(journal.rows), [split("X", 61, 2.0), split("Y", 61, 3.0)])
    assert sum(one.disallowed for one in rows) == Decimal(disallowed)


def test_a_new_name_between_sale_and_purchase() -> None:
    """Sold as X and bought as Z, which X is called since: replaced; a Z of before the change was another's."""
    journal = (
        Journal()
        .write(0, "FILL", "X", "100", price="10")
        .write(59, "FILL", "Z", "10", price="8")
        .write(60, "FILL", "X", "-100", price="7.5")
        .write(62, "FILL", "Z", "40", price="8")
    )
    rename = CorporateAction(ActionKind.NAME_CHANGE, "X", FIRST + timedelta(days=61), new_ticker="Z")
    left = CorporateAction(ActionKind.NAME_CHANGE, "Z", FIRST + timedelta(days=60), new_ticker="Z.A")
    rows = find_wash_sales(keep_books(journal.rows), [rename, left])
    assert [one.disallowed for one in rows] == [Decimal(100)]


def test_a_loss_on_a_short_sale() -> None:
    """A short of 10 is bought back at a loss of 20, and sold short again two days later."""
    journal = (
        Journal()
        .write(0, "FILL", "X", "-10", price="10")
        .write(60, "FILL", "X", "10", price="12")
        .write(62, "FILL", "X", "-10", price="13")
    )
    (row,) = list_tax_rows(taxed(journal), 2025)
    assert (row.proceeds, row.cost, row.adjustment, row.gain) == (Decimal(100), Decimal(120), Decimal(20), Decimal(0))
    assert (row.term, row.date_acquired) == (Term.SHORT, row.date_sold)
    assert list_tax_rows(taxed(journal), 2024) == []


@pytest.mark.parametrize(("days", "term"), [(365, Term.SHORT), (366, Term.LONG)])
def test_a_year_is_short_and_a_day_more_is_long(days: int, term: Term) -> None:
    """Bought on 2 January 2025: short-term up to 2 January 2026, long-term from the 3rd."""
    journal = Journal().write(0, "FILL", "X", "1", price="1").write(days, "FILL", "X", "-1", price="2")
    assert [row.term for row in list_tax_rows(taxed(journal), None)] == [term]


@given(st.lists(TRADES, max_size=25))
def test_disallowed_losses_are_moved_not_lost(trades: list[tuple[str, int, int]]) -> None:
    """Once everything is closed, what was disallowed was added to the basis of what was closed, to the cent."""
    journal, held = Journal(), {"A": 0, "B": 0}
    for day, (ticker, quantity, price) in enumerate(trades):
        journal.write(day, "FILL", ticker, str(quantity), price=str(Decimal(price) / 100))
        held[ticker] += quantity
    for ticker, quantity in held.items():
        if quantity:
            journal.write(200, "FILL", ticker, str(-quantity), price="50")
    rows = taxed(journal)
    assert sum(one.disallowed for one in rows) == sum(one.added_basis for one in rows)
    assert sum(one.gain for one in rows) == sum(one.disposal.gain for one in rows)
    assert all(one.disallowed <= max(-one.disposal.gain + one.added_basis, Decimal(0)) for one in rows)
