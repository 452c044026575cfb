"""Expert aggregation: weights as a service has them, whatever rows are asked for, and artifacts that are refused."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest

from internal.baselines.expert_aggregation import ExpertAggregation
from internal.errors import ArtifactError
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import find_origins

START, END = date(2021, 1, 4), date(2022, 12, 30)
FOLD = Block(START, date(2022, 9, 30))


@pytest.fixture(name="observed", scope="module")
def _observed(
    make_bars: Callable[[int, date, date], pl.DataFrame], make_details: Callable[[int], pl.DataFrame]
) -> pl.DataFrame:
    return observe(build_panel(make_bars(6, START, END), make_details(6), end=END).frame)


@pytest.fixture(name="fitted", scope="module")
def _fitted(observed: pl.DataFrame) -> ExpertAggregation:
    return ExpertAggregation.fit(observed, fold=FOLD)


def test_between_its_experts(observed: pl.DataFrame, fitted: ExpertAggregation) -> None:
    """Each quantile is between the experts' lowest and highest."""
    rows = find_origins(observed, Block(date(2022, 11, 1), END))
    each = np.stack([one.quantiles(observed, rows).cumulative for one in fitted.experts])
    combined = fitted.quantiles(observed, rows).cumulative
    assert (combined >= each.min(axis=0) - 1e-8).all()
    assert (combined <= each.max(axis=0) + 1e-8).all()


def test_before_any_loss_the_weights_of_the_fit(observed: pl.DataFrame, fitted: ExpertAggregation) -> None:
    """From the session after the fit the forecast is the mean by the stored weights, which the rehearsal has moved."""
    weights = fitted.state.weights()
    assert abs(weights[:, 0] - 1 / 3).max() > 0.01
    rows = find_origins(observed, Block(date(2022, 10, 3), date(2022, 10, 3)))
    each = np.stack([one.quantiles(observed, rows).cumulative for one in fitted.experts])
    expected = np.tensordot(weights[:, 2], each[..., 0], 1)
    assert fitted.quantiles(observed, rows).cumulative[..., 0] == pytest.approx(expected, rel=1e-5)


def test_weights_do_not_depend_on_the_rows_asked(observed: pl.DataFrame, fitted: ExpertAggregation) -> None:
    """One ticker's forecast of one day is the same bits alone and among all rows."""
    row = find_origins(observed, Block(date(2022, 12, 1), date(2022, 12, 1)))[:1]
    alone, among = fitted.quantiles(observed, row), fitted.quantiles(observed)
    assert alone.cumulative.tobytes() == among.cumulative[row].tobytes()
    assert alone.daily.tobytes() == among.daily[row].tobytes()


def test_rehearsal_is_before_the_fold_ends(observed: pl.DataFrame, fitted: ExpertAggregation) -> None:
    """The stored losses are those of a fold that nobody has seen the end of."""
    cut = observed.filter(pl.col("date") <= FOLD.last)
    assert ExpertAggregation.fit(cut, fold=FOLD).state.gain.tobytes() == fitted.state.gain.tobytes()


def test_short_fold_starts_with_equal_weights(observed: pl.DataFrame) -> None:
    """A fold that leaves no row to fit on before its last half-year is fitted without a rehearsal."""
    short = ExpertAggregation.fit(observed, fold=Block(START, date(2021, 7, 30)))
    assert (short.state.weights() == 1 / 3).all()


@pytest.mark.parametrize(
    ("name", "array", "reason"),
    [
        ("gain", np.zeros((2, 4)), "gain"),
        ("square", np.full((3, 4), -1.0), "weights"),
        ("largest", np.full(4, np.nan), "weights"),
        ("fitted_to", np.array([10**12]), "day that does not exist"),
        ("boosted.daily", np.zeros(3), "daily"),
    ],
)
def test_wrong_arrays_are_refused(fitted: ExpertAggregation, name: str, array: np.ndarray, reason: str) -> None:
    """An array that is no sum of losses or no day is named."""
    with pytest.raises(ArtifactError, match=reason):
        ExpertAggregation.from_arrays(fitted.to_arrays() | {name: array})


def test_arrays_restore_the_state(fitted: ExpertAggregation) -> None:
    """The day and the losses come back."""
    restored = ExpertAggregation.from_arrays(fitted.to_arrays())
    assert restored.fitted_to == FOLD.last
    assert restored.state.weights().tobytes() == fitted.state.weights().tobytes()
