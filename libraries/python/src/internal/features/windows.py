"""Windows: 35 sessions behind an origin, 7 ahead, gathered by index from arrays that are laid out once.

Knows how the panel's rows become the model's arrays. Knows nothing of the model. `past` ends at the origin, `future`
and `target` begin after it, and the scale of both is the volatility known at the origin.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view

from internal.dates import next_session
from internal.errors import InvalidRequestError
from internal.features.scaling import CLIP, Scaler
from internal.features.splits import Block
from internal.features.variables import KNOWN_VARIABLES, PRICE_VARIABLES, STATIC_VARIABLES, known_frame
from internal.features.vocabulary import Vocabulary

PAST_LENGTH: Final = 35
HORIZON: Final = 7
MINIMUM_HISTORY: Final = 63


@dataclass(frozen=True)
class WindowBatch:
    """One batch of the model's inputs and its answer.

    Attributes:
        past: f32 [batch, past_length, observed + known]; the last step is the origin. Prices are log ratios in units of
            the origin's daily volatility.
        future: f32 [batch, horizon, known]; the first step is the session after the origin.
        static: i32 [batch, static]; 0 = unknown.
        target: f32 [batch, horizon]; cumulative log return / (volatility x sqrt(step)); NaN where it is not yet known.
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
        session: i64 [row], the row's position in `future_rows`.
        last_known: i64 [row], the last row of the same segment that traded: no label reaches beyond it.
        origins: i64 [origin], row numbers.
    """

    past_rows: np.ndarray
    future_rows: np.ndarray
    static_rows: np.ndarray
    log_close: np.ndarray
    volatility: np.ndarray
    session: np.ndarray
    last_known: np.ndarray
    origins: np.ndarray
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
        return WindowBatch(past, future, self.static_rows[rows], target)

    def log_returns(self, indices: np.ndarray) -> np.ndarray:
        """Cumulative log returns from the origin, f64 [n, horizon]; NaN where the session is not known."""
        rows = self.origins[indices]
        ahead = rows[:, None] + np.arange(1, self.horizon + 1)
        reached = ahead <= self.last_known[rows, None]
        later = self.log_close[np.where(reached, ahead, rows[:, None])]
        return np.where(reached, later - self.log_close[rows, None], np.nan)

    def scale(self, indices: np.ndarray) -> np.ndarray:
        """Volatility x sqrt(step), f64 [n, horizon]: what a target of one means."""
        steps = np.sqrt(np.arange(1, self.horizon + 1))
        return np.asarray(self.volatility[self.origins[indices], None] * steps)

    def select(self, mask: np.ndarray) -> "Windows":
        """The same arrays with some of the origins; `mask` is boolean or an index."""
        return replace(self, origins=self.origins[mask])


def make_windows(  # noqa: PLR0913 - every guard is an argument of its own
    frame: pl.DataFrame,
    scaler: Scaler,
    vocabularies: dict[str, Vocabulary],
    *,
    block: Block,
    labelled: bool,
    minimum_history: int = MINIMUM_HISTORY,
) -> Windows:
    """Lay the arrays out once and find the origins.

    Args:
        frame: What `variables.observe` returns, sorted by ticker and date.
        scaler: Fitted on the training fold.
        vocabularies: One for each static variable.
        block: Origins are taken from these dates alone; the past may begin before it.
        labelled: **Guard:** True keeps only origins whose whole horizon has traded in the same segment (training,
            evaluation); False takes every origin (forecasting), and unknown targets are NaN.
        minimum_history: Sessions that an origin's segment needs, the origin included: 35 for the window, and the rest
            so that the volatility has something to stand on.

    Raises:
        InvalidRequestError: The frame is empty.
    """
    if frame.is_empty():
        raise InvalidRequestError("there is no bar to cut windows from")
    session = frame.get_column("session").to_numpy()
    windows = Windows(
        past_rows=np.empty((0, 0), np.float32),
        future_rows=_known_rows(frame),
        static_rows=_static_rows(frame, vocabularies),
        log_close=frame.get_column("close").log().to_numpy(),
        volatility=frame.get_column("volatility").fill_null(float("nan")).to_numpy(),
        session=session,
        last_known=_last_known(frame),
        origins=_origins(frame, block, minimum_history),
    )
    observed = scaler.transform(frame)
    windows = replace(windows, past_rows=np.concatenate([observed, windows.future_rows[session]], axis=1))
    reach = windows.last_known[windows.origins] - windows.origins
    return windows.select(reach >= windows.horizon) if labelled else windows


def _known_rows(frame: pl.DataFrame) -> np.ndarray:
    """The calendar from the panel's session 0 to a horizon past its last, f32 [session, known]."""
    first = frame.select(pl.col("date").min()).item()
    offset = frame.filter(pl.col("date") == first).get_column("session").item(0)
    last = next_session(frame.select(pl.col("date").max()).item(), HORIZON)
    known = known_frame(first, last).select(f"future_{variable}" for variable in KNOWN_VARIABLES)
    rows = known.to_numpy().astype(np.float32)
    return np.concatenate([np.zeros((offset, rows.shape[1]), np.float32), rows])


def _static_rows(frame: pl.DataFrame, vocabularies: dict[str, Vocabulary]) -> np.ndarray:
    encoded = [vocabularies[variable].encode(frame.get_column(variable)) for variable in STATIC_VARIABLES]
    return np.stack(encoded, axis=1)


def _last_known(frame: pl.DataFrame) -> np.ndarray:
    row = pl.int_range(pl.len())
    last = pl.when(pl.col("traded")).then(pl.col("row")).max().over("segment")
    return frame.select("segment", "traded", row=row).select(last).to_series().to_numpy()


def _origins(frame: pl.DataFrame, block: Block, minimum_history: int) -> np.ndarray:
    eligible = (
        pl.col("date").is_between(block.first, block.last)
        & pl.col("traded")
        & (pl.col("age") >= max(minimum_history, PAST_LENGTH + 1) - 1)
        & pl.col("volatility").is_not_null()
    )
    return frame.select(pl.arg_where(eligible)).to_series().to_numpy().astype(np.int64)
