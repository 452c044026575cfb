"""The figures of a daily report: the fund's value, its gains by side and name, its fills, and the orders that wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from internal.trading.orders import Order
from internal.trading.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class NamedGain:
    """What one name gained since the report before; dollars. `side` is long, short or closed."""

    ticker: str
    side: str
    dollars: Decimal


@dataclass(frozen=True, slots=True)
class DailyReport:
    """The figures of a session.

    Attributes:
        day: The session.
        snapshot: The account after it.
        before: The last snapshot of an earlier day; None in the first report.
        flows: Dollars that were paid in since, negative when paid out.
        gains: By name; what belongs to no name is under "account".
        orders: All since the decision before it, which filled since, and of its own, for the next open.
        by_hand: What somebody has sold or bought back of the fund's positions since the report before.
        missed: The sessions between the decision before it and the day, which nobody decided.
        notes: Of the day's run.
        data: A sentence about the state of the data.
        problem: Why nothing was decided; empty when something was.
    """

    day: date
    snapshot: Snapshot
    before: Snapshot | None
    flows: float
    gains: Sequence[NamedGain]
    orders: Sequence[Order]
    by_hand: Sequence[Order]
    missed: Sequence[date]
    notes: Sequence[str]
    data: str
    problem: str = ""

    @property
    def gain(self) -> float:
        """Dollars gained since the snapshot before."""
        earlier = self.snapshot.net_asset_value if self.before is None else self.before.net_asset_value + self.flows
        return self.snapshot.net_asset_value - earlier

    @property
    def filled(self) -> Sequence[Order]:
        """Orders that were filled since the decision before, in whole or in part."""
        return [order for order in self.orders if order.date < self.day and order.filled_quantity > 0]

    @property
    def next_orders(self) -> Sequence[Order]:
        """Orders that wait for the next open."""
        return [order for order in self.orders if order.date == self.day and not order.state.is_final]


def find_gains(
    now: Mapping[str, Decimal], before: Mapping[str, Decimal], shares: Mapping[str, Decimal]
) -> list[NamedGain]:
    """What each name gained between two totals since the books began; what belongs to no name is "account".

    Args:
        now: Profit and loss since the books began, by ticker, dollars; what belongs to no security under "".
        before: The same at the report before.
        shares: Signed shares that are held.
    """
    changes = {
        ticker: now.get(ticker, Decimal(0)) - before.get(ticker, Decimal(0)) for ticker in sorted({*now, *before})
    }
    return [
        NamedGain(ticker or "account", _side(ticker, shares), change) for ticker, change in changes.items() if change
    ]


def _side(ticker: str, shares: Mapping[str, Decimal]) -> str:
    if not ticker:
        return "account"
    held = shares.get(ticker, Decimal(0))
    return "closed" if not held else "long" if held > 0 else "short"
