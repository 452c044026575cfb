"""The relative target: what a window's return was beside those of the other tickers on the same date.

Knows one transformation of training labels. A network trained on plain returns remembers what the market did on each
date of the training fold, because 300 dates are few and its inputs tell them apart; measured on real and simulated
bars, that costs 1-3 % of the loss. So the date's own median and spread are taken out of the labels, and the
calibration, fitted on plain returns, puts the market's share of the spread back.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from internal.features.windows import WindowBatch, Windows

PRIOR_TICKERS = 5  # a date with few tickers leans on the pooled spread as if it had so many more


@dataclass(frozen=True)
class RelativeWindows:
    """Some windows with relative targets.

    Attributes:
        windows: The windows, labelled.
        targets: f32 [window, step].
    """

    windows: Windows
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.windows)

    def batch(self, indices: np.ndarray) -> WindowBatch:
        """Gather some windows, with relative targets."""
        return replace(self.windows.batch(indices), target=self.targets[indices])

    def thinned(self, most: int) -> "RelativeWindows":
        """At most so many windows, evenly spread over rows, hence over tickers and dates alike."""
        if len(self) <= most:
            return self
        kept = np.linspace(0, len(self) - 1, most).astype(np.int64)
        return RelativeWindows(self.windows.at(self.windows.origins[kept]), self.targets[kept])


def standardised_returns(windows: Windows) -> np.ndarray:
    """Cumulative log returns / (volatility x sqrt(step)), f64 [window, step]."""
    everything = np.arange(len(windows))
    return np.asarray(windows.log_returns(everything) / windows.scale(everything))


def relative_windows(frame: pl.DataFrame, windows: Windows) -> RelativeWindows:
    """Replace each label by its distance from the date's median, with the date's spread brought to the pooled one.

    Args:
        frame: The observed panel that the windows were cut from.
        windows: Labelled windows of one block. **Guard:** the median and spread of a date come from this block's own
            labels, which end inside it by the purge.
    """
    truth = standardised_returns(windows)
    steps = [str(step) for step in range(truth.shape[1])]
    labels = pl.DataFrame(truth, schema=steps).with_columns(date=frame.get_column("date").gather(windows.origins))
    middle = labels.select(pl.col(steps).median().over("date")).to_numpy()
    apart = np.abs(truth - middle)
    spread = pl.DataFrame(apart, schema=steps).with_columns(labels["date"]).select(pl.col(steps).mean().over("date"))
    count = labels.select(pl.len().over("date")).to_numpy()
    pooled = apart.mean(axis=0)
    steadied = (count * spread.to_numpy() + PRIOR_TICKERS * pooled) / (count + PRIOR_TICKERS)
    relative = (truth - middle) / steadied * pooled + np.median(truth, axis=0)
    return RelativeWindows(windows, relative.astype(np.float32))
