"""What a session's close charges the account: regulators' fees on sales, and borrow cost of short positions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from internal.venue.history import Movement
from internal.venue.margin_account import MarginAccount
from internal.venue.money import ZERO, cents, cents_up, plain

SEC_FEE_RATE = Decimal("0.0000278")  # of a sale's dollars: SEC, Section 31 fee order for 2024 (27.80 a million)
TAF_FEE_RATE = Decimal("0.000166")  # dollars a share sold: FINRA By-Laws, Schedule A, Section 1, 2024
TAF_FEE_LIMIT = Decimal("8.30")  # dollars a trade, same source
BORROW_YEAR = 360  # days; the convention of US stock loans


@dataclass(frozen=True, slots=True)
class Sale:
    """One sell fill, as the regulators see it."""

    quantity: Decimal
    price: Decimal


def charge_fees(book: MarginAccount, sales: Iterable[Sale], session: date) -> tuple[MarginAccount, list[Movement]]:
    """The regulators' fees on a session's sales, charged once at its close, each rounded up to the cent."""
    sales = list(sales)
    sec, taf = regulatory_fees(sales)
    proceeds = plain(cents(sum((sale.quantity * sale.price for sale in sales), ZERO)))
    shares = plain(sum((sale.quantity for sale in sales), ZERO))
    movements = [
        Movement("FEE", None, -fee, words)
        for fee, words in (
            (sec, f"REG fee for proceed of ${proceeds} on {session.isoformat()}"),
            (taf, f"TAF fee for proceed of {shares} shares on {session.isoformat()}"),
        )
        if fee
    ]
    return book.with_cash(-sec - taf), movements


def regulatory_fees(sales: Iterable[Sale]) -> tuple[Decimal, Decimal]:
    """SEC fee and TAF of a session's sales, dollars."""
    sales = list(sales)
    sec = cents_up(sum((sale.quantity * sale.price for sale in sales), ZERO) * SEC_FEE_RATE)
    taf = cents_up(sum((min(sale.quantity * TAF_FEE_RATE, TAF_FEE_LIMIT) for sale in sales), ZERO))
    return sec, taf


def charge_borrow(
    book: MarginAccount, rates: Mapping[str, Decimal], session: date, nights: int
) -> tuple[MarginAccount, list[Movement]]:
    """The cost of being short until the next session: market value x yearly borrow rate x nights / 360."""
    movements = []
    for ticker, held in sorted(book.positions.items()):
        cost = cents_up(-held.market_value * rates.get(ticker, ZERO) * nights / BORROW_YEAR)
        if held.quantity < 0 and cost:
            words = (
                f"Borrow fee for {plain(-held.quantity)} shares of {ticker}, {nights} nights from {session.isoformat()}"
            )
            movements.append(Movement("FEE", ticker, -cost, words, held.quantity))
    return book.with_cash(sum((movement.net_amount for movement in movements), ZERO)), movements
