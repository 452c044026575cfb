"""Expert aggregation: weights as a service has them, whatever rows are asked for, and artifacts that are refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from internal.baselines import expert_aggregation, heterogeneous
from internal.baselines.boosted_volatility import BoostedVolatility
from internal.baselines.break_response import CURRENT, MARKET_ALONE
from internal.baselines.expert_aggregation import ExpertAggregation
from internal.baselines.forecast import Baseline
from internal.baselines.heterogeneous import AdaptiveVolatility, EarningsVolatility
from internal.baselines.shared_fits import fit_beside
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


def _forecast_experts(fitted: ExpertAggregation, observed: pl.DataFrame, rows: np.ndarray) -> np.ndarray:
    """Cumulative quantiles of the experts, each forecast by itself."""
    adaptive, boosted = fitted.adaptive, fitted.boosted
    if fitted.all_follow:
        _, surprise, _ = adaptive.scales_and_surprises(observed, rows)
        each = [adaptive.quantiles(observed, rows), boosted.plain(boosted.scales(observed, rows).times(surprise))]
    else:
        each = [one.quantiles(observed, rows) for one in (boosted.scale, adaptive, boosted)]
    return np.stack([one.cumulative for one in each])


@pytest.mark.parametrize("all_follow", [True, False])
def test_between_its_experts(observed: pl.DataFrame, fitted: ExpertAggregation, *, all_follow: bool) -> None:
    """Each quantile is between the experts' lowest and highest, of artifacts of now and of before."""
    fitted = replace(fitted, all_follow=all_follow)
    rows = find_origins(observed, Block(date(2022, 11, 1), END))
    each = _forecast_experts(fitted, observed, rows)
    combined = fitted.quantiles(observed, rows).cumulative
    assert (combined >= each.min(axis=0) - 1e-8).all()
    assert (combined <= each.max(axis=0) + 1e-8).all()


@pytest.mark.parametrize("all_follow", [True, False])
def test_equal_weights_until_a_loss_is_known(
    observed: pl.DataFrame, fitted: ExpertAggregation, *, all_follow: bool
) -> None:
    """From the session after the fit the forecast is the plain mean; two months later it is not."""
    fitted = replace(fitted, all_follow=all_follow)

    def is_mean(day: date) -> bool:
        rows = find_origins(observed, Block(day, day))
        each = _forecast_experts(fitted, observed, rows)
        return bool(np.allclose(fitted.quantiles(observed, rows).cumulative, each.mean(axis=0), rtol=1e-5, atol=0))

    assert is_mean(date(2022, 10, 3))
    assert not is_mean(date(2022, 12, 1))


def test_weights_do_not_depend_on_the_rows_asked(observed: pl.DataFrame, fitted: ExpertAggregation) -> None:
    """One ticker's forecast of one day is the same bits alone and among all rows."""
    row = find_origins(observed, Block(date(2022, 12, 1), date(2022, 12, 1)))[:1]
    alone, among = fitted.quantiles(observed, row), fitted.quantiles(observed)
    assert alone.cumulative.tobytes() == among.cumulative[row].tobytes()
    assert alone.daily.tobytes() == among.daily[row].tobytes()


def test_forecasts_do_not_depend_on_the_parts(
    observed: pl.DataFrame, fitted: ExpertAggregation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Experts' forecasts stored seven rows at a time are the same bits as all at once."""
    rows = find_origins(observed, Block(date(2022, 11, 1), END))
    whole = fitted.quantiles(observed, rows)
    for module in (expert_aggregation, heterogeneous):
        monkeypatch.setattr(module, "PART_ROWS", 7)
    in_parts = fitted.quantiles(observed, rows)
    assert in_parts.cumulative.tobytes() == whole.cumulative.tobytes()
    assert in_parts.daily.tobytes() == whole.daily.tobytes()


def test_parts_are_not_fitted_again(observed: pl.DataFrame, fitted: ExpertAggregation) -> None:
    """Fitted beside one another, each kind holds the bits of a fit of its own, and HAR's arrays of the first one."""
    known = list[Baseline]()
    for kind in (EarningsVolatility, AdaptiveVolatility, BoostedVolatility, ExpertAggregation):
        known.append(fit_beside(kind, known, observed, fold=FOLD))
    own = (fitted.boosted.scale, AdaptiveVolatility.fit(observed, fold=FOLD), fitted.boosted, fitted)
    for one, other in zip(known, own, strict=True):
        mine, theirs = one.to_arrays(), other.to_arrays()
        assert type(one) is type(other)
        assert {name: array.tobytes() for name, array in mine.items()} == {
            name: array.tobytes() for name, array in theirs.items()
        }
    har, adaptive, trees, aggregation = (one.to_arrays() for one in known)
    assert adaptive["center"] is har["center"] is trees["scale.center"] is aggregation["boosted.scale.center"]


@pytest.mark.parametrize(
    ("name", "array", "reason"),
    [
        ("fitted_to", np.zeros(2, np.int64), "fitted_to"),
        ("fitted_to", np.array([10**12]), "day that does not exist"),
        ("boosted.daily", np.zeros(3), "daily"),
        ("all_follow", np.zeros(2), "all_follow"),
        ("all_follow", np.zeros(1), "all_follow is 0"),
        ("moving_alone", np.full(1, 2), "moving_alone is 2"),
    ],
)
def test_wrong_arrays_are_refused(fitted: ExpertAggregation, name: str, array: np.ndarray, reason: str) -> None:
    """An array of another shape, or that is no day, is named."""
    with pytest.raises(ArtifactError, match=reason):
        ExpertAggregation.from_arrays(fitted.to_arrays() | {name: array})


def test_what_is_no_number_is_refused(fitted: ExpertAggregation) -> None:
    """Each array, but for those of the trees, which have a check of their own."""
    arrays = fitted.to_arrays()
    for name in [name for name in arrays if ".trees." not in name]:
        damaged = arrays[name].astype(np.float64)
        damaged.flat[-1] = np.nan
        with pytest.raises(ArtifactError, match=f"array {name.split('.')[-1]} holds what is no number: train again"):
            ExpertAggregation.from_arrays(arrays | {name: damaged})


def test_an_artifact_keeps_its_experts(fitted: ExpertAggregation) -> None:
    """Without a response it is the one that the first artifacts had; without `all_follow` there are three experts."""
    arrays = fitted.to_arrays()
    assert ExpertAggregation.from_arrays(arrays).response == CURRENT
    assert ExpertAggregation.from_arrays(arrays).all_follow
    before = ExpertAggregation.from_arrays({name: array for name, array in arrays.items() if name != "all_follow"})
    assert before.response == CURRENT
    assert not before.all_follow
    assert "all_follow" not in before.to_arrays()
    first = ExpertAggregation.from_arrays({name: array for name, array in arrays.items() if name != "response"})
    assert first.response == first.adaptive.response == MARKET_ALONE
