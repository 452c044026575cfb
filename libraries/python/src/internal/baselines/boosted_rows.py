"""The rows that boosted trees are grown on and predict from, in files: the trees' inputs, HAR's scales and outcomes.

A panel is read a few tickers at a time, and what is kept of it is let go behind, so that a full market's inputs are
never in memory at once.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl

from internal.baselines.forecast import future_log_returns
from internal.baselines.heterogeneous import EarningsVolatility
from internal.baselines.segment_parts import each_part
from internal.baselines.session_rows import TARGETS, YEAR_OF_HISTORY, PreparedPanel, list_ahead, stack_earnings
from internal.baselines.volatility import ROOT_STEPS
from internal.baselines.volatility_fit import Scales
from internal.features.earnings_features import EARNINGS_INPUT_COUNT, tabulate_earnings_features
from internal.features.volatility_inputs import INPUTS, average, select_inputs
from internal.forecasting.quantiles import STEPS
from internal.freed_memory import return_freed_memory
from internal.scratch_arrays import ScratchArray

MARKET: Final = "market"
OWN_INPUTS: Final = tuple(place for place, name in enumerate(INPUTS) if not name.startswith(MARKET))
BESIDE_PEERS: Final = len(OWN_INPUTS) + 1  # the first inputs are given minus the mean of their date
INPUT_COUNT: Final = BESIDE_PEERS + 1 + EARNINGS_INPUT_COUNT
LARGEST_RANGE: Final = 6.0  # in units of the scale: one outlier must not shape a leaf
CHUNK_ROWS: Final = 16_384  # their inputs fit a cache


@dataclass(frozen=True)
class BoostedRows:
    """All rows of some sessions, because inputs are given beside the mean of their date.

    Attributes:
        number: Their numbers in the panel, ascending, i32 [row].
        inputs: The trees' inputs, f64 [INPUT_COUNT, row]; NaN where history is too short. They are HAR's inputs without
            the market's, and the log scale, each minus its mean over the date's tickers; the log scale in units of the
            blended volatility; the largest earnings features over the sessions ahead.
        scales: HAR's, of the daily and then of the cumulative returns, f64 [target, row].
    """

    number: np.ndarray
    inputs: ScratchArray
    scales: ScratchArray

    @classmethod
    def of(cls, frame: pl.DataFrame, scale: EarningsVolatility, asked: np.ndarray) -> Self:
        """The rows of the sessions of some rows.

        Args:
            frame: What `variables.observe` returns. **Guard:** an input is made of its row and earlier ones, or of the
                same date's other tickers.
            scale: HAR.
            asked: Row numbers, i64 [n].
        """
        session = frame.get_column("session").to_numpy()
        read = np.zeros(int(session.max(initial=0)) + 1, bool)
        read[session[asked]] = True
        kept = read[session]
        count, begin = int(kept.sum()), np.zeros(len(kept) + 1, np.int32)
        np.cumsum(kept, out=begin[1:])
        rows = cls(
            np.flatnonzero(kept).astype(np.int32), ScratchArray((INPUT_COUNT, count)), ScratchArray((TARGETS, count))
        )
        prepared = PreparedPanel.of(frame, uses_earnings=True)

        def fill(part: slice) -> None:
            if kept[part].any():
                rows._fill(scale, prepared, part, np.flatnonzero(kept[part]), int(begin[part.start]))

        each_part(frame, fill)
        rows._subtract_date_means(session[rows.number])
        return rows

    def find_places(self, numbers: np.ndarray) -> np.ndarray:
        """The place in `number` of each of some rows of the panel, or of the first one after it, i32 [row]."""
        return np.searchsorted(self.number, numbers.astype(np.int32)).astype(np.int32)  # of one type: no copy of all

    def _fill(
        self, scale: EarningsVolatility, prepared: PreparedPanel, part: slice, kept: np.ndarray, begin: int
    ) -> None:
        """Fill in some rows of whole segments, i64 [row], from a place on."""
        place, segments = slice(begin, begin + len(kept)), prepared.part(part)
        inputs = select_inputs(segments, prepared.averages)[kept]
        table, first = tabulate_earnings_features(segments, kept)
        history = np.flatnonzero(segments.get_column("age").to_numpy()[kept] >= YEAR_OF_HISTORY)
        scales = scale.scales_of_inputs(inputs, history, stack_earnings(table, list_ahead(first[history])))
        level = np.log(scales.cumulative[:, -1])
        volatility = segments.get_column("volatility").fill_null(float("nan")).to_numpy()[kept]
        self.inputs.values[: len(OWN_INPUTS), place] = inputs.T[list(OWN_INPUTS)]
        self.inputs.values[len(OWN_INPUTS), place] = level
        self.inputs.values[BESIDE_PEERS, place] = level - np.log(volatility * ROOT_STEPS[-1])
        self.inputs.values[BESIDE_PEERS + 1 :, place] = np.max([table[first + step] for step in range(len(STEPS))], 0).T
        self.scales.values[:, place] = np.hstack([scales.daily, scales.cumulative]).T
        self.inputs.release()
        self.scales.release()

    def _subtract_date_means(self, session: np.ndarray) -> None:
        """Column by column, so that the sum of a date does not depend on the parts in which the panel was read."""
        for values in self.inputs.values[:BESIDE_PEERS]:
            np.subtract(values, average(session, values)[session], out=values)
            self.inputs.release()

    def read_inputs(self, places: np.ndarray) -> np.ndarray:
        """The inputs of some rows, by their place in `number`, f64 [row, INPUT_COUNT]."""
        inputs = self.inputs.values[:, places]
        self.inputs.release()
        return np.asarray(inputs.T)

    def read_scales(self, places: np.ndarray) -> Scales:
        """HAR's scales of some rows."""
        daily, cumulative = np.split(self.scales.values[:, places].T, 2, axis=1)
        self.scales.release()
        return Scales(cumulative, daily)


