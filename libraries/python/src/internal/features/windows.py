"""Windows: 35 sessions up to an origin and 7 after it, gathered by index from arrays that are laid out once.

`past` ends at the origin, `future` and `target` begin after it, and the scale of both is the volatility known at the
origin.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view

from internal.dates import next_session
from internal.errors import InvalidRequestError
from internal.features.scaling import CLIP, Scaler
from internal.features.segment_means import segment_lengths
from internal.features.splits import Block
from internal.features.variables import KNOWN_VARIABLES, PRICE_VARIABLES, STATIC_VARIABLES, known_frame
from internal.features.vocabulary import Vocabulary
from internal.scratch_arrays import ScratchArray

PAST_LENGTH: Final = 35
HORIZON: Final = 7
MINIMUM_HISTORY: Final = 63


@dataclass(frozen=True)
class WindowBatch:
    """One batch of the model's inputs and targets.

    Attributes:
        past: f32 [batch, past_length, observed + known]; the last step is the origin. Prices are log ratios in units of
            the origin's daily volatility.
        future: f32 [batch, horizon, known]; the first step is the session after the origin.
        static: i32 [batch, static]; 0 = unknown.
        target: f32 [batch, horizon]; cumulative log return / scale; NaN where it is not yet known.
    """

    past: np.ndarray
    future: np.ndarray
    static: np.ndarray
    target: np.ndarray


@dataclass(frozen=True)
class Windows:
    """Origins and the arrays that their windows are cut from; `len()` origins, `batch()` gathers some.

    Attributes:
        past_rows: f32 [row, observed + known], rows of a segment adjacent.
        future_rows: f32 [session, known].
        static_rows: i32 [row, static].
        log_close: f64 [row].
        volatility: f64 [row], daily, a fraction.
        scale_rows: f64 [row, horizon], the log return of a target of one.
        session: i64 [row], the row's position in `future_rows`.
        last_known: i64 [row], the last row of the same segment that traded: no label reaches beyond it.
        origins: i64 [origin], row numbers.
        scratch: The large arrays above, of which a batch leaves no page in memory.
    """

    past_rows: np.ndarray
    future_rows: np.ndarray
    static_rows: np.ndarray
    log_close: np.ndarray
    volatility: np.ndarray
    scale_rows: np.ndarray
    session: np.ndarray
    last_known: np.ndarray
    origins: np.ndarray
    scratch: tuple[ScratchArray, ...] = ()
    past_length: int = PAST_LENGTH
    horizon: int = HORIZON

    def __len__(self) -> int:
        return len(self.origins)

    def batch(self, indices: np.ndarray) -> WindowBatch:
        """Gather the windows of some origins, by their position in `origins`."""
        rows = self.origins[indices]
        past = sliding_window_view(self.past_rows, (self.past_length, self.past_rows.shape[1]))[:, 0][
            rows - self.past_length + 1
        ]  # [batch, past, variable]
        future = sliding_window_view(self.future_rows, (self.horizon, self.future_rows.shape[1]))[:, 0][
            self.session[rows] + 1
        ]  # [batch, future, known]
        prices = past[:, :, : len(PRICE_VARIABLES)]
        prices /= self.volatility[rows, None, None].astype(np.float32)
        np.clip(prices, -CLIP, CLIP, out=prices)
        target = (self.log_returns(indices) / self.scale(indices)).astype(np.float32)
        self.release()
        return WindowBatch(past, future, self.static_rows[rows], target)

    def release(self) -> None:
        """Let the pages of the large arrays go that are in memory."""
        for array in self.scratch:
            array.release()

    def log_returns(self, indices: np.ndarray) -> np.ndarray:
        """Cumulative log returns from the origin, f64 [n, horizon]; NaN where the session is not known."""
        rows = self.origins[indices]
        ahead = rows[:, None] + np.arange(1, self.horizon + 1)
        reached = ahead <= self.last_known[rows, None]
        later = self.log_close[np.where(reached, ahead, rows[:, None])]
        return np.where(reached, later - self.log_close[rows, None], np.nan)

    def scale(self, indices: np.ndarray) -> np.ndarray:
        """The log return of a target of one, f64 [n, horizon]."""
        return np.asarray(self.scale_rows[self.origins[indices]])

    def at(self, origins: np.ndarray) -> "Windows":
        """The same arrays with other origins, row numbers i64 [origin]."""
        return replace(self, origins=origins)

    def keep_labelled(self) -> "Windows":
        """**Guard:** keep only origins whose whole horizon is in the same segment and ends before its last trade."""
        return self.at(self.origins[self.last_known[self.origins] - self.origins >= self.horizon])


def can_be_origin(block: Block, minimum_history: int = MINIMUM_HISTORY) -> pl.Expr:
    """Which rows of an observed panel can be forecast from: in the block, traded, with enough unbroken history.

    Args:
        block: The dates of the origins; their past may begin before it.
        minimum_history: Sessions that an origin's segment needs, the origin included: 36 for the window and the
            previous close of its first step, and the rest so that the volatility has enough sessions.
    """
    return (
        pl.col("date").is_between(block.first, block.last)
        & pl.col("traded")
        & (pl.col("age") >= max(minimum_history, PAST_LENGTH + 1) - 1)
        & pl.col("volatility").is_not_null()
    )


def find_origins(frame: pl.DataFrame, block: Block, minimum_history: int = MINIMUM_HISTORY) -> np.ndarray:
    """Row numbers, i64 [origin], of the rows that `can_be_origin` allows."""
    origins = frame.select(pl.arg_where(can_be_origin(block, minimum_history))).to_series()
    return origins.to_numpy().astype(np.int64)


def lay_out(
    frame: pl.DataFrame, scaler: Scaler, vocabularies: dict[str, Vocabulary], scale: ScratchArray | None = None
) -> Windows:
    """Lay the arrays of an observed panel out once; origins come from `at`, `keep_labelled` or `make_windows`.

    Args:
        frame: What `variables.observe` returns, sorted by ticker and date.
        scaler: Fitted on the training fold.
        vocabularies: One for each static variable.
        scale: The log return of a target of one, f64 [row, horizon], known at the row; else volatility x sqrt(step).

    Raises:
        InvalidRequestError: The frame is empty.
    """
    if frame.is_empty():
        raise InvalidRequestError("there is no bar to make windows from")
    session, known = frame.get_column("session").to_numpy(), _known_rows(frame)
    volatility = frame.get_column("volatility").fill_null(float("nan")).to_numpy()
    past = ScratchArray((frame.height, len(scaler.variables) + known.shape[1]), np.float32)
    for part in past.parts():
        past.values[part, : len(scaler.variables)] = scaler.transform(frame[part])
        past.values[part, len(scaler.variables) :] = known[session[part]]
    return Windows(
        past_rows=past.values,
        future_rows=known,
        static_rows=_static_rows(frame, vocabularies),
        log_close=frame.get_column("close").log().to_numpy(),
        volatility=volatility,
        scale_rows=volatility[:, None] * np.sqrt(np.arange(1, HORIZON + 1)) if scale is None else scale.values,
        session=session,
        last_known=_last_known(frame),
        origins=np.empty(0, np.int64),
        scratch=(past,) if scale is None else (past, scale),
    )


def make_windows(
    frame: pl.DataFrame,
    scaler: Scaler,
    vocabularies: dict[str, Vocabulary],
    *,
    block: Block,
    scale: ScratchArray | None = None,
) -> Windows:
    """Make the windows of every origin of a block whose whole horizon is known, for training and evaluation."""
    return lay_out(frame, scaler, vocabularies, scale).at(find_origins(frame, block)).keep_labelled()


def make_unlabelled_windows(
    frame: pl.DataFrame, origins: np.ndarray, scaler: Scaler, vocabularies: dict[str, Vocabulary]
) -> Windows:
    """Make the windows of some origins, row numbers i64 [origin], to forecast from; no target is known.

    Only the rows that a window reads are laid out: of a panel of 320 sessions a forecast reads the last 35.
    """
    read = np.zeros(frame.height, np.bool_)  # [row]
    read[origins[:, None] - np.arange(PAST_LENGTH)] = True
    windows = lay_out(frame.filter(pl.Series(read)), scaler, vocabularies)
    places = np.searchsorted(np.flatnonzero(read), origins)
    return replace(windows, last_known=np.arange(len(windows.session)), origins=places)


def _known_rows(frame: pl.DataFrame) -> np.ndarray:
    """The calendar from the panel's session 0 to a horizon past its last, f32 [session, known]."""
    first, last = frame.select(pl.col("date").min(), last=pl.col("date").max()).row(0)
    offset = int(frame.get_column("session").to_numpy().min())
    known = known_frame(first, next_session(last, HORIZON)).select(f"future_{variable}" for variable in KNOWN_VARIABLES)
    rows = known.to_numpy().astype(np.float32)
    return np.concatenate([np.zeros((offset, rows.shape[1]), np.float32), rows])


def _static_rows(frame: pl.DataFrame, vocabularies: dict[str, Vocabulary]) -> np.ndarray:
    """The static variables' numbers, i32 [row, static]; looked up once a segment, which is of one ticker."""
    lengths = segment_lengths(frame)
    firsts = frame[np.cumsum(lengths) - lengths]
    encoded = [vocabularies[variable].encode(firsts.get_column(variable)) for variable in STATIC_VARIABLES]
    return np.repeat(np.stack(encoded, axis=1), lengths, axis=0)


def _last_known(frame: pl.DataFrame) -> np.ndarray:
    """The last traded row of each row's segment, i64 [row]."""
    row = pl.int_range(pl.len())
    last = pl.when(pl.col("traded")).then(pl.col("row")).max().over("segment")
    return frame.select("segment", "traded", row=row).select(last).to_series().to_numpy()
