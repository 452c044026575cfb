"""Predictors of how far a ticker will move: its own volatility over many windows, its volume, its market, its sector.

All of them use sessions up to the row's own. Variances are daily, in squared log returns, and given as logarithms.
"""

import ctypes
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl

from internal.bar_kernels.library import Averaged, load_volatility
from internal.features.segment_means import SegmentMeans, segment_lengths

VARIANCE_FLOOR: Final = 1e-7
GROUP_VARIANCE_CEILING: Final = 0.01  # a session of 10 %: one ticker's outlier must not move its group
FEWEST_SESSIONS: Final = 20
WEEK: Final = 5
EVERY_ROW: Final = slice(None)


@dataclass(frozen=True)
class WindowMean:
    """An input that is the mean of a column over the last sessions; NaN where fewer than `fewest` are known."""

    column: str
    window: int
    fewest: int

    @property
    def name(self) -> str:
        """The input's."""
        return f"{self.column}_{self.window}"


def _over(column: str, *windows: int, fewest: int = FEWEST_SESSIONS) -> tuple[WindowMean, ...]:
    return tuple(WindowMean(column, window, min(window, fewest)) for window in windows)


OWN: Final = (  # the ticker's average variances
    *_over("variance", 1, 2, 5, 10, 22, 44, 66, 132, 252),
    *_over("squared", 5, 22, 66, 252),
    *_over("absolute", 5, 22, 66, 252),
    *_over("overnight", 5, 22, 66),
    *_over("span", 1, 5, 22),
)
VOLUME: Final = _over("volume", 1, 5, 22, fewest=1)
DIRECTION: Final = ("week", "week_size", "loss", "blend")
GROUPS: Final = (  # averages over time of the columns of `GroupAverages`
    *_over("market_variance", 1, 5, 22, 66),
    *_over("sector_group_variance", 1, 5, 22),
    *_over("market_dispersion", 1, 5, 22),
    *_over("sector_group_dispersion", 5, 22),
)
INPUTS: Final = (
    *(mean.name for mean in (*OWN, *VOLUME)),
    *DIRECTION,
    *(mean.name for mean in GROUPS),
)
FIRST_DIRECTION: Final = len(OWN) + len(VOLUME)
FIRST_GROUP: Final = FIRST_DIRECTION + len(DIRECTION)
SHARED_BY_DATE: Final = tuple(name.startswith("market_") for name in INPUTS)


def leave(_first: int, _values: np.ndarray) -> None:
    """Inputs that were filled in, as they are."""


def volatility_inputs(frame: pl.DataFrame) -> np.ndarray:
    """The inputs of every row, f64 [row, input]; NaN where history is too short.

    Args:
        frame: What `variables.observe` returns. **Guard:** an input of a row is made of that row and earlier ones, of
            the same segment, or of the same date's other tickers.
    """
    averages = GroupAverages.of(frame)
    return select_inputs(averages.add_to(frame), averages)


