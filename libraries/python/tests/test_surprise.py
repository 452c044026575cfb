"""The surprise factor: by hand, without look-ahead, a function of its window, and what it does for a break."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.baselines.adaptation import adaptive_factors, past_returns_ahead, widen_intervals
from internal.baselines.boosted_volatility import BoostedVolatility
from internal.baselines.break_response import CURRENT, MARKET_ALONE
from internal.baselines.heterogeneous import AdaptiveVolatility, EarningsVolatility
from internal.baselines.surprise import DECAY, FEWEST, WINDOW, average_by_day, log_sizes_ahead, surprise_factors
from internal.baselines.ticker_groups import FEW_NAMES, SessionOrder, TickerGroups
from internal.dates import next_session
from internal.errors import ArtifactError
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


def _group(session: np.ndarray) -> TickerGroups:
    """Sessions of TICKERS rows: two thirds, and three, three and two tickers of an unknown and of two sectors."""
    row = np.arange(len(session)) % TICKERS
    return TickerGroups(SessionOrder.of(session), row % 2, np.array([0, 0, 0, 1, 1, 1, 2, 2])[row])


def test_factors_by_hand() -> None:
    """In a plain loop: averages of the market's mean surprises, and of each group's beyond it.

    The market's count by their share of signal, a group's by its tickers; tickers without a sector are none.
    """
    surprises = np.random.default_rng(3).normal(size=(40, TICKERS))
    surprises[7, 2:] = np.nan  # too few tickers: no news
    surprises[11, :3] = np.nan  # five of eight: the mean of these
    session = np.repeat(np.arange(100, 140), TICKERS)
    groups = _group(session)
    market, apart = 0.0, {(kind, number): 0.0 for kind in ("third", "sector") for number in range(3)}
    expected = np.ones((40, TICKERS))
    for day in range(39):
        known = surprises[day][np.isfinite(surprises[day])]
        news = float(known.mean()) if len(known) >= FEWEST else 0.0
        market = DECAY * market + (1 - DECAY) * news
        for (kind, number), average in apart.items():
            own = surprises[day][(getattr(groups, kind)[:TICKERS] == number) & np.isfinite(surprises[day])]
            counts = len(known) >= FEWEST and len(own) and (kind, number) != ("sector", 0)
            beyond = (own.mean() - news) * len(own) / (len(own) + FEW_NAMES) if counts else 0.0
            apart[kind, number] = DECAY * average + (1 - DECAY) * float(beyond)
        for ticker in range(TICKERS):
            of_groups = apart["third", int(groups.third[ticker])] + apart["sector", int(groups.sector[ticker])]
            signal = market**2 / (market**2 + 0.1**2)
            expected[day + 1, ticker] = math.exp(1.3 * market * signal + of_groups)
    assert surprise_factors(groups, surprises.ravel(), CURRENT) == pytest.approx(expected.ravel())


def test_the_first_response_by_hand() -> None:
    """An artifact that holds 0.7 for the market and nothing else forecasts as it did."""
    surprises = np.random.default_rng(4).normal(size=(20, TICKERS))
    average, expected = 0.0, [1.0]
    for news in surprises.mean(axis=1)[:-1].tolist():
        average = DECAY * average + (1 - DECAY) * news
        expected.append(math.exp(0.7 * average))
    groups = _group(np.repeat(np.arange(20), TICKERS))
    assert surprise_factors(groups, surprises.ravel(), MARKET_ALONE)[::TICKERS] == pytest.approx(expected)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 199), st.integers(0, 2**32 - 1))
def test_later_surprises_change_no_bit(day: int, seed: int) -> None:
    """A session's factor does not depend on its own surprises or later ones, nor on whether later sessions exist."""
    random, session = np.random.default_rng(seed), np.repeat(np.arange(200), TICKERS)
    surprises = random.normal(size=session.shape)
    up_to, other = session <= day, np.where(session >= day, 50.0, surprises)
    factors = surprise_factors(_group(session), surprises, CURRENT)[up_to].tobytes()
    assert factors == surprise_factors(_group(session), other, CURRENT)[up_to].tobytes()
    cut = surprise_factors(_group(session[up_to]), surprises[up_to], CURRENT)
    assert factors == cut[: up_to.sum()].tobytes()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_what_is_older_than_the_window_changes_no_bit(seed: int) -> None:
    """A service that reads a year computes what an evaluation over all history computes."""
    random, session = np.random.default_rng(seed), np.repeat(np.arange(WINDOW + 130), TICKERS)
    surprises = random.normal(size=session.shape)
    late = session >= 100
    cut = surprise_factors(_group(session[late]), surprises[late], CURRENT)
    whole = surprise_factors(_group(session), surprises, CURRENT)[late]
    reached = session[late] >= 100 + WINDOW
    assert cut[reached].tobytes() == whole[reached].tobytes()


