"""Corporate actions as the trading core reads them: what happens to the shares and the name of a security."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from internal.action_kinds import SPLIT_KINDS, ActionKind
from internal.trading.split_ratios import read_split_ratio
from internal.trading.splits import Split

GIVES_BESIDE = frozenset({ActionKind.SPIN_OFF, ActionKind.RIGHTS_DISTRIBUTION})
"""Kinds that always give shares of another security and leave the position as it is; a stock dividend may."""
ENDS_TICKER = frozenset(
    {
        ActionKind.UNIT_SPLIT,
        ActionKind.CASH_MERGER,
        ActionKind.STOCK_MERGER,
        ActionKind.STOCK_AND_CASH_MERGER,
        ActionKind.REDEMPTION,
        ActionKind.WORTHLESS_REMOVAL,
    }
)
"""Kinds after which nothing of the position is left under its ticker."""


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """What happens to `ticker`, as it is named on the session before, ahead of the open of the effective date.

    The terms are those of `internal.schemas.corporate_actions`: `old_shares` of the ticker become, or receive,
    `new_shares` (of `new_ticker` where there is one) and `second_shares` of `second_ticker`; `cash_amount` is dollars a
    share.
    """

    kind: ActionKind
    ticker: str
    effective_date: date
    old_shares: float | None = None
    new_shares: float | None = None
    new_ticker: str | None = None
    second_shares: float | None = None
    second_ticker: str | None = None
    cash_amount: float | None = None

    @property
    def ratio(self) -> float:
        """Shares of the ticker itself after the action for one before it."""
        old, new = self.old_shares or 1.0, self.new_shares or 1.0
        if self.kind is ActionKind.STOCK_DIVIDEND and self.new_ticker in {None, self.ticker}:
            return (old + new) / old
        return read_split_ratio(old, new) if self.kind in SPLIT_KINDS else 1.0

    @property
    def gives_beside(self) -> bool:
        """Whether it gives shares of another security and leaves the position as it is."""
        if self.kind is ActionKind.STOCK_DIVIDEND:
            return self.new_ticker not in {None, self.ticker}
        return self.kind in GIVES_BESIDE

    @property
    def is_recorded(self) -> bool:
        """Whether it leads to rows of the journal: it ends, renames, or gives shares of another security."""
        return self.kind in ENDS_TICKER or self.gives_beside or self.is_rename

    @property
    def is_rename(self) -> bool:
        """Whether only the ticker changes."""
        return self.kind is ActionKind.NAME_CHANGE

    @property
    def deliveries(self) -> list[tuple[str, float]]:
        """Tickers of other securities that holders receive, and the shares of each for one share held."""
        old = self.old_shares or 1.0
        terms = ((self.new_ticker, self.new_shares), (self.second_ticker, self.second_shares))
        if self.kind not in ENDS_TICKER and not self.gives_beside:
            return []
        return [(ticker, shares / old) for ticker, shares in terms if ticker is not None and shares is not None]


def list_splits(actions: Iterable[CorporateAction]) -> list[Split]:
    """The actions that change the number of a ticker's own shares: splits and stock dividends."""
    return [Split(one.ticker, one.effective_date, one.ratio) for one in actions if one.ratio != 1.0]
