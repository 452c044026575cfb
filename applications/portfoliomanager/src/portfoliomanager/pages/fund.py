"""The view of the Fund page: what the fund is worth, what it did, what is at risk, and what needs a person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from internal.performance import gross_exposure, net_exposure
from internal.trading.broker_reports import Account, BrokerPosition
from internal.trading.orders import Order
from internal.trading.performance import RealizedCost
from internal.trading.slippage import FillSummary
from portfoliomanager.equal_weight import EqualWeightPath
from portfoliomanager.pages.exposures import Exposures, sum_sectors
from portfoliomanager.pages.frame import Frame
from portfoliomanager.pages.limit_use import LimitUse
from portfoliomanager.pages.sources import Found
from portfoliomanager.pages.today import DataFreshness, LastRun, MarketDay, OrderCounts
from portfoliomanager.pages.value_history import ValueHistory


@dataclass(frozen=True)
class Holdings:
    """What the broker has: the account's totals and its positions."""

    account: Account
    positions: Sequence[BrokerPosition]

    @property
    def gross(self) -> float:
        """Gross exposure, a fraction of net asset value."""
        return gross_exposure(*self._values())

    @property
    def net(self) -> float:
        """Net exposure, a fraction of net asset value."""
        return net_exposure(*self._values())

    def _values(self) -> tuple[float, float, float]:
        return self.account.long_market_value, self.account.short_market_value, self.account.net_asset_value


def find_exposures(holdings: Found[Holdings], sectors: Found[Mapping[str, str]]) -> Found[Exposures]:
    """The exposure by sector; without holdings or sectors, why not."""
    if holdings.value is None:
        return Found(holdings.source, None, holdings.problem)
    if sectors.value is None:
        return Found(sectors.source, None, sectors.problem)
    value = holdings.value.account.net_asset_value
    return Found(holdings.source, sum_sectors(holdings.value.positions, sectors.value, value))


@dataclass(frozen=True)
class JournalFacts:
    """What the journal says about runs and orders."""

    last_run: LastRun | None
    counts: OrderCounts


@dataclass(frozen=True)
class Cost:
    """What trading has cost so far; dollars."""

    parts: RealizedCost
    fills: FillSummary
    opening_value: float

    @classmethod
    def of(cls, parts: RealizedCost, orders: Iterable[Order], opening_value: float) -> "Cost":
        """The cost beside the fills of the orders."""
        return cls(parts, FillSummary.of(orders), opening_value)

    @property
    def total(self) -> float:
        """Slippage, fees and borrow."""
        return self.parts.slippage + self.parts.fees + self.parts.borrow

    @property
    def paid(self) -> list[tuple[float, str]]:
        """The parts as a picture shows them: what was gained by slippage is no part of a cost."""
        parts = self.parts
        return [(max(parts.slippage, 0.0), "fact"), (parts.borrow, "base"), (parts.fees, "faint")]

    @property
    def drag(self) -> float | None:
        """The whole cost over the opening value."""
        return self.total / self.opening_value if self.opening_value > 0 else None


@dataclass(frozen=True)
class Today:
    """The strip, and what a person has to look at."""

    frame: Frame
    day: MarketDay | None
    holdings: Found[Holdings]
    journal: Found[JournalFacts]
    data: Found[DataFreshness]
    arming: str | None = None

    @property
    def needs(self) -> list[str]:
        """What needs a person, one sentence each."""
        found: list[str] = []
        if self.holdings.value and self.holdings.value.account.halted:
            found.append(f"The broker takes no orders: {self.holdings.value.account.halted}")
        if self.journal.value and (unresolved := self.journal.value.counts.unresolved):
            verb = "order is" if unresolved == 1 else "orders are"
            found.append(f"{unresolved} {verb} unresolved: it is not known whether the broker has them")
        if self.data.value and self.is_stale:
            found.append("The bars are behind the market: the next decision may be late")
        return found

    @property
    def is_stale(self) -> bool:
        """Whether bars of more than the last session are still to come."""
        return self.data.value is not None and self.data.value.behind > 1


@dataclass(frozen=True)
class FundView:
    """The page; a benchmark that is neither there nor a problem is asked for once the page is shown."""

    today: Today
    history: Found[ValueHistory]
    benchmark: Found[EqualWeightPath]
    limits: tuple[LimitUse, ...]
    exposures: Found[Exposures]
    cost: Found[Cost]

    @property
    def is_benchmark_asked_later(self) -> bool:
        """Whether the benchmark was not computed so far."""
        return self.benchmark.value is None and not self.benchmark.problem

    @property
    def value(self) -> float | None:
        """Net asset value: the broker's, else that of the last snapshot."""
        if self.today.holdings.value:
            return self.today.holdings.value.account.net_asset_value
        known = self.history.value
        return known.values[-1] if known and known.days else None

    @property
    def exceeded(self) -> int:
        """How many limits are exceeded."""
        return sum(one.is_exceeded for one in self.limits)
