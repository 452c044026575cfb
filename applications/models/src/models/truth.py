"""What happened after the rows that every forecast of an evaluation is scored on, with what scores are grouped by."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from models.traits import Trait


@dataclass(frozen=True)
class Truth:
    """The returns on the rows that every forecast is scored on.

    Attributes:
        dates: The origins' dates as a Date series [row].
        cumulative: Cumulative log returns, f64 [row, step].
        daily: Simple returns of each session, f64 [row, step].
        volatility: The origin's trailing volatility, f64 [row], by which rows are divided into thirds.
        sectors: The sector of each row's ticker; null where unknown.
        folds: The fold's number, i64 [row]; the dates of a fold are consecutive and in no other fold.
        tickers: The ticker of each row.
        traits: What a ranking may be a bet on, f64 [row] each; NaN where it is not known.
    """

    dates: pl.Series
    cumulative: np.ndarray
    daily: np.ndarray
    volatility: np.ndarray
    sectors: pl.Series
    folds: np.ndarray
    tickers: pl.Series
    traits: Mapping[Trait, np.ndarray]

    def dates_by_fold(self) -> list[int]:
        """Number of dates of each fold, in order; the bootstrap draws within each."""
        frame = pl.DataFrame({"date": self.dates, "fold": self.folds})
        return frame.group_by("fold").agg(pl.col("date").n_unique()).sort("fold").get_column("date").to_list()
