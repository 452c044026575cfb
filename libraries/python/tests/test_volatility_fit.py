"""The fit of HAR-type baselines: scikit-learn's ridge on whole matrices, NumPy's quantiles, refits that are fits."""

# scikit-learn ships no types:
# pyright: reportUnknownMemberType=false

from collections.abc import Callable
from datetime import date
from itertools import accumulate
from typing import cast

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.baselines.forecast import future_log_returns, to_daily
from internal.baselines.heterogeneous import AdaptiveVolatility, EarningsVolatility, HeterogeneousVolatility
from internal.baselines.session_rows import YEAR_OF_HISTORY
from internal.baselines.staged_ridge import EMBARGO, MARKET_RIDGE, PARTS, RIDGE
from internal.baselines.standardisation import LARGEST_INPUT, Standardisation
from internal.baselines.volatility_fit import to_scales
from internal.dates import sessions
from internal.errors import InvalidRequestError
from internal.features.earnings_features import earnings_features
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.volatility_inputs import SHARED_BY_DATE, volatility_inputs
from internal.features.windows import HORIZON, find_origins

MakeBars = Callable[[int, date, date], pl.DataFrame]
MakeDetails = Callable[[int], pl.DataFrame]
START, LAST, END = date(2021, 1, 4), date(2023, 2, 28), date(2023, 6, 30)
FOLD = Block(START, LAST)
LEVELS = [0.1, 0.5, 0.9]


@pytest.fixture(name="frame", scope="module")
def _frame(make_bars: MakeBars, make_details: MakeDetails) -> pl.DataFrame:
    """Six tickers; one is halted for three sessions around the fold's end, another is delisted within the fold."""
    days = sessions(START, END)
    halt = days[days.index(LAST) - 1 : days.index(LAST) + 2]
    halted = (pl.col("ticker") == "T01") & pl.col("date").is_in(halt)
    delisted = (pl.col("ticker") == "T03") & (pl.col("date") > date(2022, 5, 2))
    bars = make_bars(6, START, END).filter(~halted & ~delisted)
    return observe(build_panel(bars, make_details(6), end=END).frame)


def _ridge(inputs: np.ndarray, target: np.ndarray, strength: float, *, intercept: bool = False) -> np.ndarray:
    """scikit-learn's coefficients, the intercept last."""
    from sklearn.linear_model import Ridge  # noqa: PLC0415 - one worker compares, all collect

    fitted = Ridge(alpha=strength, fit_intercept=intercept, solver="cholesky").fit(inputs, target)
    coefficients = cast("np.ndarray", fitted.coef_)
    return np.append(coefficients, cast("float", fitted.intercept_)) if intercept else coefficients


def _log_variances_ahead(frame: pl.DataFrame) -> np.ndarray:
    """Of the session each number of steps ahead, then of the mean of the sessions up to it, by Polars' expressions."""
    variance, steps = pl.col("range_variance"), range(1, HORIZON + 1)
    single = [variance.shift(-step).over("segment").alias(f"single_{step}") for step in steps]
    mean = [variance.rolling_mean(step).shift(-step).over("segment").alias(f"mean_{step}") for step in steps]
    return frame.select(*single, *mean).select(pl.all().log()).to_numpy()


