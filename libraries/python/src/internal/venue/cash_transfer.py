"""Deposits and withdrawals: cash that comes from outside the account, or goes there."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from internal.errors import InvalidRequestError
from internal.venue.clock import NEW_YORK
from internal.venue.history import HistoryRow, Movement, MovementKind
from internal.venue.money import ZERO, cents
from internal.venue.state import VenueChange, VenueState

INSTANT = timedelta(milliseconds=1)  # separates what the account was worth before from what it is worth after


def make_transfer(state: VenueState, amount: Decimal) -> VenueChange:
    """The change that a deposit (positive) or withdrawal makes. Raises InvalidRequestError, which says why not."""
    if not amount or cents(amount) != amount:
        raise InvalidRequestError(f"{amount:f} dollars cannot be moved: give whole cents, and not 0")
    account = state.account
    available = max(min(account.cash, account.equity - account.maintenance_margin), ZERO)
    if -amount > available:
        raise InvalidRequestError(f"{-amount:f} dollars cannot be withdrawn: {available:f} are available")
    moment, number = state.moment + INSTANT, state.last_row + 1
    kind = MovementKind.DEPOSIT if amount > 0 else MovementKind.WITHDRAWAL
    row = HistoryRow(number, moment.astimezone(NEW_YORK).date(), moment, Movement(kind, None, amount))
    after = replace(state, moment=moment, account=account.with_cash(amount), last_row=number)
    return VenueChange(state, after, history=(row,))
