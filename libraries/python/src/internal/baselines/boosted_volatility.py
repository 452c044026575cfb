"""Trees on HAR's scale: which ticker is more volatile than its peers of the same date, beyond what HAR predicts.

The trees predict a multiplier of the scale of HAR with earnings features. They are fitted on range volatility in units
of that scale, divided by its date's mean: trees that see which dates were volatile memorise them, and do worse than
history. A session's range measures its volatility with less noise than its return does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np
import polars as pl

from internal.baselines.boosted_rows import INPUT_COUNT, BoostedRows, Outcomes, each_chunk
from internal.baselines.forecast import EVERY_ROW, Rows, to_daily
from internal.baselines.heterogeneous import EarningsVolatility
from internal.baselines.session_rows import TARGETS, YEAR_OF_HISTORY
from internal.baselines.trees import Trees
from internal.baselines.volatility import TABLE, require_shapes
from internal.baselines.volatility_fit import Scales
from internal.errors import InvalidRequestError
from internal.features.splits import Block
from internal.features.variables import find_moving
from internal.features.windows import find_origins
from internal.forecasting.quantiles import QUANTILES, STEPS, RowQuantiles
from internal.scratch_arrays import ScratchArray

TREE_COUNT: Final = 80
ENOUGH_ROWS: Final = 20_000
SCALE, TREES = "scale.", "trees."


@dataclass(frozen=True)
class BoostedVolatility:
    """HAR's scale x the trees' multiplier x pooled quantiles by step.

    Attributes:
        scale: HAR with earnings features.
        trees: The multiplier of both of its scales, the same for every step.
        cumulative: Quantiles of cumulative log returns in units of the multiplied scale, f64 [step, quantile].
        daily: Quantiles of daily simple returns in units of theirs, f64 [step, quantile].
    """

    scale: EarningsVolatility
    trees: Trees
    cumulative: np.ndarray
    daily: np.ndarray
    kind: ClassVar[str] = "boosted_volatility"

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, fold: Block, scale: EarningsVolatility | None = None) -> Self:
        """Fit HAR, grow trees on its relative errors at the fold's origins, then pool the returns of all of them.

        With HAR's fit on the same fold it is not fitted again.

        The level and the drift of the returns are those of every origin, however short its history: pooled over origins
        with a year of history alone, the newest sessions would count for more than the others.
        """
        origins = find_origins(frame, fold)
        if not len(origins):
            raise _no_row(fold)
        scale = EarningsVolatility.fit(frame, fold=fold) if scale is None else scale
        rows = BoostedRows.of(frame, scale, origins)
        outcomes = Outcomes.after(rows, frame, last=fold.last)
        usable = _find_usable(frame, rows, outcomes, origins)
        if not len(usable):
            raise _no_row(fold)
        returns, sizes = outcomes.returns, outcomes.size
        del origins, outcomes
        places = _select_full_histories(frame, rows, usable)
        targets = [divide_by_date_mean(sizes[places], frame.get_column("date").gather(rows.number[places]))]
        del sizes  # growing trees takes a gigabyte; the target is held by nothing here, and LightGBM has a copy
        trees = Trees.fit(lambda part: rows.read_inputs(places[part]), targets.pop(), tree_count=TREE_COUNT)
        daily, cumulative = np.split(_pool_quantiles(rows, returns, trees, usable), 2)
        return cls(scale, trees, cumulative, daily)

    def scales(self, frame: pl.DataFrame, rows: Rows = EVERY_ROW) -> Scales:
        """The expected size of the moves from some rows."""
        asked = np.arange(frame.height)[rows]
        known = BoostedRows.of(frame, self.scale, asked)
        scales, places = Scales(*np.empty((2, len(asked), len(STEPS)))), known.find_places(asked)
        ascending = np.argsort(places, kind="stable")  # as they are in the files: others would be read whole each time

        def fill(some: np.ndarray, part: slice) -> None:
            multiplied, at = _multiply(known, self.trees, some), ascending[part]
            scales.cumulative[at], scales.daily[at] = multiplied.cumulative, multiplied.daily

        each_chunk(places[ascending], fill)
        return scales

    def quantiles(self, frame: pl.DataFrame, rows: Rows = EVERY_ROW) -> RowQuantiles:
        """Multiplied scale x pooled quantile."""
        return self.plain(self.scales(frame, rows))

    def plain(self, scales: Scales) -> RowQuantiles:
        """Scales x pooled quantiles."""
        return RowQuantiles(scales.cumulative[:, :, None] * self.cumulative, scales.daily[:, :, None] * self.daily)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """HAR's arrays behind `scale.`, the trees' behind `trees.`, and the two tables."""
        parts = {SCALE: self.scale.to_arrays(), TREES: self.trees.to_arrays()}
        below = {f"{prefix}{name}": array for prefix, part in parts.items() for name, array in part.items()}
        return {**below, "cumulative": self.cumulative, "daily": self.daily}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Restore the parts."""
        cumulative, daily = require_shapes(arrays, {"cumulative": TABLE, "daily": TABLE})
        scale = EarningsVolatility.from_arrays(select_prefix(arrays, SCALE))
        return cls(scale, Trees.from_arrays(select_prefix(arrays, TREES), input_count=INPUT_COUNT), cumulative, daily)


