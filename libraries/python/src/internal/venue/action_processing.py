"""What corporate actions do to the account: positions, cash, and the movements from which the books are rebuilt."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from internal.action_kinds import ActionKind
from internal.venue.corporate_actions import CorporateAction
from internal.venue.history import Movement, MovementKind
from internal.venue.margin_account import MarginAccount
from internal.venue.money import ONE, ZERO, cents, is_whole, round_shares
from internal.venue.position_changes import add_position, receive_shares, resize, scale_prices

RESIZES = frozenset({ActionKind.FORWARD_SPLIT, ActionKind.REVERSE_SPLIT, ActionKind.STOCK_DIVIDEND})
KEEPS_SHARES = frozenset({ActionKind.SPIN_OFF, ActionKind.RIGHTS_DISTRIBUTION})
MOVEMENT_KINDS = {
    ActionKind.FORWARD_SPLIT: MovementKind.SPLIT,
    ActionKind.REVERSE_SPLIT: MovementKind.SPLIT,
    ActionKind.CASH_DIVIDEND: MovementKind.DIVIDEND,
}


@dataclass(frozen=True, slots=True)
class OpeningTerms:
    """What the venue asks the market when it gives a holder other shares.

    Attributes:
        price: A ticker's price at the open, dollars; None where it does not trade.
        fractionable: Whether fractions of a ticker's shares can be held.
    """

    price: Callable[[str], Decimal | None]
    fractionable: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Delivery:
    """`new_shares` of another security for `old_shares` held; `price` in dollars, None where it is not known."""

    ticker: str
    old_shares: Decimal
    new_shares: Decimal
    price: Decimal | None

    @property
    def value(self) -> Decimal:
        """Dollars for each share held."""
        return ZERO if self.price is None else self.new_shares * self.price / self.old_shares


def ends_ticker(kind: ActionKind) -> bool:
    """Whether nothing trades under the ticker afterwards, so that its open orders are canceled."""
    return kind not in RESIZES | KEEPS_SHARES | {ActionKind.CASH_DIVIDEND}


def apply_action(
    account: MarginAccount, action: CorporateAction, terms: OpeningTerms
) -> tuple[MarginAccount, list[Movement]]:
    """The account after the action, of whoever held the ticker before the open; shorts owe what longs receive."""
    if action.ticker not in account.positions:
        return account, []
    if action.kind in RESIZES:
        return apply_split(account, action)
    if action.kind is ActionKind.CASH_DIVIDEND:
        return apply_dividend(account, action)
    return _exchange_shares(account, action, terms)


def apply_split(account: MarginAccount, action: CorporateAction) -> tuple[MarginAccount, list[Movement]]:
    """The account after a split or stock dividend: whole positions stay whole, the rest of a share is paid in cash."""
    held = account.positions.get(action.ticker)
    if held is None:
        return account, []
    exact = action.shares_after(held.quantity)
    quantity = round_shares(exact, whole=is_whole(held.quantity))
    after = resize(held, quantity, action)
    movements = [_movement(action, action.ticker, ZERO, quantity - held.quantity)]
    cash_in_lieu = cents((exact - quantity) * after.mark_price)
    if cash_in_lieu:
        movements.append(_cash_in_lieu(action, action.ticker, cash_in_lieu, exact - quantity))
    return account.with_cash(cash_in_lieu).with_position(after), movements


def apply_dividend(account: MarginAccount, action: CorporateAction) -> tuple[MarginAccount, list[Movement]]:
    """A cash dividend on its ex-date: longs of the night before receive it, shorts owe it. Booked at once."""
    held = account.positions.get(action.ticker)
    per_share = action.cash_amount or ZERO
    amount = ZERO if held is None else cents(held.quantity * per_share)
    if held is None or not amount:
        return account, []
    movement = Movement(MovementKind.DIVIDEND, action.ticker, amount, held.quantity, per_share)
    return account.with_cash(amount), [movement]


def apply_delisting(account: MarginAccount, ticker: str) -> tuple[MarginAccount, list[Movement]]:
    """The position of a ticker that is delisted without terms turns into cash at its last price."""
    held = account.positions.get(ticker)
    if held is None:
        return account, []
    movement = Movement(MovementKind.DELISTING, ticker, held.market_value, -held.quantity, held.mark_price)
    return account.with_cash(held.market_value).without_position(ticker), [movement]


def _exchange_shares(
    account: MarginAccount, action: CorporateAction, terms: OpeningTerms
) -> tuple[MarginAccount, list[Movement]]:
    """Shares of other securities and cash for the position, or beside it; cost follows the value of what comes."""
    held, deliveries = account.positions[action.ticker], _deliveries(action, terms)
    per_share = action.cash_amount or ZERO
    movements: list[Movement] = []
    kept = (terms.price(action.ticker) or held.mark_price) if action.kind in KEEPS_SHARES else ZERO
    total = kept + per_share + sum((one.value for one in deliveries), ZERO)
    if action.kind in KEEPS_SHARES:
        account = account.with_position(scale_prices(held, kept / total))
    else:
        amount = cents(held.quantity * per_share)
        account = account.without_position(action.ticker).with_cash(amount)
        movements.append(_movement(action, action.ticker, amount, -held.quantity))
    for number, one in enumerate(deliveries):
        weight = one.value / total if total else ONE if number == 0 else ZERO
        exact = held.quantity * one.new_shares / one.old_shares
        quantity = round_shares(exact, whole=is_whole(held.quantity) or not terms.fractionable(one.ticker))
        received = receive_shares(held, one.ticker, quantity, weight * one.old_shares / one.new_shares, one.price)
        account = add_position(account, received)
        movements.append(_movement(action, one.ticker, ZERO, quantity))
        cash_in_lieu = cents((exact - quantity) * received.mark_price)
        if cash_in_lieu:
            account = account.with_cash(cash_in_lieu)
            movements.append(_cash_in_lieu(action, one.ticker, cash_in_lieu, exact - quantity))
    return account, movements


def _deliveries(action: CorporateAction, terms: OpeningTerms) -> list[Delivery]:
    """What comes for each share held; the shares of a name change are the same ones under another ticker."""
    if action.new_ticker is None:
        return []
    if action.kind is ActionKind.NAME_CHANGE:
        return [Delivery(action.new_ticker, ONE, ONE, None)]
    old = action.old_shares or ONE
    found = [Delivery(action.new_ticker, old, action.new_shares or ONE, terms.price(action.new_ticker))]
    if action.second_ticker is not None and action.second_shares is not None:
        found.append(Delivery(action.second_ticker, old, action.second_shares, terms.price(action.second_ticker)))
    return found


def _movement(action: CorporateAction, ticker: str, net_amount: Decimal, quantity: Decimal) -> Movement:
    kind = MOVEMENT_KINDS.get(action.kind) or MovementKind(action.kind.value)
    is_own = ticker == action.ticker
    return Movement(
        kind,
        ticker,
        net_amount,
        quantity,
        action.cash_amount if is_own else None,
        split_from=action.old_shares,
        split_to=action.new_shares,
        related_ticker=action.new_ticker if is_own else action.ticker,
    )


def _cash_in_lieu(action: CorporateAction, ticker: str, amount: Decimal, shares: Decimal) -> Movement:
    is_own = ticker == action.ticker
    old, new = action.own_terms if is_own else (action.old_shares, action.new_shares)
    return Movement(
        MovementKind.CASH_IN_LIEU,
        ticker,
        amount,
        round_shares(shares, whole=False),
        split_from=old,
        split_to=new,
        related_ticker=None if is_own else action.ticker,
    )
