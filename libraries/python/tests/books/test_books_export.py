# beancount is partly typed
# pyright: reportUnknownMemberType=false
"""The exported ledger under beancount's own loader, and its first-in-first-out booking as an oracle of the lots."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from beancount import loader
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.books.beancount_export import GAINS, commodity, write_beancount
from internal.books.bookkeeping import keep_books
from internal.books.spin_offs import BasisDivision
from libraries.python.tests.books.books_kit import FIRST, Journal
from libraries.python.tests.books.test_bookkeeping import TRADES


def load(text: str) -> list[Any]:
    """The entries of a ledger in which beancount finds no error."""
    entries, errors, _ = loader.load_string(text)
    assert errors == [], (errors, text)
    return list(entries)


def gains_of(entries: list[Any]) -> Decimal:
    """What the ledger's transactions book as gains, positive."""
    postings = [posting for entry in entries for posting in getattr(entry, "postings", ())]
    return -sum((one.units.number for one in postings if one.account == GAINS), Decimal(0))


def every_kind() -> Journal:
    """Every kind of activity once, on longs and shorts."""
    return (
        Journal()
        .write(0, "CSD", amount="10000")
        .write(1, "FILL", "A", "3", price="10.0001")
        .write(2, "FILL", "A", "4", price="11.37")
        .write(2, "FILL", "F", "-7.5", price="33.33")
        .write(3, "SPLIT", "A", "7")
        .write(4, "FILL", "A", "-5", price="6.1")
        .write(4, "FEE", amount="-0.03", description='REG fee for proceed of $30.5 on "today"')
        .write(5, "FEE", "F", amount="-0.21", description="Borrow fee")
        .write(5, "DIV", "F", "-7.5", amount="-3.75")
        .write(5, "DIVROC", "A", amount="2.51")
        .write(5, "DIVROC", "F", amount="-1.7")
        .write(5, "INT", amount="-1.23")
        .write(6, "SPLIT", "A", "-6")
        .write(6, "CIL", "A", "0.5", amount="9.11")
        .write(7, "NC", "A", "-3")
        .write(7, "NC", "BF/B", "3")
        .write(8, "SPIN", "C", "1")
        .write(9, "MA", "BF/B", "-2", amount="5")
        .write(9, "MA", "D", "1")
        .write(10, "MA", "F", "7.5", amount="-240")
        .write(11, "JNLS", "E", "4", price="7.77")
        .write(12, "ACATS", "E", "-1", price="8")
        .write(13, "CSW", amount="-77.7")
        .write(14, "NEW", amount="0.5")
    )


@pytest.mark.parametrize("divisions", [[], [BasisDivision("BF/B", "C", FIRST + timedelta(days=8), Decimal("0.37"))]])
def test_every_kind_of_activity_balances(divisions: list[BasisDivision]) -> None:
    """Beancount finds no error in a ledger of every kind, its assertions of cash and shares included."""
    books = keep_books(every_kind().rows, divisions)
    entries = load(write_beancount(books))
    transferred = sum(dollars for (_, kind), dollars in books.income.items() if kind == "transfer")
    assert gains_of(entries) == sum(one.gain for one in books.disposals) + transferred
    assert load(write_beancount(keep_books([]))) == []


@pytest.mark.parametrize(
    ("ticker", "name"), [("AA", "AA"), ("A", "A-X"), ("BF/B", "BF-B"), ("brk.b", "BRK.B"), ("9X", "X9X")]
)
def test_commodities(ticker: str, name: str) -> None:
    """A ticker becomes a name that beancount reads."""
    assert commodity(ticker) == name


@settings(max_examples=40)
@given(st.lists(TRADES, max_size=15))
def test_lots_are_those_of_another_library(trades: list[tuple[str, int, int]]) -> None:
    """Beancount's own booking (FIFO), given only trades and prices, realises the same gains."""
    journal, held = Journal().write(0, "CSD", amount="100000"), {"A": 0, "B": 0}
    text = [f'{FIRST} open Assets:Shares AA,BB "FIFO"', f"{FIRST} open Assets:Cash", f"{FIRST} open {GAINS}"]
    for day, (ticker, quantity, price) in enumerate(trades, start=1):
        journal.write(day, "FILL", ticker, str(quantity), price=str(Decimal(price) / 100))
        closing = -held[ticker] if abs(quantity) > abs(held[ticker]) else quantity
        parts = (closing, quantity - closing) if held[ticker] * quantity < 0 else (quantity,)
        for part in filter(None, parts):
            text += [
                f'{FIRST + timedelta(days=day)} * "trade"',
                f"  Assets:Cash  {-part * Decimal(price) / 100:.2f} USD",
                f"  Assets:Shares  {part} {2 * ticker} "
                + (f"{{{Decimal(price) / 100:.2f} USD}}" if held[ticker] * part >= 0 else "{}"),
                f"  {GAINS}" if held[ticker] * part < 0 else "",
            ]
            held[ticker] += part
    books = keep_books(journal.rows)
    assert sum(one.gain for one in books.disposals) == gains_of(load("\n".join(text)))
    load(write_beancount(books))
