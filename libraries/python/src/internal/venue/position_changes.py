"""How a position's shares and prices change when it is split, renamed, or exchanged for another security's shares."""

from dataclasses import replace
from decimal import Decimal

from internal.venue.corporate_actions import CorporateAction
from internal.venue.margin_account import AVERAGE_STEP, MarginAccount, Position


def resize(held: Position, quantity: Decimal, action: CorporateAction) -> Position:
    """The position in other shares of the same security, after a split or a stock dividend."""
    return replace(
        held,
        quantity=quantity,
        average_entry_price=action.price_after(held.average_entry_price),
        mark_price=action.price_after(held.mark_price),
        lastday_price=action.price_after(held.lastday_price),
        intraday_basis=quantity * action.price_after(held.lastday_price),
    )


def scale_prices(held: Position, factor: Decimal) -> Position:
    """The position after a part of its value and of its cost left it."""
    return replace(
        held,
        average_entry_price=(held.average_entry_price * factor).quantize(AVERAGE_STEP),
        mark_price=held.mark_price * factor,
        lastday_price=held.lastday_price * factor,
        intraday_basis=held.intraday_basis * factor,
    )


def receive_shares(held: Position, ticker: str, quantity: Decimal, factor: Decimal, price: Decimal | None) -> Position:
    """The position of another security that comes from a held one.

    Args:
        held: The position that it comes from.
        ticker: The other security.
        quantity: Its shares.
        factor: Of a held share's cost and value on a share received.
        price: What a received share is measured at, dollars; None takes its part of the held share's price.
    """
    lastday = held.lastday_price * factor
    return Position(
        ticker=ticker,
        quantity=quantity,
        average_entry_price=(held.average_entry_price * factor).quantize(AVERAGE_STEP),
        mark_price=held.mark_price * factor if price is None else price,
        lastday_price=lastday,
        intraday_basis=quantity * lastday,
    )


def add_position(account: MarginAccount, received: Position) -> MarginAccount:
    """The account with shares added to what it has of their ticker: long and short ones cancel out."""
    held = account.positions.get(received.ticker)
    if held is None:
        return account.with_position(received)
    quantity = held.quantity + received.quantity
    if held.quantity * received.quantity > 0:
        cost = held.quantity * held.average_entry_price + received.quantity * received.average_entry_price
        average = (cost / quantity).quantize(AVERAGE_STEP)
    else:
        larger = held if abs(held.quantity) > abs(received.quantity) else received
        average = larger.average_entry_price
    basis = held.intraday_basis + received.intraday_basis
    return account.with_position(replace(held, quantity=quantity, average_entry_price=average, intraday_basis=basis))
