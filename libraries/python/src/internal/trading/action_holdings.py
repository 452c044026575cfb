"""What the fund held of a security before a corporate action, counted from its fills and the splits between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from internal.trading.corporate_actions import CorporateAction
from internal.trading.entries import EntryMemory, opened_date, resize_shares
from internal.trading.held_securities import HeldSecurities, HeldSecurity
from internal.trading.orders import Order
from internal.trading.ports import TradingPorts
from internal.trading.splits import Split


@dataclass(frozen=True, slots=True)
class ConcernedHolding:
    """A corporate action of a security that the fund held.

    Attributes:
        action: The action.
        security_id: The permanent id of the security.
        shares: Signed shares that the fund held before it.
    """

    action: CorporateAction
    security_id: str
    shares: float

    def received(self, ratio: float) -> float:
        """Signed shares of another security: whole positions receive whole shares, the rest is paid in cash."""
        return resize_shares(self.shares, ratio)

    def count_before(self, ticker: str, asset_id: str | None, ports: TradingPorts) -> float:
        """Signed shares that the fund has of what trades under the ticker, beside which others come.

        Nothing is left of the security itself where it gives its ticker to what comes for it.
        """
        security = None if ticker == self.action.ticker else ports.journal.security_of(ticker, asset_id)
        if security is None:
            return 0.0
        return count_own_shares(
            ticker, security, ports.journal.fills(ticker, asset_id), self.action.effective_date, ports
        )


def count_own_shares(ticker: str, security: str, fills: Sequence[Order], last: date, ports: TradingPorts) -> float:
    """Signed shares that the security's fills have come to, after the splits up to the last day."""
    if not fills:
        return 0.0
    return EntryMemory().sum_shares(tuple(fills), tuple(list_own_splits(ticker, security, fills, last, ports)))


def list_own_splits(
    ticker: str, security: str, fills: Sequence[Order], last: date, ports: TradingPorts
) -> Sequence[Split]:
    """The splits of a security since its first fill, up to the last day."""
    held = HeldSecurities({ticker: HeldSecurity(security, tuple(fills), ports.journal.names(security))})
    return held.list_splits(ports.data.corporate_actions(opened_date(fills[0]), last))
