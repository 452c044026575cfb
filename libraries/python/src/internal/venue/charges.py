"""What a session's close charges the account: fees on trades, borrow cost of short positions, interest on a debit.

`multiple` scales a charge, for backtests that ask what remains at other costs; 1 leaves it as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

from internal.venue.history import Movement, MovementKind
from internal.venue.margin_account import MarginAccount
from internal.venue.money import ONE, ZERO, cents, cents_up
from internal.venue.orders import Side

SEC_FEE_RATE = Decimal("0.0000278")  # of a sale's dollars: SEC, Section 31 fee order for 2024 (27.80 a million)
TAF_FEE_RATE = Decimal("0.000166")  # dollars a share sold: FINRA By-Laws, Schedule A, Section 1, 2024
TAF_FEE_LIMIT = Decimal("8.30")  # dollars a trade, same source
CAT_FEE_RATE = Decimal("0.0000265")  # dollars a share bought or sold: Alpaca's regulatory fees, CAT fee 2025-2
CAT_FEE_SINCE = date(2025, 7, 1)  # the first session of that rate; what was charged before is not simulated
BORROW_YEAR = 360  # days; the convention of US stock loans and margin debits
MARGIN_RATE = Decimal("0.07")  # a year, on a debit: an assumption, brokers follow the federal funds rate


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill, as the regulators see it: shares, and dollars a share."""

    side: Side
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class RegulatoryFees:
    """The fees of a session's trades, dollars, each rounded up to the cent."""

    sec: Decimal
    taf: Decimal
    cat: Decimal

    @property
    def total(self) -> Decimal:
        """All of them."""
        return self.sec + self.taf + self.cat


def charge_fees(
    account: MarginAccount, trades: Sequence[Trade], session: date, multiple: Decimal = ONE
) -> tuple[MarginAccount, list[Movement]]:
    """The regulators' fees on a session's trades, charged once at its close."""
    fees, sales = regulatory_fees(trades, session, multiple), _sales(trades)
    proceeds = cents(sum((sale.quantity * sale.price for sale in sales), ZERO))
    charges = (
        (MovementKind.SEC_FEE, fees.sec, proceeds),
        (MovementKind.TAF_FEE, fees.taf, sum((sale.quantity for sale in sales), ZERO)),
        (MovementKind.CAT_FEE, fees.cat, _whole_shares(trades)),
    )
    movements = [Movement(kind, None, -fee, charged=charged) for kind, fee, charged in charges if fee]
    return account.with_cash(-fees.total) if movements else account, movements


def regulatory_fees(trades: Sequence[Trade], session: date, multiple: Decimal = ONE) -> RegulatoryFees:
    """SEC fee and TAF on what was sold, CAT fee on whatever was traded."""
    sales = _sales(trades)
    sec = sum((sale.quantity * sale.price for sale in sales), ZERO) * SEC_FEE_RATE
    taf = sum((min(sale.quantity * TAF_FEE_RATE, TAF_FEE_LIMIT) for sale in sales), ZERO)
    cat = _whole_shares(trades) * CAT_FEE_RATE if session >= CAT_FEE_SINCE else ZERO
    return RegulatoryFees(*(cents_up(fee * multiple) for fee in (sec, taf, cat)))


def _sales(trades: Sequence[Trade]) -> list[Trade]:
    return [trade for trade in trades if trade.side is Side.SELL]


def _whole_shares(trades: Sequence[Trade]) -> Decimal:
    """The shares traded, of each trade rounded up to a whole one."""
    return sum((trade.quantity.to_integral_value(ROUND_CEILING) for trade in trades), ZERO)


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


def charge_interest(
    account: MarginAccount, nights: int, multiple: Decimal = ONE
) -> tuple[MarginAccount, list[Movement]]:
    """The cost of owing cash until the next session: debit x yearly rate x nights / 360."""
    debit = max(-account.cash, ZERO)
    cost = cents_up(debit * MARGIN_RATE * multiple * nights / BORROW_YEAR)
    if not cost:
        return account, []
    return account.with_cash(-cost), [Movement(MovementKind.MARGIN_INTEREST, None, -cost, charged=debit, nights=nights)]
