"""Activities for the tests of the books: a journal that says what happened in one line each."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from internal.books.activities import Activity
from internal.venue.margin_account import fill_amount

FIRST = date(2025, 1, 2)


class Journal:
    """Activities, numbered as they are written; `day` counts from FIRST."""

    def __init__(self) -> None:
        self.rows: list[Activity] = []

    def write(  # noqa: PLR0913, PLR0917 - one argument a field
        self,
        day: int,
        kind: str,
        ticker: str | None = None,
        quantity: str = "0",
        amount: str = "0",
        price: str | None = None,
        *,
        sub_type: str = "",
        description: str = "",
        order_id: str = "",
    ) -> "Journal":
        """An activity; a fill's amount follows from its shares and its price."""
        number, when = len(self.rows) + 1, FIRST + timedelta(days=day)
        shares, dollars = Decimal(quantity), None if price is None else Decimal(price)
        cash = fill_amount(shares, dollars) if kind == "FILL" and dollars is not None else Decimal(amount)
        moment = datetime(when.year, when.month, when.day, 15, tzinfo=UTC)
        self.rows.append(
            Activity(
                *(f"{number}", kind, sub_type, moment, when, ticker, shares, dollars, cash),
                *(order_id, description, number),
            )
        )
        return self
