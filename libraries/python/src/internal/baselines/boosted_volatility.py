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

from internal.baselines.forecast import EVERY_ROW, Rows, future_log_returns, pool_quantiles, to_daily
from internal.baselines.heterogeneous import EarningsVolatility
from internal.baselines.session_rows import YEAR_OF_HISTORY
from internal.baselines.trees import Trees
from internal.baselines.volatility import ROOT_STEPS, TABLE, require_shapes
from internal.baselines.volatility_fit import Scales
from internal.errors import InvalidRequestError
from internal.features.earnings_features import EARNINGS_INPUT_COUNT, earnings_features
from internal.features.splits import Block
from internal.features.variables import daily_range_variance
from internal.features.volatility_inputs import INPUTS, volatility_inputs
from internal.features.windows import find_origins
from internal.forecasting.quantiles import STEPS, RowQuantiles

TREE_COUNT: Final = 80
LARGEST_RANGE: Final = 6.0  # in units of the scale: one outlier must not shape a leaf
ENOUGH_ROWS: Final = 20_000
MARKET: Final = "market"
OWN_INPUTS: Final = tuple(place for place, name in enumerate(INPUTS) if not name.startswith(MARKET))
INPUT_COUNT: Final = len(OWN_INPUTS) + 2 + EARNINGS_INPUT_COUNT
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
    def fit(cls, frame: pl.DataFrame, *, fold: Block) -> Self:
        """Fit HAR, grow trees on its relative errors at the fold's origins, then pool the returns of all of them.

        The level and the drift of the returns are those of every origin, however short its history: pooled over origins
        with a year of history alone, the newest sessions would count for more than the others.
        """
        scale, ahead = EarningsVolatility.fit(frame, fold=fold), future_log_returns(frame, last=fold.last)
        scales = scale.scales(frame)
        inputs, ranges = boosted_inputs(frame, scales), ranges_ahead(frame)
        whole = np.logical_and.reduce([np.isfinite(one).all(axis=1) for one in (ahead, ranges, inputs)])
        usable = find_origins(frame, fold)
        usable = usable[whole[usable]]
        if not len(usable):
            raise InvalidRequestError(f"the training fold {fold.first}..{fold.last} has no row with a whole horizon")
        rows = _select_full_histories(frame, usable)
        sizes = np.minimum(ranges[rows] / scales.daily[rows], LARGEST_RANGE).mean(axis=1)
        target = divide_by_date_mean(sizes, frame.get_column("date").gather(rows))
        trees = Trees.fit(inputs[rows], target, tree_count=TREE_COUNT)
        multiplied = _multiply(scales, trees.predict(inputs))
        cumulative = pool_quantiles(ahead, multiplied.cumulative, usable)
        return cls(scale, trees, cumulative, pool_quantiles(to_daily(ahead), multiplied.daily, usable))

    def scales(self, frame: pl.DataFrame, rows: Rows = EVERY_ROW) -> Scales:
        """The expected size of the moves from some rows."""
        scales = self.scale.scales(frame)
        return _multiply(scales.at(rows), self.trees.predict(boosted_inputs(frame, scales)[rows]))

    def quantiles(self, frame: pl.DataFrame, rows: Rows = EVERY_ROW) -> RowQuantiles:
        """Multiplied scale x pooled quantile."""
        scales = self.scales(frame, rows)
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


def boosted_inputs(frame: pl.DataFrame, scales: Scales) -> np.ndarray:
    """The trees' inputs, f64 [row, INPUT_COUNT]; NaN where history is too short.

    HAR's inputs without the market's, and the log scale, each minus its mean over the date's tickers; the log scale in
    units of the blended volatility; the largest earnings features over the sessions ahead.

    Args:
        frame: What `variables.observe` returns. **Guard:** an input is made of its row and earlier ones, or of the same
            date's other tickers.
        scales: HAR's, of the same rows.
    """
    level = np.log(scales.cumulative[:, -1])
    own = np.column_stack([volatility_inputs(frame)[:, OWN_INPUTS], level])
    volatility = frame.get_column("volatility").fill_null(float("nan")).to_numpy()
    earnings = np.max(list(earnings_features(frame)), axis=0)
    beside = _subtract_date_mean(own, frame.get_column("date"))
    return np.column_stack([beside, level - np.log(volatility * ROOT_STEPS[-1]), earnings])


def ranges_ahead(frame: pl.DataFrame) -> np.ndarray:
    """Range volatility of each session ahead, f64 [row, step]; NaN beyond the segment."""
    sizes = frame.select("segment", size=daily_range_variance().sqrt())
    ahead = {str(step): pl.col("size").shift(-step).over("segment") for step in STEPS}
    return sizes.select(**ahead).fill_null(float("nan")).to_numpy()


def _select_full_histories(frame: pl.DataFrame, usable: np.ndarray) -> np.ndarray:
    """The origins with a year of history, if there are enough of them; else all."""
    full = usable[frame.get_column("age").to_numpy()[usable] >= YEAR_OF_HISTORY]
    return np.asarray(full if len(full) >= ENOUGH_ROWS else usable)


def divide_by_date_mean(values: np.ndarray, dates: pl.Series) -> np.ndarray:
    """Values f64 [row] divided by the mean of their date."""
    return (
        pl.DataFrame({"value": values, "date": dates})
        .select(pl.col("value") / pl.col("value").mean().over("date"))
        .to_series()
        .to_numpy()
    )


def _subtract_date_mean(values: np.ndarray, dates: pl.Series) -> np.ndarray:
    """Values f64 [row, column] minus the mean of the date's known values."""
    named = pl.DataFrame(values, schema=[str(place) for place in range(values.shape[1])]).fill_nan(None)
    columns = pl.col(named.columns)
    apart = named.with_columns(dates.alias("date")).select(columns - columns.mean().over("date"))
    return apart.fill_null(float("nan")).to_numpy()


def _multiply(scales: Scales, multiplier: np.ndarray) -> Scales:
    return Scales(scales.cumulative * multiplier[:, None], scales.daily * multiplier[:, None])


def select_prefix(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names have a prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
