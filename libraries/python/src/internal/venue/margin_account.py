"""The account's arithmetic: positions, cash, equity, margin.

Knows what a fill does to cash and position, and what the book is worth at its marks. Knows nothing of why a fill
happened, of the clock, or of how the account is stored or shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Self

from internal.venue.money import ZERO, cents
from internal.venue.orders import Order

MAINTENANCE_RATE = Decimal("0.30")  # Alpaca's requirement for ordinary stocks, long and short
AVERAGE_STEP = Decimal("0.000000000001")
MARGIN_MINIMUM_EQUITY = Decimal(2000)  # FINRA Rule 4210(b)(4): below it neither margin nor shorts


@dataclass(frozen=True, slots=True)
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

    @property
    def market_value(self) -> Decimal:
        """Signed value at the mark, to the cent."""
        return cents(self.quantity * self.mark_price)

    @property
    def cost_basis(self) -> Decimal:
        """Signed value at the average entry price, to the cent."""
        return cents(self.quantity * self.average_entry_price)


@dataclass(frozen=True, slots=True)
class MarginAccount:
    """Cash in dollars (to the cent) and every position; the last two are of the previous session's close."""

    cash: Decimal
    last_equity: Decimal
    last_maintenance_margin: Decimal = ZERO
    positions: Mapping[str, Position] = field(default_factory=dict)

    @property
    def long_market_value(self) -> Decimal:
        """Dollars of all long positions."""
        return sum((held.market_value for held in self.positions.values() if held.quantity > 0), ZERO)

    @property
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

    def with_cash(self, amount: Decimal) -> Self:
        """The book after cash comes in (positive) or goes out (negative)."""
        return replace(self, cash=self.cash + amount)

    def with_position(self, position: Position) -> Self:
        """The book with the position put in place; a position of zero shares is gone."""
        others = {ticker: held for ticker, held in self.positions.items() if ticker != position.ticker}
        return replace(self, positions=others if position.quantity == 0 else {**others, position.ticker: position})


def fill_amount(signed_quantity: Decimal, price: Decimal) -> Decimal:
    """Dollars that a fill brings in (a sell, positive) or takes (a buy, negative), to the cent."""
    return -cents(signed_quantity * price)


def apply_fill(
    book: MarginAccount, ticker: str, signed_quantity: Decimal, price: Decimal, lastday_price: Decimal
) -> MarginAccount:
    """The book after one fill: average cost is kept while a position shrinks and averaged while it grows.

    `lastday_price` is the ticker's previous close, used when the fill opens the position.
    """
    held = book.positions.get(ticker) or Position(ticker, ZERO, price, price, lastday_price, ZERO)
    quantity = held.quantity + signed_quantity
    grows = abs(quantity) > abs(held.quantity)
    kept = quantity / held.quantity if held.quantity and not grows else Decimal(1)
    average = (
        ((held.quantity * held.average_entry_price + signed_quantity * price) / quantity).quantize(AVERAGE_STEP)
        if grows
        else held.average_entry_price
    )
    basis = held.intraday_basis + signed_quantity * price if grows else held.intraday_basis * kept
    moved = replace(held, quantity=quantity, average_entry_price=average, intraday_basis=basis)
    return book.with_cash(fill_amount(signed_quantity, price)).with_position(moved)


def apply_marks(book: MarginAccount, prices: Mapping[str, Decimal]) -> MarginAccount:
    """The book with its positions marked at the prices; a ticker without one (halted) keeps its last mark."""
    marked = {
        ticker: replace(held, mark_price=prices.get(ticker, held.mark_price)) for ticker, held in book.positions.items()
    }
    return replace(book, positions=marked)


def roll_day(book: MarginAccount) -> MarginAccount:
    """The book on the morning of a session: yesterday's marks become the previous close that today is measured from."""
    rolled = {
        ticker: replace(held, lastday_price=held.mark_price, intraday_basis=held.quantity * held.mark_price)
        for ticker, held in book.positions.items()
    }
    return replace(book, positions=rolled, last_equity=book.equity, last_maintenance_margin=book.maintenance_margin)


def multiplier(book: MarginAccount, max_margin_multiplier: int) -> int:
    """Dollars of position per dollar of equity: 2 under Regulation T, 1 below the minimum equity or by choice."""
    return min(2, max_margin_multiplier) if book.equity >= MARGIN_MINIMUM_EQUITY else 1


def reserved_amount(orders: Iterable[Order]) -> Decimal:
    """Dollars of buying power that open orders hold: what they would add to the book, at their reserve price."""
    return sum(
        (cents(order.remaining_at(order.reserve_price) * order.reserve_price) for order in orders if opens(order)), ZERO
    )


def opens(order: Order) -> bool:
    """Whether the order is open and adds to a position."""
    return order.is_open and order.position_intent.opens


def buying_power(book: MarginAccount, open_orders: Iterable[Order], max_margin_multiplier: int) -> Decimal:
    """Dollars of further positions that may be opened: multiplier x equity - gross positions - what orders hold."""
    power = multiplier(book, max_margin_multiplier) * book.equity - book.gross_market_value
    return max(power - reserved_amount(open_orders), ZERO)


def held_for_orders(open_orders: Iterable[Order], ticker: str) -> Decimal:
    """Shares of the position that open closing orders already speak for."""
    return sum(
        (
            order.remaining_at(order.reserve_price)
            for order in open_orders
            if order.ticker == ticker and order.is_open and not order.position_intent.opens
        ),
        ZERO,
    )
