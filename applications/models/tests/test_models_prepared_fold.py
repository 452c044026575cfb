"""The windows of a fold for networks: each session counts alike in the calibration, and chunks change no label."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import relative_target
from models.dataset import Dataset
from models.folds import FoldData, choose_fold, observe_dataset
from models.prepared_fold import prepare_fold, select_evenly
from models.relative_target import standardise_returns

MakeDataset = Callable[[int, date, date], Dataset]


@given(st.lists(st.integers(0, 12), max_size=200), st.integers(1, 150))
@settings(max_examples=200, deadline=None)
def test_every_session_has_the_same_number(sessions: list[int], maximum: int) -> None:
    """Each session has min(its elements, an equal share) places, each place once, in order."""
    chosen = select_evenly(np.array(sessions, np.int64), maximum)
    share = max(1, maximum // max(1, len(set(sessions))))
    counted = {one: int((np.array(sessions)[chosen] == one).sum()) for one in set(sessions)}
    assert counted == {one: min(sessions.count(one), share) for one in set(sessions)}
    assert (np.diff(chosen) > 0).all()


def test_sessions_select_different_tickers() -> None:
    """Of 50 sessions with 40 tickers each, two a session are selected and every ticker takes part."""
    sessions, tickers = np.tile(np.arange(50), 40), np.repeat(np.arange(40), 50)
    chosen = select_evenly(sessions, 100)
    assert len(chosen) == 100
    assert set(tickers[chosen]) == set(range(40))


def test_validation_counts_as_much_as_training(make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """The calibration's share of validation windows is its share of sessions, for 3 tickers and for 9."""
    monkeypatch.setattr(relative_target, "CHUNK_WINDOWS", 100)
    for tickers in (3, 9):
        dataset = make_dataset(tickers, date(2022, 1, 3), date(2024, 6, 28))
        frame = observe_dataset(dataset)
        prepared = prepare_fold(FoldData(frame, choose_fold(frame), dataset.bars_version))
        training, validation = prepared.training.windows, prepared.validation.windows
        windows = prepared.calibration_windows(1000)
        days = frame.get_column("date").gather(windows.origins)
        known = {len(np.unique(block.session[block.origins])) for block in (training, validation)}
        share = (days >= choose_fold(frame).validation.first).mean()
        assert share == pytest.approx(min(known) / sum(known), abs=1e-9)
        assert len(windows) == sum(known) * min(tickers, 1000 // sum(known))
        every = np.arange(len(training))
        assert (standardise_returns(training) == training.log_returns(every) / training.scale(every)).all()


def test_tickers_that_hardly_move_have_no_window(make_dataset: MakeDataset) -> None:
    """A constant price trains no network; the others have the windows that they have without it."""
    dataset = make_dataset(4, date(2022, 1, 3), date(2024, 6, 28))
    still = pl.col("ticker") == dataset.bars["ticker"].unique().sort()[-1]
    prices = {name: pl.when(still).then(10.0).otherwise(name) for name in ("open", "high", "low", "close")}
    counts = list[dict[str, int]]()
    for bars in (dataset.bars, dataset.bars.with_columns(**prices)):
        frame = observe_dataset(replace(dataset, bars=bars))
        prepared = prepare_fold(FoldData(frame, choose_fold(frame), dataset.bars_version))
        of_windows = frame["ticker"].gather(prepared.calibration_windows(10**6).origins)
        counts.append(dict(of_windows.value_counts().sort("ticker").iter_rows()))
    (*_, last), _ = counts
    assert counts[1] == {ticker: count for ticker, count in counts[0].items() if ticker != last}