@settings(deadline=None)  # the first one may compile the kernels
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.floats()), max_size=40))
def test_averages_by_day_in_numpy(rows: list[tuple[int, int, float]]) -> None:
    """Sums of the finite values of each cell in the order of rows, to the bit."""
    day, group, value = (np.array(column) for column in zip(*rows, strict=True)) if rows else np.empty((3, 0), int)
    value = np.where(np.abs(value) < 1e300, value, np.nan)
    for size, given_group in ((1, None), (3, group)):
        mean, count = average_by_day(value, day, given_group, size)
        known = np.isfinite(value)
        cell, shape = (day * size + (given_group is not None) * group)[known], (int(day.max(initial=-1)) + 1, size)
        counts, sums = (np.bincount(cell, weights, shape[0] * size).reshape(shape) for weights in (None, value[known]))
        np.testing.assert_array_equal(mean, sums / np.maximum(counts, 1))
        np.testing.assert_array_equal(count, counts)


def test_days_and_groups_outside_are_refused() -> None:
    """C would write elsewhere."""
    values, inside = np.ones(3), np.zeros(3, np.int32)
    for day, group in ((inside - 1, None), (inside[:2], None), (inside, inside + 2), (inside, inside - 1)):
        with pytest.raises(ValueError, match="the number of a day"):
            average_by_day(values, day, group, 2)


def test_sizes_ahead_by_hand() -> None:
    """Half of the log variance of the segment's next session; unknown at its end and where that did not trade."""
    frame = pl.DataFrame(
        {
            "segment": [0, 0, 0, 1, 1],
            "traded": [True, True, False, True, True],
            "range_variance": [1e-4, 4e-4, 0, 9e-4, 0],
        }
    )
    expected = [np.log(0.02), np.nan, np.nan, np.log(np.sqrt(1e-7)), np.nan]
    assert log_sizes_ahead(frame) == pytest.approx(expected, nan_ok=True)


@settings(deadline=None)  # the first one may compile the kernels
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.none() | st.floats(0, 1)), max_size=40))
def test_sizes_ahead_are_those_of_polars(rows: list[tuple[int, bool, float | None]]) -> None:
    """To the bit, of segments of any lengths, of rows that did not trade or have no variance."""
    columns = {"segment": pl.UInt32, "traded": pl.Boolean, "range_variance": pl.Float64}
    frame = pl.DataFrame(sorted(rows, key=lambda row: row[0]), schema=columns, orient="row")
    size = pl.when("traded").then(pl.col("range_variance").clip(1e-7).log() / 2)
    expected = frame.select(size.shift(-1).over("segment").fill_null(float("nan"))).to_series()
    np.testing.assert_array_equal(log_sizes_ahead(frame), expected.to_numpy())


def test_no_row_has_no_factor() -> None:
    """An empty panel."""
    assert surprise_factors(_group(np.empty(0, np.int64)), np.empty(0), CURRENT).shape == (0,)


