"""Whether the account shows that the broker has carried a corporate action out, or has taken it back.

Shares that come count as received once the broker lists them as moved by an action: its position may hold the shares of
somebody else, which the fund must never take for its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from math import copysign

from internal.action_kinds import ActionKind
from internal.trading.action_holdings import ConcernedHolding
from internal.trading.action_rows import RECORDS, is_end, is_record, is_rename, row_id
from internal.trading.broker_reports import BrokerPosition
from internal.trading.corporate_actions import ENDS_TICKER
from internal.trading.entries import ROUNDING, opened_date
from internal.trading.enums import Leg
from internal.trading.orders import Order
from internal.trading.ports import TradingPorts
from internal.trading.position_attribution import SHARE
from internal.trading.share_movements import ShareMovement, sum_brought, sum_moved

DATED_EARLY = timedelta(days=7)  # a broker may date a movement by the record date instead of the first session


def covers(held: float, expected: float) -> bool:
    """Whether the signed shares are at least the expected ones on their side, but for a fraction paid in cash."""
    return copysign(1, held) == copysign(1, expected) and abs(held) > max(abs(expected) - SHARE, ROUNDING)


@dataclass(frozen=True)
class ActionEvidence:
    """The account as the broker shows it now.

    Attributes:
        ports: The ports of the fund.
        account: The account's id.
        first: The first effective date that is asked about.
    """

    ports: TradingPorts
    account: str
    first: date

    @cached_property
    def positions(self) -> dict[str, BrokerPosition]:
        """The account's positions by ticker."""
        return {position.ticker: position for position in self.ports.broker.positions()}

    @cached_property
    def _movements(self) -> Sequence[ShareMovement]:
        """Read once, and only where an action waits for them."""
        return self.ports.broker.share_movements(self.first - DATED_EARLY)

    def shows_carried_out(self, concerned: ConcernedHolding) -> bool:
        """Whether the account is as the action leaves it."""
        action = concerned.action
        if action.is_rename:
            return self._shows_renamed(action.ticker, action.new_ticker)
        is_redelivered = any(ticker == action.ticker for ticker, _ in action.deliveries)
        if action.kind in ENDS_TICKER and not is_redelivered and action.ticker in self.positions:
            return False
        return all(self._has_arrived(concerned, ticker, ratio) for ticker, ratio in action.deliveries)

    def shows_taken_back(self, row: Order) -> bool:
        """Whether the account is as it was before the row of an action that is no longer stated."""
        if is_rename(row):
            names = [name for _, name in self.ports.journal.names(row.security_id or row.ticker)]
            return len(names) > 1 and self._shows_renamed(row.ticker, names[-2])
        since = [one for one in self._since(opened_date(row)) if not one.is_split]
        moved = sum_moved(since, row.ticker)
        shares = row.signed_filled_quantity
        return not covers(moved, shares) and (not is_end(row) or covers(self._held(row.ticker), -shares))

    def _shows_renamed(self, old: str, new: str | None) -> bool:
        return old not in self.positions and new in self.positions

    def _held(self, ticker: str) -> float:
        return self.positions[ticker].quantity if ticker in self.positions else 0.0

    def _since(self, effective: date) -> list[ShareMovement]:
        return [one for one in self._movements if one.day >= effective - DATED_EARLY]

    def _has_arrived(self, concerned: ConcernedHolding, ticker: str, ratio: float) -> bool:
        """Whether the broker lists the shares, beside those that other rows count already."""
        expected, effective = concerned.received(ratio), concerned.action.effective_date
        if not expected:
            return True
        own_id = row_id(self.account, concerned.action, ticker, Leg.ADD)
        recorded = [
            ShareMovement(row.ticker, opened_date(row), row.signed_filled_quantity)
            for row in self.ports.journal.of(RECORDS)
            if is_record(row) and not is_end(row) and row.client_order_id != own_id
        ]
        counted = [one for one in recorded if one.day >= effective - DATED_EARLY]
        is_dividend = concerned.action.kind is ActionKind.STOCK_DIVIDEND
        moved = [one for one in self._since(effective) if one.is_split == is_dividend]
        listed = sum_brought(moved, ticker, expected)
        return covers(listed - sum_brought(counted, ticker, expected), expected)
