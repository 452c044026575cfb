"""The relative target: a window's return relative to those of the other tickers on the same date.

A network trained on absolute returns overfits to the market's move on each date of the training fold, because 300 dates
are few and its inputs identify them; measured on real and simulated bars, that costs 1-3 % of the loss. The date's
median and spread are therefore removed from the labels, and the calibration, fitted on absolute returns, adds the
market's share of the spread again.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from internal.features.windows import WindowBatch, Windows

PRIOR_TICKERS = 5  # weight of the pooled spread in a date's spread, as a number of tickers


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
    everything = np.arange(len(windows))
    return np.asarray(windows.log_returns(everything) / windows.scale(everything))


def make_relative_windows(frame: pl.DataFrame, windows: Windows) -> RelativeWindows:
    """Replace each label by its distance from the date's median, scaled from the date's spread to the pooled one.

    Args:
        frame: The observed panel that the windows were cut from.
        windows: Labelled windows of one block. **Guard:** the median and spread of a date are computed from this
            block's own labels, which end inside it because of the purge.
    """
    truth = standardise_returns(windows)
    steps = [str(step) for step in range(truth.shape[1])]
    labels = pl.DataFrame(truth, schema=steps).with_columns(date=frame.get_column("date").gather(windows.origins))
    median = labels.select(pl.col(steps).median().over("date")).to_numpy()
    distance = np.abs(truth - median)
    spread = pl.DataFrame(distance, schema=steps).with_columns(labels["date"]).select(pl.col(steps).mean().over("date"))
    count = labels.select(pl.len().over("date")).to_numpy()
    pooled = distance.mean(axis=0)
    shrunk = (count * spread.to_numpy() + PRIOR_TICKERS * pooled) / (count + PRIOR_TICKERS)
    relative = (truth - median) / shrunk * pooled + np.median(truth, axis=0)
    return RelativeWindows(windows, relative.astype(np.float32))
