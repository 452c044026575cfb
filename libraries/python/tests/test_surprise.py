"""The surprise factor: by hand, without look-ahead, a function of its window, and what it does for a break."""

import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.baselines.heterogeneous import AdaptiveVolatility, EarningsVolatility
from internal.baselines.surprise import DECAY, FEWEST, STRENGTH, WINDOW, log_sizes_ahead, surprise_factors
from internal.dates import next_session
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import find_origins
from internal.forecasting.quantiles import RowQuantiles
from internal.price_adjustment import adjust_for_splits
from internal.venue.market.simulated import SimulatedMarket
from internal.venue.market.volatility_regime import VolatilityRegime

TICKERS = 8
FIRST, BREAK, LAST = date(2022, 6, 1), date(2023, 9, 1), date(2024, 1, 31)


def test_factors_by_hand() -> None:
    """The factor is an exponentially weighted average of the means of earlier sessions' surprises, in a plain loop."""
    random = np.random.default_rng(3)
    surprises = random.normal(size=(40, TICKERS))
    surprises[7, 2:] = np.nan  # too few tickers: no news
    surprises[11, :3] = np.nan  # five of eight: the mean of these
    average, expected = 0.0, [1.0]
    for day in range(39):
        known = [value for value in surprises[day].tolist() if math.isfinite(value)]
        average = DECAY * average + (1 - DECAY) * (sum(known) / len(known) if len(known) >= FEWEST else 0.0)
        expected.append(float(np.exp(STRENGTH * average)))
    session = np.repeat(np.arange(100, 140), TICKERS)
    factors = surprise_factors(session, surprises.ravel()).reshape(40, TICKERS)
    assert factors[:, 0] == pytest.approx(expected)
    assert (factors == factors[:, :1]).all()


@given(st.integers(0, 199), st.integers(0, 2**32 - 1))
def test_later_surprises_change_no_bit(day: int, seed: int) -> None:
    """A session's factor does not depend on its own surprises or later ones, nor on whether later sessions exist."""
    random, session = np.random.default_rng(seed), np.repeat(np.arange(200), TICKERS)
    surprises = random.normal(size=session.shape)
    up_to, other = session <= day, np.where(session >= day, 50.0, surprises)
    factors = surprise_factors(session, surprises)[up_to].tobytes()
    assert factors == surprise_factors(session, other)[up_to].tobytes()
    assert factors == surprise_factors(session[up_to], surprises[up_to])[: up_to.sum()].tobytes()


@given(st.integers(0, 2**32 - 1))
def test_what_is_older_than_the_window_changes_no_bit(seed: int) -> None:
    """A service that reads a year computes what an evaluation over all history computes."""
    random, session = np.random.default_rng(seed), np.repeat(np.arange(WINDOW + 130), TICKERS)
    surprises = random.normal(size=session.shape)
    late = session >= 100
    cut = surprise_factors(session[late], surprises[late])
    whole = surprise_factors(session, surprises)[late]
    reached = session[late] >= 100 + WINDOW
    assert cut[reached].tobytes() == whole[reached].tobytes()


def test_sizes_ahead_by_hand() -> None:
    """Half of the log variance of the segment's next session; unknown at its end and where that did not trade."""
    frame = pl.DataFrame(
        {"segment": [0, 0, 0, 1, 1], "traded": [True, True, False, True, True], "variance": [1e-4, 4e-4, 0, 9e-4, 0]}
    )
    expected = [np.log(0.02), np.nan, np.nan, np.log(np.sqrt(1e-7)), np.nan]
    assert log_sizes_ahead(frame) == pytest.approx(expected, nan_ok=True)


def test_no_row_has_no_factor() -> None:
    """An empty panel."""
    assert surprise_factors(np.empty(0, np.int64), np.empty(0)).shape == (0,)


@pytest.fixture(name="broken", scope="module")
def _broken() -> pl.DataFrame:
    """A simulated market whose volatility is three times as high from a day on."""
    market = SimulatedMarket(
        seed=2,
        ticker_count=40,
        signal="none",
        first_day=FIRST,
        opening_day=date(2023, 8, 1),
        last_day=LAST,
        regime=VolatilityRegime(BREAK, 100, 3.0),
    )
    bars = adjust_for_splits(market.bars_between(FIRST, LAST), market.splits(FIRST, LAST))
    details = pl.DataFrame(
        [{"ticker": one.ticker, "sector": one.sector, "industry": one.industry} for one in market.listings(LAST)]
    )
    return observe(build_panel(bars, details, end=LAST).frame)


def _coverage(answer: RowQuantiles, frame: pl.DataFrame, rows: np.ndarray) -> float:
    """Of the 80 % interval over seven sessions."""
    close = pl.col("close").log()
    ahead = frame.select((close.shift(-7) - close).over("segment"))["close"].to_numpy()[rows]
    known = np.isfinite(ahead)
    low, _, high = answer.cumulative[:, 6].T
    return float(((ahead >= low) & (ahead <= high))[known].mean())


def test_a_simulated_break_is_covered(broken: pl.DataFrame) -> None:
    """In the first 60 sessions after volatility has tripled the interval covers 92 % of its nominal rate and more.

    HAR alone, fitted before the break, does not.
    """
    fold = Block(FIRST, date(2023, 8, 31))
    fitted = AdaptiveVolatility.fit(broken, fold=fold)
    plain = EarningsVolatility.from_arrays(fitted.to_arrays())
    rows = find_origins(broken, Block(BREAK, next_session(BREAK, 59)))
    assert _coverage(plain.quantiles(broken, rows), broken, rows) < 0.92 * 0.8
    assert _coverage(fitted.quantiles(broken, rows), broken, rows) >= 0.92 * 0.8


def test_a_years_bars_forecast_what_all_bars_do(broken: pl.DataFrame) -> None:
    """The walk-forward form, which begins 320 sessions before, and the whole panel agree; later bars change no bit.

    They differ by what the adaptive factors remember beyond that: 0.99 ** 320 is 4 % of a log width.
    """
    fitted = AdaptiveVolatility.fit(broken, fold=Block(FIRST, date(2023, 8, 31)))
    rows = AdaptiveVolatility.arrange(broken)
    last = len(rows.days) - 20
    by_session = fitted.quantiles_of_sessions(rows, last, last)
    cut = broken.filter(pl.col("date") <= rows.days[last])
    day = np.flatnonzero((cut["date"] == rows.days[last]).to_numpy())
    expected = fitted.quantiles(cut, day)
    same = fitted.quantiles(broken, np.flatnonzero((broken["date"] == rows.days[last]).to_numpy()))
    assert same.cumulative.tobytes() == expected.cumulative.tobytes()
    assert by_session.cumulative == pytest.approx(expected.cumulative, rel=5e-3, nan_ok=True)
