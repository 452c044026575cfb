"""The relative target removes the market's move on a date from the labels and keeps the order of the tickers."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest

from internal.errors import InvalidRequestError
from internal.features.panel import build_panel
from internal.features.scaling import Scaler
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import make_windows
from models.dataset import Dataset
from models.prepared_fold import fit_vocabularies
from models.relative_target import RelativeWindows, make_relative_windows, standardise_returns

MakeDataset = Callable[[int, date, date], Dataset]
START, END = date(2023, 1, 3), date(2024, 6, 28)
BLOCK = Block(START, date(2024, 3, 1))


def _windows(bars: pl.DataFrame, details: pl.DataFrame) -> RelativeWindows:
    frame = observe(build_panel(bars, details, end=END).frame)
    scaler, vocabularies = Scaler.fit(frame, fold=BLOCK), fit_vocabularies(frame, fold=BLOCK)
    return make_relative_windows(frame, make_windows(frame, scaler, vocabularies, block=BLOCK))


def test_dates_have_one_median_and_orders_stay(make_dataset: MakeDataset) -> None:
    """Every date's median label is the pooled median, and the order of the tickers on a date is unchanged."""
    dataset = make_dataset(11, START, END)
    relative = _windows(dataset.bars, dataset.details)
    plain = standardise_returns(relative.windows)
    dates = relative.windows.session[relative.windows.origins]
    for day in np.unique(dates)[::20]:
        here = dates == day
        assert np.allclose(np.median(relative.targets[here], axis=0), np.median(plain, axis=0), atol=1e-5)
        assert (np.argsort(relative.targets[here], axis=0) == np.argsort(plain[here], axis=0)).all()


def test_market_moves_are_removed(make_dataset: MakeDataset) -> None:
    """A crash of the whole market on one day changes absolute labels far more than relative ones."""
    dataset = make_dataset(11, START, END)
    fallen = dataset.bars.with_columns(
        pl.when(pl.col("date") >= date(2023, 10, 16)).then(pl.col(name) * 0.9).otherwise(pl.col(name))
        for name in ("open", "high", "low", "close")
    )
    before, after = _windows(dataset.bars, dataset.details), _windows(fallen, dataset.details)
    moved = np.abs(standardise_returns(after.windows) - standardise_returns(before.windows)).max(axis=1) > 1
    plain = np.abs(standardise_returns(after.windows) - standardise_returns(before.windows))[moved].mean()
    assert moved.sum() >= 11 * 7 - 11
    assert np.abs(after.targets - before.targets)[moved].mean() < 0.2 * plain


def test_one_ticker(make_dataset: MakeDataset) -> None:
    """One ticker has no distance from the others: refused with what to do, before a target is not a number."""
    dataset = make_dataset(1, START, END)
    with pytest.raises(InvalidRequestError, match="one ticker or equal ones: assemble more tickers, or train a base"):
        _windows(dataset.bars, dataset.details)


def test_thinning_keeps_labels_with_their_windows(make_dataset: MakeDataset) -> None:
    """A batch of thinned windows equals that of all windows at the same origins, and they span the block."""
    dataset = make_dataset(5, START, END)
    full = _windows(dataset.bars, dataset.details)
    few = full.thin(100)
    places = np.searchsorted(full.windows.origins, few.windows.origins)
    one, other = few.batch(np.arange(100)), full.batch(places)
    assert (one.past.tobytes(), one.target.tobytes()) == (other.past.tobytes(), other.target.tobytes())
    assert (places[0], places[-1]) == (0, len(full) - 1)
    assert full.thin(len(full)) is full