class Reference:
    """The three stages on whole matrices, by the book: all rows of a fold, or those of some sessions."""

    def __init__(self, frame: pl.DataFrame, fold: Block, figures: Standardisation | None = None) -> None:
        seen = frame.filter(pl.col("date") <= fold.last)
        ahead, inputs = future_log_returns(seen, last=fold.last), volatility_inputs(seen)
        origins = find_origins(seen, fold)
        self.rows = origins[np.isfinite(np.hstack([ahead, inputs])[origins]).all(axis=1)]
        used = inputs[self.rows]
        self.figures = figures or Standardisation(used.mean(axis=0), used.std(axis=0))
        standardised = (used - self.figures.center) / self.figures.spread
        self.inputs = np.clip(standardised, -LARGEST_INPUT, LARGEST_INPUT)
        self.session = seen["session"].to_numpy()[self.rows]
        self.late = seen["age"].to_numpy()[self.rows] >= YEAR_OF_HISTORY
        self.targets = _log_variances_ahead(seen)[self.rows]
        steps = [one[self.rows] for one in earnings_features(seen)]
        self.earnings = [*steps, *accumulate(steps, np.maximum)]
        self.returns = np.hstack([to_daily(ahead), ahead])[self.rows]

    def coefficients(self, used: np.ndarray, target: int) -> np.ndarray:
        """Of one target, fitted on some rows, bool [row]."""
        shared, inputs, late = np.array(SHARED_BY_DATE), self.inputs[used], self.late[used]
        own, y = inputs[:, ~shared], self.targets[used, target]
        dates = [np.flatnonzero(self.session[used] == day) for day in np.unique(self.session[used])]
        within, apart = own.copy(), y.copy()
        for at in dates:
            within[at] -= own[at].mean(axis=0)
            apart[at] -= y[at].mean()
        first = _ridge(within, apart, RIDGE)
        market = _ridge(inputs[:, shared], y - own @ first, MARKET_RIDGE, intercept=True)
        left = y - own @ first - inputs[:, shared] @ market[:-1] - market[-1]
        features = np.column_stack([self.earnings[target][used], np.ones(len(y))])[late]
        affine = np.empty(len(shared) + 1)
        affine[:-1][~shared], affine[:-1][shared], affine[-1] = first, market[:-1], market[-1]
        return np.concatenate([affine, _ridge(features, left[late], RIDGE)])

    def predict(self, coefficients: np.ndarray, target: int) -> np.ndarray:
        """Log variances of every row."""
        ones = np.ones((len(self.rows), 1))
        third = np.hstack([self.earnings[target], ones]) * self.late[:, None]
        return np.asarray(np.hstack([self.inputs, ones, third]) @ coefficients)

    def quantiles(self, target: int) -> np.ndarray:
        """Of returns in units of the scales that fits without the row's part predict."""
        scale, gap = np.empty(len(self.rows)), HORIZON + EMBARGO
        for part in np.array_split(np.unique(self.session), PARTS):
            near = (self.session >= part[0] - gap) & (self.session <= part[-1] + gap)
            inside = (self.session >= part[0]) & (self.session <= part[-1])
            scale[inside] = np.exp(self.predict(self.coefficients(~near, target), target) / 2)[inside]
        root = np.sqrt(target - 6) if target >= HORIZON else 1.0
        return np.asarray(np.quantile(self.returns[:, target] / (scale * root), LEVELS))


def _by_target(fitted: HeterogeneousVolatility) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients [coefficient, target] and quantiles [target, quantile]."""
    coefficients = np.hstack([fitted.daily_coefficients, fitted.cumulative_coefficients])
    return coefficients, np.vstack([fitted.daily, fitted.cumulative])


def test_a_fit_is_the_ridge_of_whole_matrices(frame: pl.DataFrame) -> None:
    """Figures, coefficients and pooled quantiles are those of scikit-learn and NumPy on all rows at once."""
    fitted, reference = EarningsVolatility.fit(frame, fold=FOLD), Reference(frame, FOLD)
    assert fitted.center == pytest.approx(reference.figures.center, rel=1e-11)
    assert fitted.spread == pytest.approx(reference.figures.spread, rel=1e-9)
    coefficients, quantiles = _by_target(fitted)
    everything = np.ones(len(reference.rows), bool)
    for target in (4, 13):
        expected = reference.coefficients(everything, target)
        assert coefficients[:, target] == pytest.approx(expected, rel=1e-7, abs=1e-10)
        assert quantiles[target] == pytest.approx(reference.quantiles(target), rel=1e-9)


def test_a_refit_keeps_the_first_figures(frame: pl.DataFrame) -> None:
    """Until the rows have doubled, a refit is the ridge of all its rows, standardised by the first fold's figures."""
    folds = [Block(START, date(2022, 9, 30)), FOLD]
    rows = EarningsVolatility.arrange(frame)
    first, second = EarningsVolatility.fit_each(rows, folds)
    assert [second.center.tolist(), second.spread.tolist()] == [first.center.tolist(), first.spread.tolist()]
    reference = Reference(frame, FOLD, first.standardisation)
    expected = reference.coefficients(np.ones(len(reference.rows), bool), 9)
    assert _by_target(second)[0][:, 9] == pytest.approx(expected, rel=1e-7, abs=1e-10)


