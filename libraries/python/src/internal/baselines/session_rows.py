"""The rows of a panel by session, with inputs and outcomes: what HAR-type baselines are fitted on and forecast from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, cast

import numpy as np
import polars as pl

from internal.baselines.forecast import Rows
from internal.baselines.segment_parts import each_part
from internal.baselines.staged_ridge import Design
from internal.baselines.standardisation import Standardisation
from internal.dates import sessions
from internal.features.earnings_features import EARNINGS_INPUT_COUNT, add_spikes, tabulate_earnings_features
from internal.features.splits import Block
from internal.features.volatility_inputs import INPUTS, VARIANCE_FLOOR, add_group_columns, select_inputs
from internal.features.windows import HORIZON, can_be_origin
from internal.forecasting.quantiles import STEPS

YEAR_OF_HISTORY: Final = 260  # sessions after which every earnings feature can be computed
NEVER: Final = np.iinfo(np.int64).max
CHUNK_ROWS: Final = 4_096  # their inputs fit a cache
AHEAD: Final = np.array(STEPS)
TARGETS: Final = 2 * len(STEPS)


@dataclass(frozen=True)
class SessionRows:
    """The rows of a panel, those of a session adjacent.

    Attributes:
        frame: ticker, date, session, volatility, and `is_origin`: whether the row can be forecast from.
        days: The sessions from the panel's first to its last; a session's number is its place here.
        bounds: The first row of each session, and the number of rows, i64 [session + 1].
        inputs: `features.volatility_inputs`, f64 [row, input]; NaN where history is too short.
        earnings: Earnings features of the sessions ahead, f64 [session ahead, feature].
        first_ahead: The place of the row's first session ahead in `earnings`, i64 [row]; -1 without a year of history.
        place: The row's place in the panel, whose rows of a segment are adjacent, i64 [row].
        log_close: f64 [place].
        variance: Range variance of the session, f64 [place].
        trades_ahead: Whether the session ahead is in the segment and traded, bool [row, step].
        known: The session in which all of the row's outcomes are known, i64 [row]; NEVER where it is not to be fitted.
    """

    frame: pl.DataFrame
    days: list[date]
    bounds: np.ndarray
    inputs: np.ndarray
    earnings: np.ndarray
    first_ahead: np.ndarray
    place: np.ndarray
    log_close: np.ndarray
    variance: np.ndarray
    trades_ahead: np.ndarray
    known: np.ndarray

    def design(self, rows: Rows, standardisation: Standardisation) -> Design:
        """The explanatory variables of some rows."""
        first = self.first_ahead[rows]
        history = np.flatnonzero(first >= 0)
        return Design(standardisation.apply(self.inputs[rows]), history, stack_earnings(self.earnings, first[history]))

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
        """The rows of the sessions from `first` to `last` in chunks of whole sessions."""
        begin = first
        for session in range(first, last + 1):
            if session == last or self.bounds[session + 2] - self.bounds[begin] > CHUNK_ROWS:
                yield self.span(begin, session)
                begin = session + 1


def arrange_by_session(frame: pl.DataFrame, *, uses_earnings: bool) -> SessionRows:
    """Compute inputs and outcomes of every row of an observed panel, and put the rows in the order of sessions.

    Args:
        frame: What `variables.observe` returns. **Guard:** a row's inputs are made of its session and earlier ones; its
            outcomes are fitted on from the session `known` on.
        uses_earnings: Whether to compute earnings features.
    """
    frame = frame.with_columns(pl.col("session") - pl.col("session").min())
    prepared, session = prepare(frame, uses_earnings=uses_earnings), frame.get_column("session").to_numpy()
    order = np.argsort(session, kind="stable")
    row_of = np.empty_like(order)
    row_of[order] = np.arange(len(order))
    days = sessions(cast("date", frame["date"].min()), cast("date", frame["date"].max()))
    origin = can_be_origin(Block(date.min, date.max))
    rows = SessionRows(
        frame=frame.select("ticker", "date", "session", "volatility", is_origin=origin)[order],
        days=days,
        bounds=np.searchsorted(session[order], np.arange(len(days) + 1)),
        inputs=np.empty((len(order), len(INPUTS))),
        earnings=np.empty(0),
        first_ahead=np.full(len(order), -1),
        place=order,
        log_close=np.log(frame.get_column("close").to_numpy()),
        variance=prepared.get_column("variance").fill_null(float("nan")).to_numpy(),
        trades_ahead=np.empty((len(order), len(STEPS)), bool),
        known=np.empty(len(order), np.int64),
    )
    tables = each_part(frame, lambda part: _fill(rows, prepared[part], row_of[part], uses_earnings=uses_earnings))
    return _join_earnings(rows, tables)


_Table = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows with a year of history, their first sessions ahead, features


def _fill(rows: SessionRows, prepared: pl.DataFrame, row_of: np.ndarray, *, uses_earnings: bool) -> _Table:
    """Fill in the rows of whole segments, and return their earnings features."""
    trades = {str(step): pl.col("traded").shift(-step).over("segment").fill_null(value=False) for step in STEPS}
    rows.inputs[row_of] = inputs = select_inputs(prepared)
    rows.trades_ahead[row_of] = prepared.select(**trades).to_numpy()
    rows.known[row_of] = np.where(np.isfinite(inputs).all(axis=1), _known_sessions(prepared), NEVER)
    history, first, table = tabulate_history(prepared, uses_earnings=uses_earnings)
    return row_of[history], first, table


def _known_sessions(prepared: pl.DataFrame) -> np.ndarray:
    """The session in which each origin's outcomes are known: the first that traded at or after the horizon's end."""
    traded = pl.when(pl.col("traded")).then(pl.col("session")).backward_fill().shift(-HORIZON).over("segment")
    known = pl.when(can_be_origin(Block(date.min, date.max))).then(traded)
    return prepared.select(known.fill_null(NEVER)).to_series().to_numpy()


def _join_earnings(rows: SessionRows, tables: Sequence[_Table]) -> SessionRows:
    begin = np.cumsum([0, *(len(table) for _, _, table in tables)])
    for offset, (places, first, _) in zip(begin, tables, strict=False):
        rows.first_ahead[places] = first + offset
    return replace(rows, earnings=np.concatenate([table for _, _, table in tables]))


def prepare(frame: pl.DataFrame, *, uses_earnings: bool) -> pl.DataFrame:
    """The frame with the columns over tickers of a date that inputs need; then no segment depends on another."""
    grouped = add_group_columns(frame)
    return add_spikes(grouped) if uses_earnings else grouped


def tabulate_history(prepared: pl.DataFrame, *, uses_earnings: bool) -> _Table:
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


def stack_earnings(table: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Earnings features of each session ahead, then their maxima up to each, f64 [target, row, feature].

    Args:
        table: Features by session ahead, f64 [session ahead, feature].
        first: The place of each row's first session ahead, i64 [row].
    """
    stacked, steps = np.empty((TARGETS, len(first), table.shape[1])), len(STEPS)
    if not len(first):
        return stacked
    for step in range(steps):
        np.take(table, first + step, axis=0, out=stacked[step], mode="clip")  # the fast mode; no place is beyond
    stacked[steps] = stacked[0]
    for step in range(1, steps):
        np.maximum(stacked[steps + step - 1], stacked[step], out=stacked[steps + step])
    return stacked
