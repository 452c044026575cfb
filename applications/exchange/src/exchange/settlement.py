"""What a session does to the account besides fills: splits, dividends, delistings, fees, borrow cost.

Knows the rules and rates, given the book, the orders and the day's events. Knows nothing of matching, of storage, or of
where events come from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from exchange.account import Book, Position
from exchange.money import ZERO, cents, cents_up, is_whole, plain, round_shares
from exchange.orders import Order, Side

SEC_FEE_RATE = Decimal("0.0000278")  # of a sale's dollars: SEC, Section 31 fee order for 2024 (27.80 a million)
TAF_FEE_RATE = Decimal("0.000166")  # dollars a share sold: FINRA By-Laws, Schedule A, Section 1, 2024
TAF_FEE_LIMIT = Decimal("8.30")  # dollars a trade, same source
BORROW_YEAR = 360  # days; the convention of US stock loans


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of cash that is no fill. `quantity` and `price` are None where Alpaca's row has none."""

    activity_type: str
    ticker: str | None
    net_amount: Decimal
    description: str
    quantity: Decimal | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Sale:
    """One sell fill, as the regulators see it."""

    quantity: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class Split:
    """A ticker's split: every `split_from` shares become `split_to`."""

    ticker: str
    split_from: Decimal
    split_to: Decimal

    def shares(self, quantity: Decimal) -> Decimal:
        """Shares after the split, fractions included."""
        return quantity * self.split_to / self.split_from

    def price(self, price: Decimal) -> Decimal:
        """A price after the split."""
        return price * self.split_from / self.split_to


def apply_split(book: Book, split: Split) -> tuple[Book, list[Movement]]:
    """The book after a split: whole positions stay whole, the rest of a share is paid in cash."""
    held = book.positions.get(split.ticker)
    if held is None:
        return book, []
    exact = split.shares(held.quantity)
    quantity = round_shares(exact, whole=is_whole(held.quantity))
    scaled = _split_position(held, quantity, split)
    words = f"{plain(split.split_to)} for {plain(split.split_from)} split of {split.ticker}"
    movements = [Movement("SPLIT", split.ticker, ZERO, words, quantity - held.quantity)]
    cash_in_lieu = cents((exact - quantity) * split.price(held.mark_price))
    if cash_in_lieu:
        movements.append(Movement("CIL", split.ticker, cash_in_lieu, f"Cash in lieu, {words}", exact - quantity))
    return book.with_cash(cash_in_lieu).with_position(scaled), movements


def _split_position(held: Position, quantity: Decimal, split: Split) -> Position:
    return replace(
        held,
        quantity=quantity,
        average_entry_price=split.price(held.average_entry_price),
        mark_price=split.price(held.mark_price),
        lastday_price=split.price(held.lastday_price),
        intraday_basis=quantity * split.price(held.lastday_price),
    )


def split_order(order: Order, split: Split) -> Order | None:
    """An open order after a split of its ticker; None when it must be canceled (part filled, or nothing left of it)."""
    quantity = order.quantity
    if quantity is not None:
        quantity = round_shares(split.shares(quantity), whole=is_whole(quantity))
    if order.filled_quantity or quantity == 0:
        return None
    limit_price = None if order.limit_price is None else _split_limit(split.price(order.limit_price), order.side)
    return replace(order, quantity=quantity, limit_price=limit_price, reserve_price=split.price(order.reserve_price))


def _split_limit(price: Decimal, side: Side) -> Decimal:
    """A limit after a split, moved to the next allowed price that is no worse for the client."""
    step = Decimal("0.01") if price >= 1 else Decimal("0.0001")
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    return max((price / step).to_integral_value(rounding=rounding) * step, step)


def apply_dividend(book: Book, ticker: str, cash_amount: Decimal) -> tuple[Book, list[Movement]]:
    """A cash dividend on its ex-date: longs of the night before receive it, shorts owe it. Booked at once."""
    quantity = book.quantity_of(ticker)
    amount = cents(quantity * cash_amount)
    if not amount:
        return book, []
    words = f"Cash dividend of {plain(cash_amount)} a share of {ticker}"
    return book.with_cash(amount), [Movement("DIV", ticker, amount, words, quantity, cash_amount)]


def apply_delisting(book: Book, ticker: str) -> tuple[Book, list[Movement]]:
    """A delisted ticker's position turns into cash at its last price."""
    held = book.positions.get(ticker)
    if held is None:
        return book, []
    words = f"{ticker} was delisted; position closed at its last price"
    movement = Movement("REORG", ticker, held.market_value, words, -held.quantity, held.mark_price)
    return book.with_cash(held.market_value).with_position(replace(held, quantity=ZERO)), [movement]


def charge_fees(book: Book, sales: Iterable[Sale], session: date) -> tuple[Book, list[Movement]]:
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


def charge_borrow(book: Book, rates: Mapping[str, Decimal], session: date, nights: int) -> tuple[Book, list[Movement]]:
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
