"""Guards on scores: each planted fault is found by its own guard, and a sound score passes all of them."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from internal.dates import previous_session, sessions
from internal.strategies.history import QUANTILES, History
from internal.strategies.strategy import Strategy
from research.guards.findings import Guard
from research.guards.score_guards import ScoreGuards

LAST = date(2024, 6, 28)
DAYS = sessions(previous_session(LAST, 89), LAST)
CHECKED = DAYS[-25:]


class Reversal(Strategy):
    """Sound: five bars back, within the ticker; a forecast of the day; the sector's mean of the day."""

    @property
    def history_sessions(self) -> int:
        """Some sessions more than five, for missing bars."""
        return 20

    def score(self, history: History) -> pl.Expr | pl.DataFrame:
        """Minus the five-day return, less its sector's mean, plus the forecast."""
        del history
        change = -(pl.col("close") / pl.col("close").shift(5).over("ticker") - 1)
        return change - change.mean().over("date", "sector") + pl.col("quantile_50").fill_null(0)


class Tomorrow(Reversal):
    """Looks one bar ahead."""

    def score(self, history: History) -> pl.Expr:
        """Perfect foresight."""
        del history
        return pl.col("close").shift(-1).over("ticker") / pl.col("close") - 1


class WholeMean(Reversal):
    """Compares with the mean over all sessions, later ones included."""

    def score(self, history: History) -> pl.Expr:
        """Volume against its mean over all rows of the ticker."""
        del history
        return pl.col("volume") / pl.col("volume").mean().over("ticker")


class Neighbour(Reversal):
    """Forgets that rows of another ticker come before the first one."""

    def score(self, history: History) -> pl.Expr:
        """A shift without over."""
        del history
        return pl.col("close") / pl.col("close").shift(85)


class ShortNeighbour(Reversal):
    """Forgets it for five rows alone, which no checked session reads."""

    def score(self, history: History) -> pl.Expr:
        """A short shift without over."""
        del history
        return pl.col("close") / pl.col("close").shift(5)


class Random(Reversal):
    """Draws a new number each time."""

    def score(self, history: History) -> pl.DataFrame:
        """Noise."""
        noise = np.random.default_rng().normal(size=history.frame.height)
        return history.frame.select("ticker", "date", pl.Series("score", noise))


class LongMemory(Reversal):
    """Reads thirty bars although it asks for twenty."""

    def score(self, history: History) -> pl.Expr:
        """A thirty-day return."""
        del history
        return pl.col("close") / pl.col("close").shift(30).over("ticker")


class OldForecast(Reversal):
    """Reads the forecast of the session before."""

    def score(self, history: History) -> pl.Expr:
        """Yesterday's median."""
        del history
        return pl.col("quantile_50").shift(1).over("ticker")


class CheapFirst(Reversal):
    """Reads the level of an adjusted price."""

    def score(self, history: History) -> pl.Expr:
        """The cheaper, the better."""
        del history
        return -pl.col("close")


class Fragile(Reversal):
    """Fails when a sector is unknown."""

    def score(self, history: History) -> pl.Expr | pl.DataFrame:
        """Needs a sector."""
        if history.frame.get_column("sector").null_count() == history.frame.height:
            raise ValueError("no sector")
        return super().score(history)


@pytest.fixture(scope="module")
def history() -> History:
    """Twelve tickers over ninety sessions, a few bars missing, with sectors and forecasts."""
    generator, frames = np.random.default_rng(5), list[pl.DataFrame]()
    for number in range(12):
        close = 50 * np.exp(np.cumsum(generator.normal(0, 0.02, len(DAYS))))
        prices = {"open": close * 0.99, "high": close * 1.02, "low": close * 0.98, "close": close}
        middle = generator.normal(0, 0.02, len(DAYS))
        bands = {name: middle + 0.05 * (place - 1) for place, name in enumerate(QUANTILES)}
        volume = generator.lognormal(14, 0.5, len(DAYS))
        frame = pl.DataFrame({"date": DAYS, **prices, "volume": volume, **bands}).select(
            pl.lit(f"T{number:02d}").alias("ticker"), pl.lit(f"sector {number % 3}").alias("sector"), pl.all()
        )
        frames.append(frame.filter(pl.Series(generator.random(len(DAYS)) > 0.02 * (number % 4))))
    return History(pl.concat(frames).with_columns(industry=pl.lit(None, pl.String)))


def failures(strategy: Strategy, history: History) -> set[Guard]:
    """The guards that a strategy does not pass."""
    return {one.guard for one in ScoreGuards(strategy, history, CHECKED).run() if not one.passed}


def test_a_sound_score_passes(history: History) -> None:
    """Every guard, at each of the sessions, with missing bars in the data."""
    assert failures(Reversal(), history) == set()


@pytest.mark.parametrize(
    ("strategy", "guard"),
    [
        (Tomorrow(), Guard.LOOK_AHEAD),
        (WholeMean(), Guard.LOOK_AHEAD),
        (Neighbour(), Guard.TICKER_BOUNDARY),
        (ShortNeighbour(), Guard.TICKER_BOUNDARY),
        (Random(), Guard.REPEATABILITY),
        (LongMemory(), Guard.WINDOW),
        (OldForecast(), Guard.PAST_FORECASTS),
        (CheapFirst(), Guard.PRICE_LEVEL),
        (Fragile(), Guard.MISSING_DATA),
    ],
)
def test_planted_faults_are_found(strategy: Strategy, guard: Guard, history: History) -> None:
    """Each fault is found by the guard that is there for it."""
    assert guard in failures(strategy, history)


def test_the_first_wrong_row_is_named(history: History) -> None:
    """Perfect foresight: the first checked session and its first ticker, with both values."""
    finding = ScoreGuards(Tomorrow(), history, CHECKED).check_look_ahead()
    assert f"T00 on {CHECKED[0]}: nan instead of" in finding.detail
    assert "reads later rows" in finding.detail