@dataclass(frozen=True)
class GroupAverages:
    """Average variance and dispersion of returns of the market and of each sector, by date.

    They are held by date and sector, because as columns of a whole panel they would be a fifth of its memory. Tickers
    without a sector are one more sector.

    Attributes:
        numbers: The number of each row's group, of the market's and of the sectors', i32 [row]; the market's is its
            session's place after the panel's first.
        values: By name of the column, f64 [group]; NaN where no ticker has a return.
    """

    numbers: dict[str, np.ndarray]
    values: dict[str, np.ndarray]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """Of an observed panel."""
        ceiling, numbers, values = GROUP_VARIANCE_CEILING, _number_groups(frame), dict[str, np.ndarray]()
        variance = frame.get_column("range_variance").to_numpy()
        change = frame.get_column("log_return").to_numpy()
        for name, group in numbers.items():
            values[f"{name}_variance"] = average(group, variance, largest=ceiling)
            values[f"{name}_dispersion"] = average(group, change, around=average(group, change), largest=ceiling)
        return cls(numbers, values)

    def add_to(self, part: pl.DataFrame, rows: slice = EVERY_ROW) -> pl.DataFrame:
        """Some rows of the panel with the numbers of their groups; then no segment needs another."""
        return part.with_columns(pl.Series(name, group[rows]) for name, group in self.numbers.items())

    def at(self, grouped: pl.DataFrame, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The values at some rows, i64 [row], of a frame from `add_to`, by name, f64 [row]."""
        numbers = {name: grouped.get_column(name).to_numpy()[rows] for name in self.numbers}
        return {
            f"{name}_{what}": self.values[f"{name}_{what}"][group]
            for name, group in numbers.items()
            for what in ("variance", "dispersion")
        }


def number_sectors(frame: pl.DataFrame) -> np.ndarray:
    """The number of each row's sector, 0 where it is unknown, i64 [row]; all rows of a segment have the same."""
    lengths = segment_lengths(frame)
    firsts = frame.get_column("sector").gather(np.cumsum(lengths) - lengths)
    return np.repeat(firsts.rank("dense").fill_null(0).cast(pl.Int64).to_numpy(), lengths)


def _number_groups(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    """The groups of each row's date, numbered from 0, i32 [row]."""
    session = frame.select((pl.col("session") - pl.col("session").min()).cast(pl.Int32)).to_series().to_numpy()
    sector = number_sectors(frame).astype(np.int32)
    return {"market": session, "sector_group": session * (int(sector.max(initial=0)) + 1) + sector}


def average(
    group: np.ndarray, values: np.ndarray, *, around: np.ndarray | None = None, largest: float = np.inf
) -> np.ndarray:
    """The mean of the known values of each group, f64 [group]; NaN where none is known.

    Args:
        group: The number of each row's group, from 0, int [row].
        values: f64 [row]; NaN where it is not known.
        around: f64 [group]; the mean is of squared deviations from it.
        largest: What a larger value, or square, counts as.

    Raises:
        ValueError: An array is not as described.
    """
    values, group = np.ascontiguousarray(values, np.float64), np.ascontiguousarray(group, np.int32)
    size = int(group.max(initial=-1)) + 1
    around = None if around is None else np.ascontiguousarray(around, np.float64)
    if group.shape != values.shape or group.ndim != 1 or group.min(initial=0) < 0:
        raise ValueError(f"each of {values.shape} values must have the number of a group, not {group.shape}")
    if around is not None and around.shape != (size,):
        raise ValueError(f"each of {size} groups must have a value to deviate from, not {around.shape}")
    means, counts = np.empty(size), np.empty(size, np.int64)
    averaged = Averaged(values.ctypes.data, None if around is None else around.ctypes.data, largest)
    rows = group.ctypes.data, len(group)
    load_volatility().average_groups(ctypes.byref(averaged), *rows, size, counts.ctypes.data, means.ctypes.data)
    return means


def select_inputs(
    grouped: pl.DataFrame, averages: GroupAverages, on_filled: Callable[[int, np.ndarray], None] = leave
) -> np.ndarray:
    """`volatility_inputs` of whole segments.

    Args:
        grouped: The segments, from `GroupAverages.add_to`.
        averages: Of the whole panel.
        on_filled: Called with the place of the first and the values of some inputs, f64 [input, row], while they are
            in a cache. Of inputs of groups, it is called with fewer rows.
    """
    inputs, lengths = np.empty((len(INPUTS), grouped.height)), segment_lengths(grouped)
    change, volatility = (grouped.get_column(name).to_numpy() for name in ("log_return", "volatility"))
    _fill_means(inputs, 0, (*OWN, *VOLUME), _averaged(grouped, change), lengths, on_filled)
    _fill_direction(inputs[FIRST_DIRECTION:FIRST_GROUP], change, volatility, lengths)
    on_filled(FIRST_DIRECTION, inputs[FIRST_DIRECTION:FIRST_GROUP])
    _fill_groups(inputs[FIRST_GROUP:], grouped, averages, lengths, on_filled)
    return inputs.T


def _fill_means(  # noqa: PLR0913, PLR0917  (what the inputs are made of, where they go, and what is done with them)
    inputs: np.ndarray,
    first: int,
    means: Sequence[WindowMean],
    columns: dict[str, np.ndarray],
    lengths: np.ndarray,
    on_filled: Callable[[int, np.ndarray], None],
) -> None:
    """Fill in inputs that are means, f64 [mean, row], of which the first has a place among all inputs."""
    done = 0
    for column, inputs_of in itertools.groupby(means, lambda mean: mean.column):
        sums, group, begin = SegmentMeans(columns[column], lengths), list(inputs_of), done
        is_variance, is_squared = column != "volume", column == "absolute"
        smallest, done = VARIANCE_FLOOR if is_variance else -np.inf, begin + len(group)
        for mean, out in zip(group, inputs[begin:done], strict=True):
            sums.mean(mean.window, mean.fewest, out, smallest=smallest, is_squared=is_squared)
        if is_variance:
            np.log(inputs[begin:done], out=inputs[begin:done])
        on_filled(first + begin, inputs[begin:done])


def _fill_groups(
    inputs: np.ndarray,
    grouped: pl.DataFrame,
    averages: GroupAverages,
    lengths: np.ndarray,
    on_filled: Callable[[int, np.ndarray], None],
) -> None:
    """Fill in the inputs of groups, f64 [input, row], once for all segments of a sector that begin on one session."""
    begun = grouped.get_column("sector_group").to_numpy()[np.cumsum(lengths) - lengths]
    chosen, rows, place = _find_longest(begun, lengths)
    shared = np.empty((len(GROUPS), len(rows)))
    _fill_means(shared, FIRST_GROUP, GROUPS, averages.at(grouped, rows), lengths[chosen], on_filled)
    for values, out in zip(shared, inputs, strict=True):
        np.take(values, place, out=out, mode="clip")


def _find_longest(number: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The longest of the segments of each number, int [segment]; their rows; and the place of every row among these."""
    firsts, descending = np.cumsum(lengths) - lengths, np.argsort(-lengths, kind="stable")
    _, chosen, same = np.unique(number[descending], return_index=True, return_inverse=True)
    chosen = descending[chosen]
    begins, begin = np.cumsum(lengths[chosen]) - lengths[chosen], np.empty_like(lengths)
    begin[descending] = begins[same]
    rows = np.repeat(firsts[chosen] - begins, lengths[chosen]) + np.arange(int(lengths[chosen].sum()))
    return chosen, rows, np.repeat(begin - firsts, lengths) + np.arange(int(lengths.sum()))


def _averaged(grouped: pl.DataFrame, change: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of which a ticker's inputs are means; missing in the first row of a segment alone."""
    variance, gap, volume = (
        grouped.get_column(name).to_numpy() for name in ("range_variance", "past_open", "past_volume_surprise")
    )
    spread = (grouped.get_column("high") / grouped.get_column("low")).log().to_numpy()
    span = spread * spread * (1 / (4 * np.log(2)))  # Parkinson 1980
    squared, absolute, overnight = change * change, np.abs(change), gap * gap
    own = (variance, squared, absolute, overnight, span, volume)
    return dict(zip(dict.fromkeys(mean.column for mean in (*OWN, *VOLUME)), own, strict=True))


def _fill_direction(inputs: np.ndarray, change: np.ndarray, volatility: np.ndarray, lengths: np.ndarray) -> None:
    """Fill in where the ticker went, in units of its volatility, f64 [input of DIRECTION, row]."""
    week, size, loss, blend = inputs
    SegmentMeans(change, lengths).mean(WEEK, WEEK, week)
    ratio = week * WEEK / volatility
    np.clip(ratio, -8, 8, out=week)
    np.clip(np.abs(ratio), 0, 8, out=size)
    np.clip(change / volatility, -5, 0, out=loss)
    np.multiply(2, np.log(volatility), out=blend)
