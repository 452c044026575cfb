"""The baselines: against NumPy by hand, calibrated where the truth is known, causal, restored from their arrays."""

import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from math import fsum

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.baselines import heterogeneous
from internal.baselines.catalogue import BASELINES, find_best_baseline
from internal.baselines.conditional_variance import ConditionalVariance, sum_by_ticker
from internal.baselines.forecast import future_log_returns, to_daily
from internal.baselines.heterogeneous import AdaptiveVolatility
from internal.baselines.history import RollingHistory
from internal.baselines.session_earnings import SessionEarnings
from internal.baselines.volatility import BlendedVolatility
from internal.errors import ArtifactError, InvalidRequestError
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe

MakeBars = Callable[[int, date, date], pl.DataFrame]
MakeDetails = Callable[[int], pl.DataFrame]
START, END = date(2021, 1, 4), date(2024, 6, 28)
FOLD = Block(START, date(2023, 6, 30))


@pytest.fixture(name="observed", scope="module")
def _observed(make_bars: MakeBars, make_details: MakeDetails) -> pl.DataFrame:
    return observe(build_panel(make_bars(6, START, END), make_details(6), end=END).frame)


def _later(frame: pl.DataFrame) -> np.ndarray:
    """Rows after the fold whose horizon is known."""
    known = np.isfinite(future_log_returns(frame, last=END)).all(axis=1)
    return np.asarray(frame.select(pl.col("date") > FOLD.last).to_series().to_numpy() & known)


def test_sums_by_ticker_while_others_compute() -> None:
    """150 times the same bits; what Polars' sums without an order gave differs in some of 100."""
    generator = np.random.default_rng(1)
    tickers, values = generator.choice(["c", "a", "b"], 56_000), generator.integers(0, 8, 56_000) / 7
    frame = pl.DataFrame({"ticker": tickers, "0": values})
    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(_compute_something) for _ in range(2)]
        found = {sum_by_ticker(frame).write_json() for _ in range(150)}
        for other in others:
            other.result()
    assert len(found) == 1
    sums = {ticker: fsum(values[tickers == ticker]) for ticker in "abc"}
    assert dict(sum_by_ticker(frame).rows()) == pytest.approx(sums, rel=1e-12)


def _compute_something() -> None:
    generator = np.random.default_rng(2)
    frame = pl.DataFrame({"group": generator.integers(0, 99, 200_000), "value": generator.random(200_000)})
    for _ in range(100):
        frame.group_by("group").agg(pl.col("value").mean())


def test_rolling_history_is_numpys_quantile(observed: pl.DataFrame) -> None:
    """The three-session quantiles are NumPy's over the last 252 three-session returns."""
    rows = observed.filter(pl.col("ticker") == "T00")
    close = np.log(rows["close"].to_numpy())
    returns = close[3:] - close[:-3]
    expected = np.quantile(returns[600 - 3 - 251 : 600 - 3 + 1], [0.1, 0.5, 0.9])
    answer = RollingHistory().quantiles(rows)
    assert answer.cumulative[600, 2] == pytest.approx(expected)
    daily = np.quantile(rows["past_daily_return"].to_numpy()[600 - 251 : 601], [0.1, 0.5, 0.9])
    assert answer.daily[600, 4] == pytest.approx(daily)


def test_rolling_history_reads_its_window_alone(observed: pl.DataFrame) -> None:
    """Rows that are asked for have the bits that they have among all rows."""
    everywhere, rows = RollingHistory().quantiles(observed), np.flatnonzero(observed["session"] > 300)[::3]
    answer = RollingHistory().quantiles(observed, rows)
    assert answer.cumulative.tobytes() == everywhere.cumulative[rows].tobytes()
    assert answer.daily.tobytes() == everywhere.daily[rows].tobytes()


def test_future_returns_by_hand(observed: pl.DataFrame) -> None:
    """The label of step 5 is the log ratio of closes, and single sessions compound to it."""
    ahead, close = future_log_returns(observed, last=END), observed["close"].to_numpy()
    assert ahead[100, 4] == pytest.approx(np.log(close[105] / close[100]))
    assert np.prod(1 + to_daily(ahead)[100, :5]) == pytest.approx(close[105] / close[100])


def test_labels_end_with_the_fold(observed: pl.DataFrame) -> None:
    """A label that reaches beyond the last date is not known."""
    ahead = future_log_returns(observed, last=FOLD.last)
    row = observed.with_row_index().filter((pl.col("ticker") == "T02") & (pl.col("date") == FOLD.last))["index"].item()
    assert np.isnan(ahead[row]).all()
    assert np.isnan(ahead[row - 3]).tolist() == [False, False, False, True, True, True, True]


