"""What corporate actions do to the account and its open orders: splits, dividends, delistings."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from internal.venue.history import Movement, MovementKind
from internal.venue.margin_account import MarginAccount, Position
from internal.venue.money import ZERO, cents, is_whole, round_shares
from internal.venue.orders import Order, Side


@dataclass(frozen=True, slots=True)
class Split:
    """A ticker's split: from the execution date's open on, every `split_from` shares are `split_to`."""

    ticker: str
    execution_date: date
    split_from: Decimal
    split_to: Decimal

    def shares(self, quantity: Decimal) -> Decimal:
        """Shares after the split, fractions included."""
        return quantity * self.split_to / self.split_from

    def price(self, price: Decimal) -> Decimal:
        """A price after the split."""
        return price * self.split_from / self.split_to


@dataclass(frozen=True, slots=True)
class Dividend:
    """A cash dividend, dollars a share, of whoever holds the ticker before the open of the ex-date."""

    ticker: str
    ex_dividend_date: date
    cash_amount: Decimal


def apply_split(account: MarginAccount, split: Split) -> tuple[MarginAccount, list[Movement]]:
    """The account after a split: whole positions stay whole, the rest of a share is paid in cash."""
    held = account.positions.get(split.ticker)
    if held is None:
        return account, []
    exact = split.shares(held.quantity)
    quantity = round_shares(exact, whole=is_whole(held.quantity))
    movements = [_split_movement(MovementKind.SPLIT, split, ZERO, quantity - held.quantity)]
    cash_in_lieu = cents((exact - quantity) * split.price(held.mark_price))
    if cash_in_lieu:
        movements.append(_split_movement(MovementKind.CASH_IN_LIEU, split, cash_in_lieu, exact - quantity))
    return account.with_cash(cash_in_lieu).with_position(_split_position(held, quantity, split)), movements


def _split_movement(kind: MovementKind, split: Split, net_amount: Decimal, quantity: Decimal) -> Movement:
    return Movement(kind, split.ticker, net_amount, quantity, split_from=split.split_from, split_to=split.split_to)


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


def apply_dividend(account: MarginAccount, dividend: Dividend) -> tuple[MarginAccount, list[Movement]]:
    """A cash dividend on its ex-date: longs of the night before receive it, shorts owe it. Booked at once."""
    held = account.positions.get(dividend.ticker)
    amount = ZERO if held is None else cents(held.quantity * dividend.cash_amount)
    if held is None or not amount:
        return account, []
    movement = Movement(MovementKind.DIVIDEND, dividend.ticker, amount, held.quantity, dividend.cash_amount)
    return account.with_cash(amount), [movement]


def apply_delisting(account: MarginAccount, ticker: str) -> tuple[MarginAccount, list[Movement]]:
    """A delisted ticker's position turns into cash at its last price."""
    held = account.positions.get(ticker)
    if held is None:
        return account, []
    movement = Movement(MovementKind.DELISTING, ticker, held.market_value, -held.quantity, held.mark_price)
    return account.with_cash(held.market_value).without_position(ticker), [movement]
