"""Ranks and rank correlations of many sessions at once."""

import numpy as np
import polars as pl

from internal.trading.arrays import BoolArray, FloatArray
from research.signals.panel import FEWEST_NAMES


def rank_rows(values: FloatArray, known: BoolArray) -> FloatArray:
    """[S, N] ranks within each row from 1, ties averaged; NaN where a value is not known."""
    rows = np.repeat(np.arange(len(values)), values.shape[1])
    frame = pl.DataFrame({"row": rows, "value": np.where(known, values, np.nan).ravel()})
    ranks = frame.select(pl.col("value").fill_nan(None).rank("average").over("row")).get_column("value")
    return ranks.fill_null(np.nan).to_numpy().reshape(values.shape)


def rank_correlations(one: FloatArray, other: FloatArray) -> FloatArray:
    """[S] Spearman correlations of the rows; NaN with fewer than FEWEST_NAMES pairs or without any spread.

    Spearman (1904): Pearson's correlation of the ranks.
    """
    known = np.isfinite(one) & np.isfinite(other)
    first, second = _center(rank_rows(one, known)), _center(rank_rows(other, known))
    spread = np.sqrt(np.nansum(first**2, axis=1) * np.nansum(second**2, axis=1))
    enough = (known.sum(axis=1) >= FEWEST_NAMES) & (spread > 0)
    products = np.nansum(first * second, axis=1)
    return np.divide(products, spread, out=np.full(len(spread), np.nan), where=enough)


def _center(ranks: FloatArray) -> FloatArray:
    count = np.isfinite(ranks).sum(axis=1, keepdims=True)
    return ranks - np.nansum(ranks, axis=1, keepdims=True) / np.maximum(count, 1)
