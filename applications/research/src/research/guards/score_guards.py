"""Guards on a score: its scores over changed histories must be those of the whole history, or must not fail."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from internal.errors import FundError
from internal.strategies.history import PRICES, QUANTILES, History
from internal.strategies.strategy import Strategy
from internal.trading.arrays import FloatArray
from research.guards.findings import Difference, Finding, Guard, failed, first_difference, passed

ROUNDING = 1e-9  # relative; prices in other terms and sums over other windows round differently
POISONS = (float("nan"), 1e9)
ABSENT = 0.1  # of all bars
LEVEL = 3.7  # another unit of one ticker's prices and shares

type Change = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class ScoreGuards:
    """A strategy's score on a history, and what every change of that history must leave as it is.

    Attributes:
        strategy: A strategy that writes `score`.
        history: Bars, details and forecasts of all sessions.
        days: The sessions to check, ascending; all of them are in the history.
    """

    strategy: Strategy
    history: History
    days: Sequence[date]

    @cached_property
    def tickers(self) -> tuple[str, ...]:
        """All tickers of the history, sorted."""
        return tuple(self.history.frame.get_column("ticker").unique().sort().to_list())

    @cached_property
    def expected(self) -> FloatArray:
        """[S, N] scores of the whole history."""
        return self._scores(self.history.frame, self.days)

    def run(self) -> list[Finding]:
        """All findings, in the order in which a user should read them."""
        return [
            self.check_repeatability(),
            self.check_look_ahead(),
            self.check_ticker_boundary(),
            self.check_window(),
            self.check_past_forecasts(),
            self.check_price_level(),
            self.check_missing_data(),
        ]

    def check_repeatability(self) -> Finding:
        """The same history twice gives the same bits."""
        found = self._scores(self.history.frame, self.days)
        difference = first_difference(self.expected, found, self.days, self.tickers)
        if difference is None:
            return passed(Guard.REPEATABILITY, "two runs give the same bits")
        return failed(Guard.REPEATABILITY, f"a second run differs: {difference}; use no random number")

    def check_look_ahead(self) -> Finding:
        """At every session: later rows cut off, or replaced by NaN and by 1e9, change no bit up to it."""
        for place, day in enumerate(self.days):
            for name, change in (
                ("removed", _cut_after(day)),
                *((f"set to {one:g}", _poison_after(day, one)) for one in POISONS),
            ):
                found = self._scores(change(self.history.frame), self.days[: place + 1])
                difference = first_difference(self.expected[: place + 1], found, self.days, self.tickers)
                if difference is not None:
                    detail = f"with all rows after {day} {name}: {difference}; a row's score reads later rows"
                    return failed(Guard.LOOK_AHEAD, detail)
        sessions = len(self.days)
        return passed(Guard.LOOK_AHEAD, f"later rows removed and poisoned at each of {sessions} sessions: same bits")

    def check_ticker_boundary(self) -> Finding:
        """The tickers in the opposite order: each keeps its scores, unless one ticker's rows are read as another's.

        It is the first rows of a ticker that show it, so all sessions of the history are compared.
        """
        renamed = {ticker: f"{place:06d}" for place, ticker in enumerate(reversed(self.tickers))}
        frame = self.history.frame.with_columns(pl.col("ticker").replace_strict(renamed)).sort("ticker", "date")
        days = self.history.frame.get_column("date").unique().sort().to_list()
        scored = self.strategy.score_sessions(History(frame), days, tuple(sorted(renamed.values())))
        expected = self._scores(self.history.frame, days)
        difference = first_difference(expected, scored[:, ::-1], days, self.tickers, tolerance=ROUNDING)
        if difference is None:
            return passed(Guard.TICKER_BOUNDARY, "the order of the tickers changes nothing")
        hint = 'rows of one ticker are read for another; write .over("ticker") after shift, diff and rolling'
        return failed(Guard.TICKER_BOUNDARY, f"with the tickers in another order: {difference}; {hint}")

    def check_window(self) -> Finding:
        """At every session: the last `history_sessions` sessions alone give the scores of the whole history."""
        length, known = self.strategy.history_sessions, self.history.frame.get_column("date").unique().sort()
        for place, day in enumerate(self.days):
            end = int(known.search_sorted(day, side="right"))
            window = self.history.frame.filter(pl.col("date").is_between(known[max(end - length, 0)], day))
            difference = self._differs_on(place, window)
            if difference is not None:
                hint = f"the score reads more than history_sessions = {length} sessions: make it larger"
                return failed(Guard.WINDOW, f"from its window alone: {difference}; {hint}")
        return passed(Guard.WINDOW, f"{length} sessions alone give the scores of the whole history")

    def check_past_forecasts(self) -> Finding:
        """At every session: without the forecasts of earlier sessions the scores are the same."""
        for place, day in enumerate(self.days):
            frame = self.history.frame.with_columns(
                pl.when(pl.col("date") == day).then(pl.col(name)).alias(name) for name in QUANTILES
            )
            difference = self._differs_on(place, frame)
            if difference is not None:
                hint = "the running fund has the forecasts of the day alone"
                return failed(Guard.PAST_FORECASTS, f"without earlier forecasts: {difference}; {hint}")
        return passed(Guard.PAST_FORECASTS, "no forecast of an earlier session is read")

    def check_price_level(self) -> Finding:
        """Prices and volumes of every ticker in other units give the same scores to rounding."""
        changed = self.history.frame.with_columns(*(pl.col(name) * LEVEL for name in PRICES), pl.col("volume") / LEVEL)
        found = self._scores(changed, self.days)
        difference = first_difference(self.expected, found, self.days, self.tickers, tolerance=ROUNDING)
        if difference is None:
            return passed(Guard.PRICE_LEVEL, "only ratios of prices are read")
        hint = "a split or dividend changes the level of adjusted prices: read ratios between sessions"
        return failed(Guard.PRICE_LEVEL, f"with prices in another unit: {difference}; {hint}")

    def check_missing_data(self) -> Finding:
        """Missing bars, a halt, one name alone and no name at all raise no error."""
        for name, change in _absences(self.days):
            try:
                self._scores(change(self.history.frame), self.days)
            except (FundError, pl.exceptions.PolarsError, ArithmeticError, ValueError, LookupError, TypeError) as error:
                detail = error.detail if isinstance(error, FundError) else f"{type(error).__name__}: {error}"
                return failed(Guard.MISSING_DATA, f"with {name}: {detail}")
        return passed(Guard.MISSING_DATA, "missing bars, a halt, one name and no name: no error")

    def _scores(self, frame: pl.DataFrame, days: Sequence[date]) -> FloatArray:
        return self.strategy.score_sessions(History(frame), list(days), self.tickers)

    def _differs_on(self, place: int, frame: pl.DataFrame) -> Difference | None:
        days = self.days[place : place + 1]
        found = self._scores(frame, days)
        return first_difference(self.expected[place : place + 1], found, days, self.tickers, tolerance=ROUNDING)


def _cut_after(day: date) -> Change:
    return lambda frame: frame.filter(pl.col("date") <= day)


def _poison_after(day: date, value: float) -> Change:
    later = pl.col("date") > day
    columns = (*PRICES, "volume", *QUANTILES)
    return lambda frame: frame.with_columns(
        pl.when(later).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name in columns
    )


def _absences(days: Sequence[date]) -> Iterable[tuple[str, Change]]:
    """Histories with something missing, by what is missing."""
    middle = days[len(days) // 2]

    def drop_bars(frame: pl.DataFrame) -> pl.DataFrame:
        absent = np.random.default_rng(1).random(frame.height) < ABSENT
        return frame.filter(~pl.Series(absent))

    def halt(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.filter((pl.col("ticker") != pl.col("ticker").first()) | (pl.col("date") < middle))

    yield "a tenth of the bars missing", drop_bars
    yield "a name that is halted for good", halt
    yield "one name alone", lambda frame: frame.filter(pl.col("ticker") == pl.col("ticker").first())
    yield "no forecast", lambda frame: frame.with_columns(pl.lit(None, pl.Float64).alias(name) for name in QUANTILES)
    yield "no sector", lambda frame: frame.with_columns(pl.lit(None, pl.String).alias("sector"))
    yield "no bar at all", lambda frame: frame.clear()
