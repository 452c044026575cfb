"""The rows of a panel by session, with inputs and outcomes: what HAR-type baselines are fitted on and forecast from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Self, cast

import numpy as np
import polars as pl

from internal.baselines.forecast import Rows
from internal.baselines.segment_parts import each_part
from internal.baselines.session_earnings import SessionEarnings
from internal.baselines.staged_ridge import Design
from internal.baselines.standardisation import Standardisation
from internal.baselines.ticker_groups import SessionOrder
from internal.dates import sessions
from internal.features.earnings_features import (
    EARNINGS_INPUT_COUNT,
    MarketMedians,
    add_spikes,
    tabulate_earnings_features,
)
from internal.features.splits import Block
from internal.features.variables import find_moving
from internal.features.volatility_inputs import INPUTS, VARIANCE_FLOOR, GroupAverages, number_sectors, select_inputs
from internal.features.windows import HORIZON, can_be_origin
from internal.forecasting.quantiles import STEPS
from internal.scratch_arrays import ScratchArray

YEAR_OF_HISTORY: Final = 260  # sessions after which every earnings feature can be computed
NEVER: Final = np.iinfo(np.int32).max
CHUNK_ROWS: Final = 4_096  # their inputs fit a cache
AHEAD: Final = np.array(STEPS)
TARGETS: Final = 2 * len(STEPS)
EVERY_DAY: Final = Block(date.min, date.max)


@dataclass(frozen=True)
class SessionRows:
    """The rows of a panel, those of a session adjacent.

    Attributes:
        panel: The panel: ticker, date, session, volatility, `sector_number`, and `is_origin`: whether the row can be
            forecast from.
        days: The sessions from the panel's first to its last; a session's number is its place here.
        bounds: The first row of each session, and the number of rows, i64 [session + 1].
        inputs: `features.volatility_inputs`, f64 [row, input]; NaN where history is too short. They are most of what
            a fit reads, and read in the order of sessions.
        earnings: Earnings features of the sessions ahead.
        first_ahead: The place of the row's first session ahead in `earnings`, i32 [row]; -1 without a year of history.
        place: The row's place in the panel, whose rows of a segment are adjacent, i32 [row].
        log_close: f64 [place].
        variance: Range variance of the session, f64 [place].
        trades_ahead: Whether the session ahead is in the segment and traded, bool [row, step].
        known: The session in which all of the row's outcomes are known, i32 [row]; NEVER where it is not to be fitted.
        moves: Whether the row says something about others (`features.variables.find_moving`), bool [row].
    """

    panel: pl.DataFrame
    days: list[date]
    bounds: np.ndarray
    inputs: ScratchArray
    earnings: SessionEarnings
    first_ahead: np.ndarray
    place: np.ndarray
    log_close: np.ndarray
    variance: np.ndarray
    trades_ahead: np.ndarray
    known: np.ndarray
    moves: np.ndarray

    def design(self, rows: Rows, standardisation: Standardisation) -> Design:
        """The explanatory variables of some rows."""
        first = self.first_ahead[rows]
        history = np.flatnonzero(first >= 0)
        inputs = standardisation.apply(self.inputs.values[rows])
        ahead = self.earnings.find_ahead(first[history])
        return Design(inputs, history, stack_earnings(self.earnings.features.values, ahead))

    def release(self) -> None:
        """Let the pages of the arrays in files go."""
        self.inputs.release()
        self.earnings.features.release()

    def frame(self, rows: slice) -> pl.DataFrame:
        """Some rows of the panel."""
        return self.panel[self.place[rows]]

    def returns(self, rows: Rows) -> np.ndarray:
        """Cumulative log returns ahead of some rows, f64 [row, step]; meaningless beyond the end of a segment."""
        return self._ahead(self.log_close, rows) - self.log_close[self.place[rows], None]

    def targets(self, rows: Rows) -> np.ndarray:
        """Log variances of the sessions ahead, then of the means up to each, f64 [row, target]; as `returns`."""
        variance = self._ahead(self.variance, rows)
        both = np.hstack([variance, np.cumsum(variance, axis=1) / AHEAD])
        return np.log(np.maximum(both, VARIANCE_FLOOR, out=both), out=both)

    def _ahead(self, values: np.ndarray, rows: Rows) -> np.ndarray:
        """The values f64 [place] of the sessions ahead, f64 [row, step]."""
        return values.take(self.place[rows, None] + AHEAD, mode="clip")

    def span(self, first: int, last: int) -> slice:
        """The rows of the sessions from `first` to `last`, both included."""
        return slice(int(self.bounds[first]), int(self.bounds[last + 1]))

    def chunks(self, first: int, last: int) -> Iterator[slice]:
        """The rows of the sessions from `first` to `last` in chunks of whole sessions; pages are released behind."""
        begin = first
        for session in range(first, last + 1):
            if session == last or self.bounds[session + 2] - self.bounds[begin] > CHUNK_ROWS:
                yield self.span(begin, session)
                self.release()
                begin = session + 1


def arrange_by_session(frame: pl.DataFrame, *, uses_earnings: bool, last: date = date.max) -> SessionRows:
    """Compute inputs and outcomes of every row of an observed panel, and put the rows in the order of sessions.

    Args:
        frame: What `variables.observe` returns. **Guard:** a row's inputs are made of its session and earlier ones; its
            outcomes are fitted on from the session `known` on.
        uses_earnings: Whether to compute earnings features.
        last: **Guard:** the last day whose rows are read; some row is of it or an earlier one.
    """
    if frame.get_column("session").min():  # else the column is not held twice
        frame = frame.with_columns(pl.col("session") - pl.col("session").min())
    session, read = frame.get_column("session").to_numpy(), frame.select(pl.col("date") <= last).to_series().to_numpy()
    by_session = SessionOrder.of(session)
    row_of, count = by_session.places, int(read.sum())  # later sessions are behind
    order = np.empty(frame.height, np.int32)
    order[row_of] = np.arange(frame.height, dtype=np.int32)
    order = order[:count]
    days = sessions(cast("date", frame["date"].min()), cast("date", frame["date"].max()))[: int(session[order[-1]]) + 1]
    prepared = PreparedPanel.of(frame, uses_earnings=uses_earnings)
    rows = SessionRows(
        panel=_describe(frame),
        days=days,
        bounds=by_session.bounds[: len(days) + 1],
        inputs=ScratchArray((len(order), len(INPUTS))),
        earnings=_arrange_earnings(frame, session, read & uses_earnings, features=EARNINGS_INPUT_COUNT * uses_earnings),
        first_ahead=np.full(len(order), -1, np.int32),
        place=order,
        log_close=np.log(frame.get_column("close").to_numpy()),
        variance=frame.get_column("range_variance").to_numpy(),
        trades_ahead=np.empty((len(order), len(STEPS)), bool),
        known=np.empty(len(order), np.int32),
        moves=find_moving(frame)[order],
    )

    def fill(part: slice) -> None:
        inside = read[part]
        segments = prepared.part(part) if inside.all() else prepared.part(part).filter(pl.Series(inside))
        _fill(rows, segments, prepared.averages, row_of[part][inside], part.start, uses_earnings=uses_earnings)

    each_part(frame, fill)
    return rows


def _describe(frame: pl.DataFrame) -> pl.DataFrame:
    """`SessionRows.panel`."""
    columns = frame.select("ticker", "date", "session", "volatility", is_origin=can_be_origin(EVERY_DAY))
    return columns.with_columns(sector_number=pl.Series(number_sectors(frame).astype(np.int16)))


def _arrange_earnings(frame: pl.DataFrame, session: np.ndarray, read: np.ndarray, *, features: int) -> SessionEarnings:
    age = frame.get_column("age").to_numpy()
    begins, continues = read & (age == YEAR_OF_HISTORY), read & (age > YEAR_OF_HISTORY)
    return SessionEarnings.of(session, begins, continues, features=features)


def _fill(  # noqa: PLR0913  (one of them is named)
    rows: SessionRows,
    prepared: pl.DataFrame,
    averages: GroupAverages,
    row_of: np.ndarray,
    begin: int,
    *,
    uses_earnings: bool,
) -> None:
    """Fill in the rows of whole segments, from a row of the panel on."""
    trades = {str(step): pl.col("traded").shift(-step).over("segment").fill_null(value=False) for step in STEPS}
    rows.inputs.values[row_of] = inputs = select_inputs(prepared, averages)
    rows.inputs.release()
    rows.trades_ahead[row_of] = prepared.select(**trades).to_numpy()
    rows.known[row_of] = np.where(np.isfinite(inputs).all(axis=1), _known_sessions(prepared), NEVER)
    history, first, table = tabulate_history(prepared, uses_earnings=uses_earnings)
    rows.first_ahead[row_of[history]] = rows.earnings.fill(begin, table)[first]


def _known_sessions(prepared: pl.DataFrame) -> np.ndarray:
    """The session in which each origin's outcomes are known: the first that traded at or after the horizon's end.

    NEVER where the next session did not trade: its range is zero, and surprises, which count sessions that traded
    alone, would not be zero on average if the first regression were fitted on it too.
    """
    traded = pl.when(pl.col("traded")).then(pl.col("session")).backward_fill().shift(-HORIZON).over("segment")
    trades_next = pl.col("traded").shift(-1).over("segment")
    known = pl.when(can_be_origin(EVERY_DAY) & trades_next).then(traded)
    return prepared.select(known.fill_null(NEVER)).to_series().to_numpy()


@dataclass(frozen=True)
class PreparedPanel:
    """An observed panel of which inputs can be computed a few segments at a time.

    What they need of the other tickers of a date is in tables: as columns it would be a third of the panel's memory.

    Attributes:
        frame: What `variables.observe` returns.
        averages: Of the market and the sectors.
        medians: Of the market; None where no earnings features are computed.
    """

    frame: pl.DataFrame
    averages: GroupAverages
    medians: MarketMedians | None

    @classmethod
    def of(cls, frame: pl.DataFrame, *, uses_earnings: bool) -> Self:
        """Prepare a panel."""
        return cls(frame, GroupAverages.of(frame), MarketMedians.of(frame) if uses_earnings else None)

    def part(self, rows: slice) -> pl.DataFrame:
        """Whole segments with the columns that inputs need; then no segment depends on another."""
        segments = self.averages.add_to(self.frame[rows], rows)
        return segments if self.medians is None else add_spikes(segments, self.medians)


def tabulate_history(prepared: pl.DataFrame, *, uses_earnings: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`tabulate_earnings_features` at the rows of whole segments with the year of history that they need.

    Returns:
        These rows, i64 [row]; the place of the first session ahead of each; the features of these sessions.
    """
    history = np.flatnonzero(prepared.get_column("age").to_numpy() >= YEAR_OF_HISTORY)
    if not (uses_earnings and len(history)):
        nothing = np.empty(0, np.int64)
        return nothing, nothing, np.empty((0, EARNINGS_INPUT_COUNT * uses_earnings))
    table, first = tabulate_earnings_features(prepared, history)
    return history, first, table


def list_ahead(first: np.ndarray) -> list[np.ndarray]:
    """The places of the sessions ahead of some rows by step, i64 [row] each, in a table by segment and session."""
    return [first + step for step in range(HORIZON)]


def stack_earnings(table: np.ndarray, ahead: Sequence[np.ndarray]) -> np.ndarray:
    """Earnings features of each session ahead, then their maxima up to each, f64 [target, row, feature].

    Args:
        table: Features by session ahead, f64 [session ahead, feature].
        ahead: The places of the rows' sessions ahead by step, int [row] each.
    """
    stacked, steps = np.empty((TARGETS, len(ahead[0]), table.shape[1])), len(STEPS)
    if not len(ahead[0]):
        return stacked
    for step, places in enumerate(ahead):
        np.take(table, places, axis=0, out=stacked[step], mode="clip")  # the fast mode; no place is beyond
    stacked[steps] = stacked[0]
    for step in range(1, steps):
        np.maximum(stacked[steps + step - 1], stacked[step], out=stacked[steps + step])
    return stacked
