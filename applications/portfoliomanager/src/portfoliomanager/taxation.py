"""Realised gains as a tax form has them, with wash sales followed through splits and name changes."""

from internal.books.ledger import Books
from internal.books.tax_form import TaxRow, list_tax_rows
from internal.books.wash_sales import find_wash_sales
from internal.trading.corporate_actions import CorporateAction
from internal.trading.ports import MarketData


def list_gains(books: Books, data: MarketData, year: int | None) -> list[TaxRow]:
    """What was closed in the year, in all years without one; the data service is asked only where something was lost.

    Raises UnavailableError when it cannot be reached: without it, a loss may count that does not.
    """
    return list_tax_rows(find_wash_sales(books, _read_actions(books, data)), year)


def _read_actions(books: Books, data: MarketData) -> list[CorporateAction]:
    lost = [one for one in books.disposals if one.gain < 0]
    if not lost:
        return []
    opened = [lot.opened for lot in books.openings.values()]
    return list(data.corporate_actions(min(opened), max(*opened, *(one.closed for one in lost))))
