"""Opening balances: what an account holds without an activity that says why, as the first rows of its books."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from internal.books.activities import OPENING_TYPE, Activity
from internal.books.bookkeeping import keep_books
from internal.dates import cut_to_milliseconds, exchange_day
from internal.venue.money import ZERO, cents


@dataclass(frozen=True, slots=True)
class Holding:
    """Signed shares that the broker shows, and their average entry price in dollars."""

    ticker: str
    quantity: Decimal
    entry_price: Decimal


def find_openings(
    activities: Sequence[Activity], moment: datetime, cash: Decimal, holdings: Iterable[Holding]
) -> list[Activity]:
    """What the account holds beyond its activities, dated before them; the cash always, though it may be nothing.

    Args:
        activities: All that the broker lists.
        moment: Now, UTC.
        cash: The broker's cash, dollars.
        holdings: The broker's positions.
    """
    books = keep_books(activities)
    first = min([moment, *(row.moment for row in activities)])
    opening = Activity(
        activity_id="opening:cash",
        type=OPENING_TYPE,
        sub_type="",
        moment=cut_to_milliseconds(first),
        day=exchange_day(first),
        ticker=None,
        quantity=ZERO,
        price=None,
        net_amount=cents(cash) - books.cash,
        order_id="",
        description="what the account held without an activity that says why",
        number=0,
    )
    shares = [
        replace(
            opening,
            activity_id=f"opening:{held.ticker}",
            ticker=held.ticker,
            quantity=missing,
            price=held.entry_price,
            net_amount=ZERO,
        )
        for held in holdings
        if (missing := held.quantity - books.shares.get(held.ticker, ZERO))
    ]
    return [opening, *shares]
