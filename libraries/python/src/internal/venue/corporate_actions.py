"""Corporate actions as the venue processes them: one typed row for every kind, with its terms as exact numbers."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256

from internal.action_kinds import SPLIT_KINDS, ActionKind
from internal.venue.money import ONE

ID_LENGTH = 32  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """What happens to `ticker`, as it is named on the session before, ahead of the effective date's open.

    The terms are those of `internal.schemas.corporate_actions`: `old_shares` of the ticker become, or receive,
    `new_shares` (of `new_ticker` where it is given) and `second_shares` of `second_ticker`; `cash_amount` is dollars a
    share. A kind has the terms that it needs, the others are None.
    """

    kind: ActionKind
    ticker: str
    effective_date: date
    old_shares: Decimal | None = None
    new_shares: Decimal | None = None
    new_ticker: str | None = None
    second_shares: Decimal | None = None
    second_ticker: str | None = None
    cash_amount: Decimal | None = None
    special: bool = False
    declaration_date: date | None = None
    record_date: date | None = None
    pay_date: date | None = None

    @property
    def action_id(self) -> str:
        """The action's permanent id: what, to whom, when; a correction of its terms keeps it."""
        named = (self.kind.value, self.ticker, self.effective_date.isoformat(), "special" if self.special else "")
        return sha256(":".join(named).encode()).hexdigest()[:ID_LENGTH]

    @property
    def own_terms(self) -> tuple[Decimal, Decimal]:
        """Shares of the ticker itself before and after: splits and stock dividends change them."""
        old, new = self.old_shares or ONE, self.new_shares or ONE
        if self.kind is ActionKind.STOCK_DIVIDEND:
            return old, old + new
        return (old, new) if self.kind in SPLIT_KINDS else (ONE, ONE)

    def shares_after(self, quantity: Decimal) -> Decimal:
        """Shares of the ticker itself after the action, fractions included."""
        old, new = self.own_terms
        return quantity * new / old

    def price_after(self, price: Decimal) -> Decimal:
        """A price of the ticker in shares of after the action."""
        old, new = self.own_terms
        return price * old / new


def split_action(ticker: str, day: date, old_shares: Decimal, new_shares: Decimal) -> CorporateAction:
    """A split: from the day's open on, every `old_shares` are `new_shares`."""
    kind = ActionKind.FORWARD_SPLIT if new_shares > old_shares else ActionKind.REVERSE_SPLIT
    return CorporateAction(kind, ticker, day, old_shares, new_shares)


def dividend_action(  # noqa: PLR0913 - the dates that a vendor states
    ticker: str,
    day: date,
    cash_amount: Decimal,
    *,
    special: bool = False,
    declaration_date: date | None = None,
    record_date: date | None = None,
    pay_date: date | None = None,
) -> CorporateAction:
    """A cash dividend, dollars a share, of whoever holds the ticker before the open of the ex-date."""
    return CorporateAction(
        ActionKind.CASH_DIVIDEND,
        ticker,
        day,
        cash_amount=cash_amount,
        special=special,
        declaration_date=declaration_date,
        record_date=record_date,
        pay_date=pay_date,
    )