def test_future_returns_in_a_plain_loop() -> None:
    """Of three segments, one of which never trades: up to its last trade and the last day, to the bit."""
    generator, days = np.random.default_rng(3), [date(2024, 1, 1) + timedelta(days=number) for number in range(12)]
    lengths = (12, 5, 9)
    frame = pl.DataFrame(
        {
            "date": [day for length in lengths for day in days[-length:]],
            "segment": np.repeat(np.arange(3, dtype=np.uint32), lengths),
            "close": generator.uniform(50, 150, 26),
            "traded": [True] * 10 + [False] * 2 + [False] * 5 + [True] * 9,
        }
    )
    last, logs, ahead = days[10], frame["close"].log().to_list(), future_log_returns(frame, last=days[10])
    ends = {0: days[9], 1: last, 2: last}
    for row, (_, segment, _, _) in enumerate(frame.iter_rows()):
        for step in range(1, 8):
            known = row + step < 26 and frame["segment"][row + step] == segment
            known = known and frame["date"][row + step] <= ends[segment]
            expected = logs[row + step] - logs[row] if known else np.nan
            np.testing.assert_array_equal(ahead[row, step - 1], expected)
    chosen = np.array([20, 3, 3])
    assert future_log_returns(frame, last=last, rows=chosen).tobytes() == ahead[chosen].tobytes()


def test_blend_pools_step_by_step(observed: pl.DataFrame) -> None:
    """Its tables are NumPy's quantiles of all steps at once, to the bit; less than eight numbers a row are held."""
    inside = ((observed["date"] <= FOLD.last) & observed["volatility"].is_not_null()).to_numpy()
    ahead, volatility = future_log_returns(observed, last=FOLD.last)[inside], observed["volatility"].to_numpy()[inside]
    scaled = ahead / (volatility[:, None] * np.sqrt(np.arange(1, 8))), to_daily(ahead) / volatility[:, None]
    expected = [np.nanquantile(values, [0.1, 0.5, 0.9], axis=0).T for values in scaled]
    many = pl.concat(observed.with_columns(pl.col("segment") + 6 * number) for number in range(60))
    fitted = BlendedVolatility.fit(observed, fold=FOLD)
    assert [fitted.cumulative.tobytes(), fitted.daily.tobytes()] == [table.tobytes() for table in expected]
    tracemalloc.start()
    try:
        BlendedVolatility.fit(many, fold=FOLD)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 8 * many.height