def _no_row(fold: Block) -> InvalidRequestError:
    return InvalidRequestError(f"the training fold {fold.first}..{fold.last} has no row with a whole horizon")


def _find_usable(frame: pl.DataFrame, rows: BoostedRows, outcomes: Outcomes, origins: np.ndarray) -> np.ndarray:
    """The places of the origins that move and whose inputs and outcomes are all known, i32 [origin]."""
    whole = np.isfinite(outcomes.size) & find_moving(frame)[rows.number]
    for array in (rows.inputs, outcomes.returns):
        for values in array.values:
            whole &= np.isfinite(values)
            array.release()
    places = rows.find_places(origins)
    return np.asarray(places[whole[places]])


def _select_full_histories(frame: pl.DataFrame, rows: BoostedRows, usable: np.ndarray) -> np.ndarray:
    """The usable rows with a year of history, if there are enough of them; else all."""
    full = usable[frame.get_column("age").to_numpy()[rows.number[usable]] >= YEAR_OF_HISTORY]
    return np.asarray(full if len(full) >= ENOUGH_ROWS else usable)


def _pool_quantiles(rows: BoostedRows, returns: ScratchArray, trees: Trees, usable: np.ndarray) -> np.ndarray:
    """Quantiles of the daily and the cumulative returns in units of the multiplied scales, f64 [target, quantile]."""
    standardised = ScratchArray((TARGETS, len(usable)))

    def fill(places: np.ndarray, part: slice) -> None:
        ahead, scales = returns.values[:, places].T, _multiply(rows, trees, places)
        standardised.values[:, part] = np.hstack([to_daily(ahead) / scales.daily, ahead / scales.cumulative]).T
        returns.release()
        standardised.release()

    each_chunk(usable, fill)
    pooled = np.empty((TARGETS, len(QUANTILES)))
    for target, values in enumerate(standardised.values):
        pooled[target] = np.quantile(values, QUANTILES)
        standardised.release()
    return pooled


def divide_by_date_mean(values: np.ndarray, dates: pl.Series) -> np.ndarray:
    """Values f64 [row] divided by the mean of their date."""
    return (
        pl.DataFrame({"value": values, "date": dates})
        .select(pl.col("value") / pl.col("value").mean().over("date"))
        .to_series()
        .to_numpy()
    )


def _multiply(rows: BoostedRows, trees: Trees, places: np.ndarray) -> Scales:
    """HAR's scales of some rows times the trees' multiplier."""
    return rows.read_scales(places).times(trees.predict(rows.read_inputs(places)))


def select_prefix(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names have a prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
