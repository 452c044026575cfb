"""The margin account's arithmetic: positions, cash, equity, buying power."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from internal.venue.money import ZERO, cents
from internal.venue.orders import Order, OrderStatus

MAINTENANCE_RATE = Decimal("0.30")  # Alpaca's requirement for ordinary stocks, long and short

AVERAGE_STEP = Decimal("0.000000000001")
MARGIN_MINIMUM_EQUITY = Decimal(2000)  # FINRA Rule 4210(b)(4): below it neither margin nor shorts


@dataclass(frozen=True)
class Position:
    """Shares held (negative when short) and the prices they are measured at, in dollars a share.

    `intraday_basis` is the signed value, in dollars, at which today's profit starts: last close for shares held
    overnight, fill prices for shares of today.
    """

    ticker: str
    quantity: Decimal
    average_entry_price: Decimal
    mark_price: Decimal
    lastday_price: Decimal
    intraday_basis: Decimal

    @cached_property
    def market_value(self) -> Decimal:
        """Signed value at the mark, to the cent."""
        return cents(self.quantity * self.mark_price)

    @property
    def cost_basis(self) -> Decimal:
        """Signed value at the average entry price, to the cent."""
        return cents(self.quantity * self.average_entry_price)

    def marked_at(self, price: Decimal) -> "Position":
        """The position measured at another price."""
        return Position(
            self.ticker, self.quantity, self.average_entry_price, price, self.lastday_price, self.intraday_basis
        )

    def rolled(self) -> "Position":
        """The position on the next morning: its mark is the last close, and today's profit starts from there."""
        basis = self.quantity * self.mark_price
        return Position(self.ticker, self.quantity, self.average_entry_price, self.mark_price, self.mark_price, basis)


@dataclass(frozen=True)
class MarginAccount:
    """Cash in dollars (to the cent) and every position; the last two are of the previous session's close."""

    cash: Decimal
    last_equity: Decimal
    last_maintenance_margin: Decimal = ZERO
    positions: Mapping[str, Position] = field(default_factory=dict[str, Position])

    @cached_property
    def long_market_value(self) -> Decimal:
        """Dollars of all long positions."""
        return sum((held.market_value for held in self.positions.values() if held.quantity > 0), ZERO)

    @cached_property
    def short_market_value(self) -> Decimal:
        """Dollars of all short positions, negative."""
        return sum((held.market_value for held in self.positions.values() if held.quantity < 0), ZERO)

    @property
    def equity(self) -> Decimal:
        """Cash plus the market value of every position."""
        return self.cash + self.long_market_value + self.short_market_value

    @property
    def gross_market_value(self) -> Decimal:
        """Dollars of longs plus dollars of shorts, both positive."""
        return self.long_market_value - self.short_market_value

    @property
    def maintenance_margin(self) -> Decimal:
        """Equity that the positions need at least."""
        return cents(self.gross_market_value * MAINTENANCE_RATE)

    def quantity_of(self, ticker: str) -> Decimal:
        """Shares held, negative when short, zero when there is no position."""
        held = self.positions.get(ticker)
        return held.quantity if held is not None else ZERO

    def with_cash(self, amount: Decimal) -> "MarginAccount":
        """The account after cash comes in (positive) or goes out (negative)."""
        return MarginAccount(self.cash + amount, self.last_equity, self.last_maintenance_margin, self.positions)

    def with_positions(self, positions: Mapping[str, Position]) -> "MarginAccount":
        """The account with other positions."""
        return MarginAccount(self.cash, self.last_equity, self.last_maintenance_margin, positions)

    def with_position(self, position: Position) -> "MarginAccount":
        """The account with the position put in place; a position of zero shares is gone."""
        if position.quantity == 0:
            return self.without_position(position.ticker)
        return self.with_positions({**self.positions, position.ticker: position})

    def without_position(self, ticker: str) -> "MarginAccount":
        """The account without the ticker's position."""
        return self.with_positions({name: held for name, held in self.positions.items() if name != ticker})


def fill_amount(signed_quantity: Decimal, price: Decimal) -> Decimal:
    """Dollars that a fill brings in (a sell, positive) or takes (a buy, negative), to the cent."""
    return -cents(signed_quantity * price)


def apply_fill(
    account: MarginAccount, ticker: str, signed_quantity: Decimal, price: Decimal, lastday_price: Decimal
) -> MarginAccount:
    """The account after one fill: average cost is kept while a position shrinks and averaged while it grows.

    `lastday_price` is the ticker's previous close, used when the fill opens the position.
    """
    held = account.positions.get(ticker) or Position(ticker, ZERO, price, price, lastday_price, ZERO)
    quantity = held.quantity + signed_quantity
    if abs(quantity) > abs(held.quantity):
        cost = held.quantity * held.average_entry_price + signed_quantity * price
        average = (cost / quantity).quantize(AVERAGE_STEP)
        basis = held.intraday_basis + signed_quantity * price
    else:
        average = held.average_entry_price
        basis = held.intraday_basis * (quantity / held.quantity if held.quantity else Decimal(1))
    moved = Position(ticker, quantity, average, held.mark_price, held.lastday_price, basis)
    return account.with_cash(fill_amount(signed_quantity, price)).with_position(moved)


def apply_marks(account: MarginAccount, prices: Mapping[str, Decimal]) -> MarginAccount:
    """The account with its positions marked at the prices; a ticker without one (halted) keeps its last mark."""
    marked = {
        ticker: held if (price := prices.get(ticker)) is None else held.marked_at(price)
        for ticker, held in account.positions.items()
    }
    return account.with_positions(marked)


def roll_day(account: MarginAccount) -> MarginAccount:
    """The account on the morning of a session: yesterday's marks become the previous close."""
    return MarginAccount(
        cash=account.cash,
        last_equity=account.equity,
        last_maintenance_margin=account.maintenance_margin,
        positions={ticker: held.rolled() for ticker, held in account.positions.items()},
    )


def margin_multiplier(account: MarginAccount, chosen: int) -> int:
    """Dollars of position per dollar of equity: 2 under Regulation T, 1 below the minimum equity or by choice."""
    return min(2, chosen) if account.equity >= MARGIN_MINIMUM_EQUITY else 1


def reserved_amount(orders: Iterable[Order]) -> Decimal:
    """Dollars of buying power that open orders hold: what they would add to the positions, at their reserve price."""
    return sum((order.reserved_amount for order in orders), ZERO)


def buying_power(account: MarginAccount, open_orders: Iterable[Order], chosen_multiplier: int) -> Decimal:
    """Dollars of further positions that may be opened: multiplier x equity - gross positions - what orders hold."""
    power = margin_multiplier(account, chosen_multiplier) * account.equity - account.gross_market_value
    return max(power - reserved_amount(open_orders), ZERO)


def shares_held_for_orders(open_orders: Iterable[Order], ticker: str) -> Decimal:
    """Shares of the position that open closing orders already speak for."""
    return sum(
        (
            order.remaining_at(order.reserve_price)
            for order in open_orders
            if order.ticker == ticker
            and order.is_open
            and order.status is not OrderStatus.HELD
            and not order.position_intent.opens
        ),
        ZERO,
    )