def test_adaptive_forecasts_do_not_depend_on_the_parts(observed: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quantiles made seven rows at a time are the bits of the scales' and the factors' products at once."""
    fitted, rows = AdaptiveVolatility.fit(observed, fold=FOLD), np.flatnonzero(observed["date"] > FOLD.last)
    scales, factors = fitted.scales_and_factors(observed, rows)
    whole = fitted.widen(fitted.plain(scales), *factors)
    monkeypatch.setattr(heterogeneous, "PART_ROWS", 7)
    found = fitted.quantiles(observed, rows)
    assert found.cumulative.tobytes() == whole.cumulative.tobytes()
    assert found.daily.tobytes() == whole.daily.tobytes()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12)), max_size=6))
def test_places_of_sessions_ahead_in_a_plain_loop(segments: list[tuple[int, int]]) -> None:
    """Sessions ahead are in the order of sessions, then of the panel; each is followed by its segment's next one."""
    session = np.array([begin + row for begin, length in segments for row in range(length)], np.int64)
    age = np.array([row for _, length in segments for row in range(length)], np.int64)
    earnings = SessionEarnings.of(session, age == 2, age > 2, features=1)
    ahead = [
        (begin + row + 1, number)
        for number, (begin, length) in enumerate(segments)
        if length > 2
        for row in range(2, length + 6)
    ]
    ordered = sorted(range(len(ahead)), key=lambda place: (ahead[place][0], place))
    assert [ordered.index(number) for number in range(len(ahead))] == earnings.place.tolist()
    assert earnings.before.tolist() == [0, *np.cumsum(np.where(age == 2, 7, age > 2)).tolist()]
    for number, (_, segment) in enumerate(ahead[:-1]):
        if ahead[number + 1][1] == segment:
            assert earnings.following[earnings.place[number]] == earnings.place[number + 1]


@pytest.mark.parametrize("kind", BASELINES)
def test_quantiles_are_ordered_and_cover(observed: pl.DataFrame, kind: str) -> None:
    """On a random walk with clustered volatility the 80 % interval covers about 80 % of the later returns."""
    answer, rows = BASELINES[kind].fit(observed, fold=FOLD).quantiles(observed), _later(observed)
    for quantiles, truth in (
        (answer.cumulative[rows], future_log_returns(observed, last=END)[rows]),
        (answer.daily[rows], to_daily(future_log_returns(observed, last=END))[rows]),
    ):
        assert (np.diff(quantiles, axis=2) >= 0).all()
        inside = (truth >= quantiles[..., 0]) & (truth <= quantiles[..., 2])
        assert 0.74 < inside.mean() < 0.86


@pytest.mark.parametrize("kind", BASELINES)
def test_later_bars_change_nothing(
    make_bars: MakeBars, make_details: MakeDetails, observed: pl.DataFrame, kind: str
) -> None:
    """Fitted on the fold, the forecast at t is bit-equal when every bar after t is poisoned."""
    day = date(2024, 3, 15)
    poisoned = make_bars(6, START, END).with_columns(
        pl.when(pl.col("date") > day).then(pl.col(price) * 2).otherwise(pl.col(price))
        for price in ("open", "high", "low", "close")
    )
    other = observe(build_panel(poisoned, make_details(6), end=END).frame)

    def answer(frame: pl.DataFrame) -> tuple[bytes, bytes]:
        rows = frame.select(pl.col("date") <= day).to_series().to_numpy()
        forecast = BASELINES[kind].fit(frame, fold=FOLD).quantiles(frame)
        return forecast.cumulative[rows].tobytes(), forecast.daily[rows].tobytes()

    assert answer(other) == answer(observed)


@pytest.mark.parametrize("kind", BASELINES)
def test_arrays_restore(observed: pl.DataFrame, kind: str) -> None:
    """What is stored forecasts the same."""
    fitted = BASELINES[kind].fit(observed, fold=FOLD)
    restored = BASELINES[kind].from_arrays(fitted.to_arrays())
    assert restored.quantiles(observed).cumulative.tobytes() == fitted.quantiles(observed).cumulative.tobytes()


def test_garch_by_hand(observed: pl.DataFrame) -> None:
    """The next session's variance is Bollerslev's recursion, run in a plain loop; later ones return to the long run."""
    fitted = ConditionalVariance.fit(observed, fold=FOLD)
    rows = observed.filter(pl.col("ticker") == "T03")
    shock, persistence = fitted.pairs[fitted.tickers.index("T03")]
    squares = rows["log_return"].to_numpy() ** 2
    variance, total, count = 1e-6, 0.0, 0
    for count, square in enumerate(squares[1:], start=1):
        total += square
        variance = (1 - persistence) * max(total / count, 1e-6) + shock * square + (persistence - shock) * variance
    _, daily = fitted.scales(observed)
    last = daily[observed["ticker"].to_numpy() == "T03"][-1]
    long_run = total / count
    assert last[0] == pytest.approx(np.sqrt(variance))
    assert last[6] == pytest.approx(np.sqrt(long_run + persistence**6 * (variance - long_run)))


def test_garch_of_an_unknown_ticker(observed: pl.DataFrame) -> None:
    """A ticker that was not in the fold takes the pooled pair, and has a forecast."""
    fitted = ConditionalVariance.fit(observed.filter(pl.col("ticker") != "T05"), fold=FOLD)
    unknown = observed["ticker"].to_numpy() == "T05"
    answer = fitted.quantiles(observed)
    assert np.isfinite(answer.daily[unknown][-1]).all()
    assert fitted.tickers == ["T00", "T01", "T02", "T03", "T04"]


@pytest.mark.parametrize("kind", ["blended_volatility", "conditional_variance", "adaptive_volatility"])
def test_wrong_arrays_are_refused(observed: pl.DataFrame, kind: str) -> None:
    """An array of another shape, or none, is named."""
    arrays = BASELINES[kind].fit(observed, fold=FOLD).to_arrays()
    with pytest.raises(ArtifactError, match="daily"):
        BASELINES[kind].from_arrays(arrays | {"daily": np.zeros((2, 2))})
    with pytest.raises(ArtifactError, match="cumulative"):
        BASELINES[kind].from_arrays({name: array for name, array in arrays.items() if name != "cumulative"})


@pytest.mark.parametrize("kind", ["blended_volatility", "heterogeneous_volatility"])
def test_empty_fold_is_refused(observed: pl.DataFrame, kind: str) -> None:
    """A fold without a row is refused with its dates."""
    with pytest.raises(InvalidRequestError, match="1999-01-04"):
        BASELINES[kind].fit(observed, fold=Block(date(1999, 1, 4), date(1999, 6, 1)))


def test_har_knows_volatile_from_calm(observed: pl.DataFrame) -> None:
    """Where volatility swings slowly, HAR's interval widths follow the size of the moves that came."""
    rows = _later(observed)
    answer = BASELINES["heterogeneous_volatility"].fit(observed, fold=FOLD).quantiles(observed)
    width = (answer.daily[rows, 0, 2] - answer.daily[rows, 0, 0]).ravel()
    moved = np.abs(to_daily(future_log_returns(observed, last=END))[rows, 0])
    wide = width > np.quantile(width, 2 / 3)
    assert moved[wide].mean() > 1.3 * moved[~wide].mean()


def test_a_baseline_is_no_baseline_of_its_own() -> None:
    """A model is compared with the best of the others, also where it is a baseline and better itself."""
    history = {"cumulative_loss": 0.0052}
    held_out = {"heterogeneous_volatility": {"cumulative_loss": 0.005}, "rolling_history": history}
    assert find_best_baseline(held_out, "heterogeneous_volatility") == "rolling_history"
    assert find_best_baseline(held_out, "temporal_fusion_transformer") == "heterogeneous_volatility"
    assert find_best_baseline({"rolling_history": history}, "rolling_history") is None
