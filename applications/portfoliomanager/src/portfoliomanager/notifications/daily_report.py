"""The figures of a daily report: the fund's value, its gains by side and name, its fills, and the orders that wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from internal.trading.enums import OrderState
from internal.trading.orders import Order
from internal.trading.positions import Entry
from internal.trading.slippage import FillSummary, measure_impact
from internal.trading.snapshots import Snapshot
from portfoliomanager.fill_days import fill_day


@dataclass(frozen=True, slots=True)
class NamedGain:
    """What one name gained since the report before; dollars. `side` is long, short or closed."""

    ticker: str
    side: str
    dollars: Decimal


@dataclass(frozen=True, slots=True)
class DataHealth:
    """The sessions that the data service has, and what a person has to do; `problem` says why that is not known."""

    present: int | None = None
    expected: int | None = None
    to_do: Sequence[str] = ()
    problem: str = ""


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
        data: The state of the data.
        problem: Why nothing was decided; empty when something was.
        opens: Opening prices by name and day, dollars as traded, as far as they are known.
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
    data: DataHealth
    problem: str = ""
    opens: Mapping[Entry, float] = field(default_factory=dict[Entry, float])

    @property
    def gain(self) -> float:
        """Dollars gained since the snapshot before."""
        earlier = self.snapshot.net_asset_value if self.before is None else self.before.net_asset_value + self.flows
        return self.snapshot.net_asset_value - earlier

    @property
    def gain_rate(self) -> float:
        """The gain as a fraction of the value before it."""
        before = self.snapshot.net_asset_value - self.gain
        return self.gain / before if before else 0.0

    @property
    def gains_by_side(self) -> Mapping[str, Decimal]:
        """Dollars gained by side, sides in order."""
        sides: dict[str, Decimal] = {}
        for gain in self.gains:
            sides[gain.side] = sides.get(gain.side, Decimal(0)) + gain.dollars
        return dict(sorted(sides.items()))

    @property
    def gains_by_name(self) -> Sequence[NamedGain]:
        """The gains, the largest of either sign first."""
        return sorted(self.gains, key=lambda gain: (-abs(gain.dollars), gain.ticker))

    @property
    def filled(self) -> Sequence[Order]:
        """Orders that were filled since the decision before, in whole or in part."""
        return [order for order in self.orders if order.date < self.day and order.filled_quantity > 0]

    @property
    def fills(self) -> FillSummary:
        """What was filled, and its slippage."""
        return FillSummary.of(self.filled)

    def find_impact(self, order: Order) -> float | None:
        """Dollars that a fill cost against the open of its session; None where the open is not known."""
        return measure_impact(order, self.opens.get(Entry(order.ticker, fill_day(order))))

    @property
    def impact(self) -> float | None:
        """Dollars of all fills against the opens; None without fills, or where an open is not known."""
        found = [self.find_impact(order) for order in self.filled]
        known = [one for one in found if one is not None]
        return sum(known) if found and len(known) == len(found) else None

    @property
    def next_orders(self) -> Sequence[Order]:
        """Orders that wait for the next open."""
        return [order for order in self.orders if order.date == self.day and not order.state.is_final]

    @property
    def opened_dollars(self) -> float:
        """What the next open is to open, at the closes that were decided at."""
        return sum(order.quantity * order.reference_price for order in self.next_orders if order.leg.opens)

    @property
    def closed_dollars(self) -> float:
        """What the next open is to close, at the closes that were decided at."""
        return sum(order.quantity * order.reference_price for order in self.next_orders if not order.leg.opens)

    @property
    def refused(self) -> Sequence[Order]:
        """Orders of the session that the broker refused."""
        return self._own(OrderState.REJECTED)

    @property
    def dropped(self) -> Sequence[Order]:
        """Orders of the session that were never sent."""
        return self._own(OrderState.DROPPED)

    def _own(self, state: OrderState) -> Sequence[Order]:
        return [order for order in self.orders if order.date == self.day and order.state is state]


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