def _observe(regime: VolatilityRegime | None, missing: float = 0.0, still: int = 0) -> pl.DataFrame:
    """A simulated market, of which a share of the bars, drawn at random, is missing, and with tickers at one price."""
    market = SimulatedMarket(
        seed=2,
        ticker_count=40,
        signal="none",
        first_day=FIRST,
        opening_day=date(2023, 8, 1),
        last_day=LAST,
        regime=regime,
    )
    bars = adjust_for_splits(market.bars_between(FIRST, LAST), market.splits(FIRST, LAST))
    bars = bars.filter(np.random.default_rng(5).random(bars.height) >= missing)
    prices = dict.fromkeys(("open", "high", "low", "close"), pl.lit(10.0))
    first = bars.filter(pl.col("ticker") == bars["ticker"][0])
    copies = [first.with_columns(ticker=pl.lit(f"STILL{number}"), **prices) for number in range(still)]
    bars = pl.concat([bars, *copies])
    details = pl.DataFrame(
        [{"ticker": one.ticker, "sector": one.sector, "industry": one.industry} for one in market.listings(LAST)]
    )
    return observe(build_panel(bars, details, end=LAST).frame)


@pytest.fixture(name="broken", scope="module")
def _broken() -> pl.DataFrame:
    """A simulated market whose volatility is three times as high from a day on."""
    return _observe(VolatilityRegime(BREAK, 100, 3.0))


@pytest.fixture(name="fitted", scope="module")
def _fitted(broken: pl.DataFrame) -> AdaptiveVolatility:
    return AdaptiveVolatility.fit(broken, fold=Block(FIRST, date(2023, 8, 31)))


def _coverage(answer: RowQuantiles, frame: pl.DataFrame, rows: np.ndarray) -> float:
    """Of the 80 % interval over seven sessions."""
    close = pl.col("close").log()
    ahead = frame.select((close.shift(-7) - close).over("segment"))["close"].to_numpy()[rows]
    known = np.isfinite(ahead)
    low, _, high = answer.cumulative[:, 6].T
    return float(((ahead >= low) & (ahead <= high))[known].mean())


def test_missing_bars_are_no_break() -> None:
    """Where a tenth of the bars is missing, surprises are zero on average all the same, and widen no interval.

    The sessions that did not trade have no range; fitted on them, HAR would expect smaller moves than those that count.
    """
    frame = _observe(None, missing=0.1)
    fold = Block(FIRST, date(2023, 8, 31))
    fitted = AdaptiveVolatility.fit(frame, fold=fold)
    rows = find_origins(frame, fold)
    surprises = (log_sizes_ahead(frame) - np.log(fitted.scales(frame).daily[:, 0]))[rows]
    assert abs(np.nanmean(surprises)) < 0.02
    after = find_origins(frame, Block(date(2023, 9, 11), LAST))
    plain = EarningsVolatility.from_arrays(fitted.to_arrays())
    covered, without = (_coverage(one.quantiles(frame, after), frame, after) for one in (fitted, plain))
    assert abs(covered - without) < 0.05


def test_tickers_that_hardly_move_say_nothing_of_others() -> None:
    """Where a sixth of the market keeps one price, the others are covered as without it, the calm third as well.

    An artifact from before counts them, and covers the calm third, which they are in, too little.
    """
    markets = [_observe(None), _observe(None, still=8)]
    fitted = [AdaptiveVolatility.fit(frame, fold=Block(FIRST, date(2023, 8, 31))) for frame in markets]
    rows = [_find_calm_third(frame, Block(date(2023, 9, 11), LAST)) for frame in markets]
    without, beside = (
        _coverage(one.quantiles(frame, calm), frame, calm)
        for one, frame, calm in zip(fitted, markets, rows, strict=True)
    )
    before = replace(fitted[1], response=replace(CURRENT, moving_alone=False))
    assert abs(beside - without) < 0.01
    assert _coverage(before.quantiles(markets[1], rows[1]), markets[1], rows[1]) < without - 0.03
    by_session = fitted[1].quantiles_of_sessions(AdaptiveVolatility.arrange(markets[1]), 300, 300)
    day = np.flatnonzero((markets[1]["session"] - markets[1]["session"].min() == 300).to_numpy())
    assert by_session.cumulative == pytest.approx(fitted[1].quantiles(markets[1], day).cumulative, rel=5e-3)