@dataclass(frozen=True)
class Outcomes:
    """What happened after the rows of a `BoostedRows`.

    Attributes:
        returns: Cumulative log returns, f64 [step, row]; NaN where they are not known.
        size: Mean range volatility of the sessions ahead in units of the scale, f64 [row]; NaN where it is not known.
    """

    returns: ScratchArray
    size: np.ndarray

    @classmethod
    def after(cls, rows: BoostedRows, frame: pl.DataFrame, *, last: object) -> Self:
        """Read the outcomes. **Guard:** those that end after the day `last` are not known."""
        outcomes = cls(ScratchArray((len(STEPS), len(rows.number))), np.empty(len(rows.number)))

        def fill(part: slice) -> None:
            first, end = map(int, rows.find_places(np.array((part.start, part.stop))))
            place, kept = slice(first, end), rows.number[first:end] - part.start
            outcomes.returns.values[:, place] = future_log_returns(frame[part], last=last, rows=kept).T
            outcomes.returns.release()
            daily = rows.read_scales(np.arange(first, end)).daily
            outcomes.size[place] = np.minimum(ranges_ahead(frame[part])[kept] / daily, LARGEST_RANGE).mean(axis=1)

        each_part(frame, fill)
        return outcomes


def ranges_ahead(frame: pl.DataFrame) -> np.ndarray:
    """Range volatility of each session ahead, f64 [row, step]; NaN beyond the segment."""
    sizes = frame.select("segment", size=pl.col("range_variance").sqrt())
    ahead = {str(step): pl.col("size").shift(-step).over("segment") for step in STEPS}
    return sizes.select(**ahead).fill_null(float("nan")).to_numpy()


def each_chunk(places: np.ndarray, work: Callable[[np.ndarray, slice], None]) -> None:
    """Do `work` on places in chunks of CHUNK_ROWS, in parallel; it is given a chunk and where it is among them."""

    def work_from(first: int) -> None:
        part = slice(first, first + CHUNK_ROWS)
        work(places[part], part)

    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        for _ in pool.map(work_from, range(0, len(places), CHUNK_ROWS)):
            pass
    return_freed_memory()
