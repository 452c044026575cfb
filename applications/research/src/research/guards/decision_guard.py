"""Guards on decisions: at every session, later rows, a second call and missing data must not change or break them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from time import process_time

import numpy as np

from internal.dates import previous_session
from internal.errors import FundError
from internal.simulation.adjustment import first_sessions
from internal.simulation.known_forecasts import KnownForecasts
from internal.simulation.market_tables import FIELDS, MarketTables
from internal.simulation.table_data import TableData
from internal.strategies.loading import LoadedStrategy
from internal.trading.assets import Assets
from internal.trading.day_inputs import Details
from internal.trading.positions import Position
from internal.trading.situation import Situation
from internal.trading.strategy import StrategyError
from internal.trading.targets import Targets
from research.guards.findings import Finding, Guard, failed, passed
from research.guards.score_guards import POISONS

CAPITAL = 1_000_000.0  # dollars
HELD = 4  # names on each side that a situation holds
ENTRY_RETURN = 0.02  # of the positions held
LATER = 3  # poisoned sessions after the day


@dataclass(frozen=True)
class DecisionGuards:
    """A strategy's decisions on a market, and what must leave them as they are.

    Attributes:
        strategy: As the running fund loads it.
        tables: Bars of all sessions.
        details: What the companies are.
        forecasts: Of the sessions from `days[0]` on; None without any.
        days: The sessions to check, ascending; the last ones of the tables but for LATER.
    """

    strategy: LoadedStrategy
    tables: MarketTables
    details: Details
    forecasts: KnownForecasts | None
    days: Sequence[date]

    def run(self) -> list[Finding]:
        """All findings; one alone where a decision fails with all data at hand."""
        try:
            for situation in self.situations:
                self.strategy.decide(situation)
        except StrategyError as error:
            return [failed(Guard.DECISION, error.detail)]
        return [self.check_look_ahead(), self.check_repeatability(), self.check_missing_data(), self.measure_speed()]

    @cached_property
    def situations(self) -> list[Situation]:
        """One a session: later rows cut off, a few names held on each side."""
        return [self._situation(self._cut(place, 0), day) for place, day in enumerate(self.days)]

    def check_look_ahead(self) -> Finding:
        """At every session: with later rows poisoned, the targets are those with the rows removed."""
        for place, (day, situation) in enumerate(zip(self.days, self.situations, strict=True)):
            expected = self.strategy.decide(situation)
            for poison in POISONS:
                found = self.strategy.decide(self._situation(_poison(self._cut(place, LATER), day, poison), day))
                if found != expected:
                    detail = f"with all rows after {day} set to {poison:g}: {describe_change(expected, found)}"
                    return failed(Guard.LOOK_AHEAD, f"{detail}; the decision reads later rows")
        return passed(Guard.LOOK_AHEAD, f"decisions of {len(self.days)} sessions: later rows change nothing")

    def check_repeatability(self) -> Finding:
        """At every session: the same situation twice gives the same targets."""
        for day, situation in zip(self.days, self.situations, strict=True):
            expected, found = self.strategy.decide(situation), self.strategy.decide(situation)
            if found != expected:
                detail = f"decided twice on {day}: {describe_change(expected, found)}"
                return failed(Guard.REPEATABILITY, f"{detail}; keep nothing between calls, draw no random number")
        return passed(Guard.REPEATABILITY, "a decision taken twice is the same")

    def check_missing_data(self) -> Finding:
        """Nothing held, no forecast, no price today, nothing tradable or shortable: no error."""
        for name, change in _ABSENCES.items():
            for situation in self.situations:
                try:
                    self.strategy.decide(change(situation))
                except FundError as error:
                    return failed(Guard.MISSING_DATA, f"with {name}: {error.detail}")
        return passed(Guard.MISSING_DATA, f"{', '.join(_ABSENCES)}: no error")

    def measure_speed(self) -> Finding:
        """Decisions a second of processor time, the score of a window included; it fails nothing."""
        start = process_time()
        for situation in self.situations:
            self.strategy.decide(situation)
        spent = (process_time() - start) / len(self.situations)
        names = len(self.tables.tickers)
        return passed(Guard.SPEED, f"{spent * 1000:.1f} ms of processor time a decision on {names} names")

    def _cut(self, place: int, later: int) -> MarketTables:
        """The tables up to some sessions after the day at the place."""
        session = self.tables.session(self.days[place])
        assert session is not None  # noqa: S101 - the days are of the tables
        return first_sessions(self.tables, session + later + 1)

    def _situation(self, tables: MarketTables, day: date) -> Situation:
        place = self.days.index(day)
        forecasts = None if self.forecasts is None else rows_from(self.forecasts, place)
        inputs = TableData(tables, day, self.details, forecasts).day_inputs(day, self.strategy.needs)
        tradable = frozenset(tables.tickers)
        held: list[int] = np.flatnonzero(inputs.liquid & np.isfinite(inputs.volatility))[: 2 * HELD].tolist()
        opened = previous_session(day, 3)
        positions = tuple(
            Position(
                tables.tickers[one], 100.0 * (-1) ** one, opened, float(inputs.price[one]) / (1 + ENTRY_RETURN), None
            )
            for one in held
        )
        return Situation(inputs, CAPITAL, positions, Assets(tradable, tradable), frozenset())


def rows_from(forecasts: KnownForecasts, row: int) -> KnownForecasts:
    """The forecasts from one session on."""
    return replace(forecasts, quantiles=forecasts.quantiles[row:], bands=forecasts.bands[row:])


def describe_change(expected: Targets, found: Targets) -> str:
    """The first target that differs, by ticker."""
    before, after = ({row.ticker: row for row in one.rows} for one in (expected, found))
    names = sorted(before.keys() | after.keys())
    ticker = next((one for one in names if before.get(one) != after.get(one)), None)
    return "the notes differ" if ticker is None else f"{after.get(ticker)} instead of {before.get(ticker)}"


def _poison(tables: MarketTables, day: date, value: float) -> MarketTables:
    """The tables with every row after the day replaced."""
    session = tables.session(day) or 0
    changed = {name: np.array(getattr(tables, name)) for name in FIELDS}
    for values in changed.values():
        values[session + 1 :] = value
    return replace(tables, **changed)


def _without_forecasts(situation: Situation) -> Situation:
    inputs = situation.inputs
    return replace(situation, inputs=replace(inputs, bands=np.full_like(inputs.bands, np.nan), forecasts=None))


def _without_prices(situation: Situation) -> Situation:
    unknown = np.full_like(situation.inputs.price, np.nan)
    return replace(situation, inputs=replace(situation.inputs, price=unknown, liquid=np.isfinite(unknown)))


_ABSENCES: dict[str, Callable[[Situation], Situation]] = {
    "nothing held": lambda situation: replace(situation, positions=()),
    "no forecast": _without_forecasts,
    "no price today": _without_prices,
    "nothing shortable": lambda situation: replace(situation, assets=replace(situation.assets, shortable=frozenset())),
    "nothing tradable": lambda situation: replace(situation, assets=Assets(frozenset(), frozenset())),
    "every name blocked": lambda situation: replace(situation, blocked=frozenset(situation.tickers)),
    "no capital": lambda situation: replace(situation, net_asset_value=0.0),
}