@pytest.mark.parametrize("kind", [EarningsVolatility, BoostedVolatility])
def test_tickers_that_hardly_move_are_not_fitted_on(kind: type[EarningsVolatility] | type[BoostedVolatility]) -> None:
    """Returns in units of their scale have the outer quantiles that they have without such tickers."""
    fold = Block(FIRST, date(2023, 8, 31))
    outer = [kind.fit(_observe(None, still=still), fold=fold).cumulative[:, [0, 2]] for still in (0, 8)]
    assert outer[1] == pytest.approx(outer[0], rel=0.03)


def _find_calm_third(frame: pl.DataFrame, block: Block) -> np.ndarray:
    """The origins of the calm third, by volatility, of a date's tickers that do not keep one price, i64 [row]."""
    moving = frame.select("ticker", "date", "volatility", row=pl.int_range(pl.len()))[find_origins(frame, block)]
    moving = moving.filter(~pl.col("ticker").str.starts_with("STILL"))
    place = (pl.col("volatility").rank() / pl.len()).over("date")
    return moving.filter(place <= 1 / 3).get_column("row").to_numpy()


def test_a_simulated_break_is_covered(broken: pl.DataFrame, fitted: AdaptiveVolatility) -> None:
    """In the first 60 sessions after volatility has tripled the interval covers 92 % of its nominal rate and more.

    HAR alone, fitted before the break, does not.
    """
    plain = EarningsVolatility.from_arrays(fitted.to_arrays())
    rows = find_origins(broken, Block(BREAK, next_session(BREAK, 59)))
    assert _coverage(plain.quantiles(broken, rows), broken, rows) < 0.92 * 0.8
    assert _coverage(fitted.quantiles(broken, rows), broken, rows) >= 0.92 * 0.8


def test_a_years_bars_forecast_what_all_bars_do(broken: pl.DataFrame, fitted: AdaptiveVolatility) -> None:
    """The walk-forward form, which begins 320 sessions before, and the whole panel agree; later bars change no bit.

    They differ by what the adaptive factors remember beyond that: 0.99 ** 320 is 4 % of a log width.
    """
    rows = AdaptiveVolatility.arrange(broken)
    last = len(rows.days) - 20
    by_session = fitted.quantiles_of_sessions(rows, last, last)
    cut = broken.filter(pl.col("date") <= rows.days[last])
    day = np.flatnonzero((cut["date"] == rows.days[last]).to_numpy())
    expected = fitted.quantiles(cut, day)
    same = fitted.quantiles(broken, np.flatnonzero((broken["date"] == rows.days[last]).to_numpy()))
    assert same.cumulative.tobytes() == expected.cumulative.tobytes()
    assert by_session.cumulative == pytest.approx(expected.cumulative, rel=5e-3, nan_ok=True)


def test_an_artifact_forecasts_as_it_was_judged(broken: pl.DataFrame, fitted: AdaptiveVolatility) -> None:
    """One from before the factor keeps the scales of HAR and adapts by third; a new one restores its own response."""
    arrays = fitted.to_arrays()
    assert AdaptiveVolatility.from_arrays(arrays).response == CURRENT
    before = AdaptiveVolatility.from_arrays({name: one for name, one in arrays.items() if name != "moving_alone"})
    assert before.response == replace(CURRENT, moving_alone=False)
    assert before.to_arrays().keys() == arrays.keys() - {"moving_alone"}
    assert before.quantiles(broken).cumulative.tobytes() == fitted.quantiles(broken).cumulative.tobytes()
    old = AdaptiveVolatility.from_arrays({name: array for name, array in arrays.items() if name != "response"})
    scales = fitted.scales(broken)
    groups = TickerGroups.of(broken.with_columns(sector_number=0))
    factors = adaptive_factors(groups, fitted.cumulative, past_returns_ahead(broken) / scales.cumulative)
    expected = widen_intervals(fitted.plain(scales).cumulative, factors)
    assert old.quantiles(broken).cumulative == pytest.approx(expected, rel=1e-12, nan_ok=True)
    with pytest.raises(ArtifactError, match="response"):
        AdaptiveVolatility.from_arrays(arrays | {"response": np.zeros(3)})