@pytest.mark.parametrize("baseline", [HeterogeneousVolatility, EarningsVolatility])
def test_a_refit_of_twice_the_rows_is_a_fit(frame: pl.DataFrame, baseline: type[HeterogeneousVolatility]) -> None:
    """When the rows have doubled everything is made again: the refit has the bits of a fit of the fold alone."""
    folds = [Block(START, date(2021, 8, 31)), Block(START, date(2021, 12, 31)), FOLD]
    fitted = list(baseline.fit_each(baseline.arrange(frame), folds))[-1]
    alone = baseline.fit(frame, fold=FOLD)
    for name, array in alone.to_arrays().items():
        assert fitted.to_arrays()[name].tobytes() == array.tobytes(), name


def test_forecasts_of_sessions_are_those_of_the_frame(frame: pl.DataFrame) -> None:
    """The scales of the rows by session are the scales of the panel's rows."""
    rows = EarningsVolatility.arrange(frame)
    (fitted,) = EarningsVolatility.fit_each(rows, [FOLD])
    first, last = rows.days.index(date(2023, 3, 1)), rows.days.index(date(2023, 4, 28))
    found, expected = fitted.quantiles_of_sessions(rows, first, last), fitted.quantiles(frame)
    part = rows.frame(rows.span(first, last))
    order = frame.with_row_index("row").join(part, on=["ticker", "date"], how="right")["row"].to_numpy()
    assert found.cumulative == pytest.approx(expected.cumulative[order], rel=1e-12, nan_ok=True)
    assert found.daily == pytest.approx(expected.daily[order], rel=1e-12, nan_ok=True)


def test_files_change_no_bit(frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fit and its forecasts have the same bits when their large arrays are in files."""
    rows = np.arange(frame.height)[::7]
    held = AdaptiveVolatility.fit(frame, fold=FOLD)
    expected = held.quantiles(frame, rows)
    monkeypatch.setattr("internal.scratch_arrays.SMALLEST_FILE", 0)
    fitted = AdaptiveVolatility.fit(frame, fold=FOLD)
    for name, array in held.to_arrays().items():
        assert fitted.to_arrays()[name].tobytes() == array.tobytes(), name
    found = fitted.quantiles(frame, rows)
    assert found.cumulative.tobytes() == expected.cumulative.tobytes()
    assert found.daily.tobytes() == expected.daily.tobytes()


def test_outcomes_are_used_when_they_are_known(frame: pl.DataFrame) -> None:
    """A fit has the same bits on a panel that ends with the fold, halts and all: no later trade is looked at."""
    cut = EarningsVolatility.arrange(frame.filter(pl.col("date") <= LAST))
    for one, other in zip(
        EarningsVolatility.fit_each(EarningsVolatility.arrange(frame), [FOLD]),
        EarningsVolatility.fit_each(cut, [FOLD]),
        strict=True,
    ):
        for name, array in one.to_arrays().items():
            assert other.to_arrays()[name].tobytes() == array.tobytes(), name


def test_a_fold_without_rows_is_refused(frame: pl.DataFrame) -> None:
    """Folds that end before any horizon is known are named."""
    rows = EarningsVolatility.arrange(frame)
    with pytest.raises(InvalidRequestError, match="2021-02-01"):
        next(EarningsVolatility.fit_each(rows, [Block(START, date(2021, 2, 1))]))


@settings(deadline=None)  # the first one may compile the kernels
@given(st.integers(0, 300), st.integers(0, 2**32 - 1))
def test_scales_are_those_of_numpy(rows: int, seed: int) -> None:
    """Half a log variance is a log scale, times the root of the steps where returns are cumulative; to the bit."""
    logs = np.random.default_rng(seed).normal(-8, 2, (rows, 2 * HORIZON))
    logs[::5, 3] = np.nan
    found, scales = to_scales(logs), np.exp(logs / 2)
    np.testing.assert_array_equal(found.daily, scales[:, :HORIZON])
    np.testing.assert_array_equal(found.cumulative, scales[:, HORIZON:] * np.sqrt(np.arange(1.0, HORIZON + 1)))
    narrow = logs.astype(np.float32)
    assert to_scales(narrow).cumulative.tobytes() == to_scales(narrow.astype(float)).cumulative.tobytes()


def test_scales_of_other_targets_are_refused() -> None:
    """C would write elsewhere."""
    for logs in (np.zeros((3, 13)), np.zeros(14)):
        with pytest.raises(ValueError, match="log variances must be"):
            to_scales(logs)
