"""The relative target: a window's return relative to those of the other tickers on the same date.

A network trained on absolute returns overfits to the market's move on each date of the training fold, because 300 dates
are few and its inputs identify them; measured on real and simulated bars, that costs 1-3 % of the loss. The date's
median and spread are therefore removed from the labels, and the calibration, fitted on absolute returns, adds the
market's share of the spread again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from internal.errors import InvalidRequestError
from internal.features.windows import WindowBatch, Windows
from internal.scratch_arrays import ScratchArray

CHUNK_WINDOWS: Final = 65_536
PRIOR_TICKERS: Final = 5  # weight of the pooled spread in a date's spread, as a number of tickers


@dataclass(frozen=True)
class RelativeWindows:
    """Windows with relative targets.

    Attributes:
        windows: The labelled windows.
        targets: f32 [window, step].
    """

    windows: Windows
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.windows)

    def batch(self, indices: np.ndarray) -> WindowBatch:
        """Gather windows by index, with relative targets."""
        return replace(self.windows.batch(indices), target=self.targets[indices])

    def thin(self, maximum: int) -> "RelativeWindows":
        """At most so many windows, evenly spread over the rows, hence over tickers and dates."""
        if len(self) <= maximum:
            return self
        selected = np.linspace(0, len(self) - 1, maximum).astype(np.int64)
        return RelativeWindows(self.windows.at(self.windows.origins[selected]), self.targets[selected])


def standardise_returns(windows: Windows) -> np.ndarray:
    """Cumulative log returns / (volatility x sqrt(step)), f64 [window, step]."""
    standardised = np.empty((len(windows), windows.horizon))
    for part in _split_windows(windows):
        standardised[part] = _standardise(windows, part)
    return standardised


def _split_windows(windows: Windows) -> Iterator[slice]:
    """The places of windows in parts of CHUNK_WINDOWS."""
    return (slice(first, first + CHUNK_WINDOWS) for first in range(0, len(windows), CHUNK_WINDOWS))


def _standardise(windows: Windows, part: slice) -> np.ndarray:
    """The standardised returns of a part, f64 [window, step]; no page of the windows' arrays stays in memory."""
    places = np.arange(len(windows))[part]
    standardised = windows.log_returns(places) / windows.scale(places)
    windows.release()
    return standardised


def make_relative_windows(frame: pl.DataFrame, windows: Windows) -> RelativeWindows:
    """Replace each label by its distance from the date's median, scaled from the date's spread to the pooled one.

    Args:
        frame: The observed panel that the windows were cut from.
        windows: Labelled windows of one block. **Guard:** the median and spread of a date are computed from this
            block's own labels, which end inside it because of the purge.

    Raises:
        InvalidRequestError: No two tickers of a date differ.
    """
    dates = frame.get_column("date").gather(windows.origins)
    standardised = ScratchArray((windows.horizon, len(windows)))
    for part in _split_windows(windows):
        standardised.values[:, part] = _standardise(windows, part).T
        standardised.release()
    targets = ScratchArray((len(windows), windows.horizon), np.float32)
    for step, labels in enumerate(standardised.values):  # one by one, so that little more than a step's is in memory
        targets.values[:, step] = _make_relative(labels, dates)
        standardised.release()
        targets.release()
    return RelativeWindows(windows, targets.values)


def _make_relative(labels: np.ndarray, dates: pl.Series) -> np.ndarray:
    """One step's labels f64 [window] to relative ones."""
    label, pooled = pl.col("label"), pl.col("distance").mean()
    count, spread = pl.len().over("date"), pl.col("distance").mean().over("date")
    shrunk = (count * spread + PRIOR_TICKERS * pooled) / (count + PRIOR_TICKERS)
    measured = (
        pl.DataFrame({"label": labels, "date": dates})
        .with_columns(median=label.median().over("date"))
        .with_columns(distance=(label - pl.col("median")).abs())
    )
    if len(labels) and not measured.get_column("distance").cast(bool).any():
        raise InvalidRequestError(
            "a network learns how tickers differ on a date, and here each date has one ticker or equal ones: assemble "
            "more tickers, or train a baseline, such as `--model heterogeneous_volatility`"
        )
    return measured.select((label - pl.col("median")) / shrunk * pooled + label.median()).to_series().to_numpy()
