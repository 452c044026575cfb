"""What a session's close charges the account: regulators' fees on sales, and borrow cost of short positions.

`multiple` scales a charge, for backtests that ask what remains at other costs; 1 leaves it as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from internal.venue.history import Movement, MovementKind
from internal.venue.margin_account import MarginAccount
from internal.venue.money import ONE, ZERO, cents, cents_up

SEC_FEE_RATE = Decimal("0.0000278")  # of a sale's dollars: SEC, Section 31 fee order for 2024 (27.80 a million)
TAF_FEE_RATE = Decimal("0.000166")  # dollars a share sold: FINRA By-Laws, Schedule A, Section 1, 2024
TAF_FEE_LIMIT = Decimal("8.30")  # dollars a trade, same source
BORROW_YEAR = 360  # days; the convention of US stock loans


@dataclass(frozen=True, slots=True)
class Sale:
    """One sell fill, as the regulators see it: shares, and dollars a share."""

    quantity: Decimal
    price: Decimal


def charge_fees(
    account: MarginAccount, sales: Sequence[Sale], multiple: Decimal = ONE
) -> tuple[MarginAccount, list[Movement]]:
    """The regulators' fees on a session's sales, charged once at its close, each rounded up to the cent."""
    sec, taf = regulatory_fees(sales, multiple)
    movements: list[Movement] = []
    if sec:
        proceeds = cents(sum((sale.quantity * sale.price for sale in sales), ZERO))
        movements.append(Movement(MovementKind.SEC_FEE, None, -sec, charged=proceeds))
    if taf:
        shares = sum((sale.quantity for sale in sales), ZERO)
        movements.append(Movement(MovementKind.TAF_FEE, None, -taf, charged=shares))
    return account.with_cash(-sec - taf) if movements else account, movements


def regulatory_fees(sales: Sequence[Sale], multiple: Decimal = ONE) -> tuple[Decimal, Decimal]:
    """SEC fee and TAF of a session's sales, dollars."""
    sec = cents_up(sum((sale.quantity * sale.price for sale in sales), ZERO) * SEC_FEE_RATE * multiple)
    taf = cents_up(sum((min(sale.quantity * TAF_FEE_RATE, TAF_FEE_LIMIT) for sale in sales), ZERO) * multiple)
    return sec, taf


def charge_borrow(
    account: MarginAccount, rates: Mapping[str, Decimal], nights: int, multiple: Decimal = ONE
) -> tuple[MarginAccount, list[Movement]]:
    """The cost of being short until the next session: market value x yearly borrow rate x nights / 360."""
    movements: list[Movement] = []
    total = ZERO
    for ticker in sorted(account.positions):
        held = account.positions[ticker]
        if held.quantity >= 0:
            continue
        cost = cents_up(-held.market_value * rates.get(ticker, ZERO) * multiple * nights / BORROW_YEAR)
        if cost:
            total += cost
            movements.append(Movement(MovementKind.BORROW_FEE, ticker, -cost, held.quantity, nights=nights))
    return account.with_cash(-total) if movements else account, movements
