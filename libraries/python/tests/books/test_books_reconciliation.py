"""Reconciliation: equal books have no difference, and each difference names its cause."""

from decimal import Decimal

from internal.books.bookkeeping import keep_books
from internal.books.reconciliation import Difference, DifferenceKind, ExpectedFill, reconcile_books
from libraries.python.tests.books.books_kit import Journal

ORDERS = [
    ExpectedFill("order-1", "A", Decimal(10), Decimal("5.25")),
    ExpectedFill("order-2", "B", Decimal(-4), Decimal(20)),
]


def two_orders() -> Journal:
    """10 of A bought in two fills and 4 of B sold short, out of 1,000 dollars."""
    return (
        Journal()
        .write(0, "CSD", amount="1000")
        .write(1, "FILL", "A", "6", price="5.25", order_id="order-1")
        .write(1, "FILL", "A", "4", price="5.25", order_id="order-1")
        .write(2, "FILL", "B", "-4", price="20", order_id="order-2")
    )


def find(journal: Journal, cash: str, **positions: str) -> list[Difference]:
    """The differences between a journal and a broker."""
    held = {ticker: Decimal(quantity) for ticker, quantity in positions.items()}
    return reconcile_books(keep_books(journal.rows), journal.rows, Decimal(cash), held, ORDERS)


def test_books_that_agree() -> None:
    """1,000 less 52.50 plus 80."""
    assert find(two_orders(), "1027.50", A="10", B="-4") == []


def test_a_missing_fill_is_named() -> None:
    """The second fill of order 1 is not among the activities: 4 shares and 21 dollars."""
    journal = two_orders()
    del journal.rows[2]
    shares, cash = find(journal, "1027.50", A="10", B="-4")
    assert (shares.kind, shares.ticker, shares.amount) == (DifferenceKind.SHARES, "A", Decimal(4))
    assert shares.causes == ["no FILL says that order order-1 filled 4 A"]
    assert (cash.kind, cash.amount) == (DifferenceKind.CASH, Decimal(-21))
    assert "order-1 moved -21.00 dollars" in cash.causes[0]


def test_a_missing_dividend_and_an_unknown_position() -> None:
    """One cent too much names the cent; a position that no activity explains is named."""
    (cash,) = find(two_orders(), "1027.51", A="10", B="-4")
    assert cash.causes == ["an activity that moved 0.01 dollars is missing"]
    shares, _ = find(two_orders(), "1000", A="10", B="-4", C="3")
    assert shares.ticker == "C"
    assert "missing" in shares.causes[0]


def test_an_unknown_type_is_a_cause() -> None:
    """An activity of a new type moved shares: the difference names it."""
    (shares,) = find(two_orders().write(3, "NEW", "A", "5"), "1027.50", A="15", B="-4")
    assert "NEW of 2025-01-05 moved 5 shares" in shares.causes[0]
