"""What corporate actions do to the account and its open orders: splits, dividends, delistings."""

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from internal.venue.history import Movement
from internal.venue.margin_account import MarginAccount, Position
from internal.venue.money import ZERO, cents, is_whole, plain, round_shares
from internal.venue.orders import Order, Side


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


def apply_split(book: MarginAccount, split: Split) -> tuple[MarginAccount, list[Movement]]:
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


def apply_dividend(book: MarginAccount, ticker: str, cash_amount: Decimal) -> tuple[MarginAccount, list[Movement]]:
    """A cash dividend on its ex-date: longs of the night before receive it, shorts owe it. Booked at once."""
    quantity = book.quantity_of(ticker)
    amount = cents(quantity * cash_amount)
    if not amount:
        return book, []
    words = f"Cash dividend of {plain(cash_amount)} a share of {ticker}"
    return book.with_cash(amount), [Movement("DIV", ticker, amount, words, quantity, cash_amount)]


def apply_delisting(book: MarginAccount, ticker: str) -> tuple[MarginAccount, list[Movement]]:
    """A delisted ticker's position turns into cash at its last price."""
    held = book.positions.get(ticker)
    if held is None:
        return book, []
    words = f"{ticker} was delisted; position closed at its last price"
    movement = Movement("REORG", ticker, held.market_value, words, -held.quantity, held.mark_price)
    return book.with_cash(held.market_value).with_position(replace(held, quantity=ZERO)), [movement]
