"""Earnings features: a planted day of news shows 13 weeks later, at the right session, and never from the future."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.dates import sessions_frame
from internal.features.earnings_features import (
    DAYS_BACK,
    LARGE,
    MarketMedians,
    add_spikes,
    earnings_features,
    earnings_features_at,
)
from internal.features.panel import build_panel
from internal.features.variables import observe

START, END = date(2022, 1, 3), date(2024, 6, 28)
NEWS = date(2023, 1, 25)


@pytest.fixture(name="observed", scope="module")
def _observed(
    make_bars: Callable[[int, date, date], pl.DataFrame], make_details: Callable[[int], pl.DataFrame]
) -> pl.DataFrame:
    """Five tickers, of which one jumps by 20 % on ten times the volume, once."""
    return _jumping(make_bars(5, START, END), make_details(5), pl.col("ticker") == "T00")


def _jumping(bars: pl.DataFrame, details: pl.DataFrame, moved: pl.Expr) -> pl.DataFrame:
    jump = pl.when(moved & (pl.col("date") >= NEWS)).then(1.2).otherwise(1.0)
    prices = [(pl.col(name) * jump).alias(name) for name in ("open", "high", "low", "close")]
    loud = pl.when(moved & (pl.col("date") == NEWS)).then(10).otherwise(1)
    return observe(build_panel(bars.with_columns(*prices, volume=pl.col("volume") * loud), details, end=END).frame)


@pytest.mark.parametrize(("place", "days"), list(enumerate(DAYS_BACK)))
def test_news_shows_again(observed: pl.DataFrame, place: int, days: int) -> None:
    """Of all sessions the spike is largest for the target that many days after the news, give or take one session."""
    rows = (observed["ticker"] == "T00").to_numpy()
    calendar = sessions_frame(START, END)["date"].to_list()
    for step, features in enumerate(earnings_features(observed), start=1):
        inputs = features[rows]
        day = calendar[calendar.index(observed["date"][int(inputs[:, place].argmax())]) + step]
        assert abs((day - NEWS - timedelta(days=days)).days) <= 4
        assert inputs[:, place].max() > np.log1p(8)
        assert (inputs[:, place] > np.log1p(8)).sum() <= 4


def test_no_history_gives_zeros(observed: pl.DataFrame) -> None:
    """Rows whose history does not reach 91 days back have only zeros."""
    for inputs in earnings_features(observed):
        assert not inputs[:50].any()


def test_a_move_of_all_tickers_is_no_news(
    make_bars: Callable[[int, date, date], pl.DataFrame], make_details: Callable[[int], pl.DataFrame]
) -> None:
    """A session on which every ticker jumps alike raises no ticker's features above those without the jump."""
    bars, details = make_bars(5, START, END), make_details(5)
    with_jump, without = (earnings_features(_jumping(bars, details, pl.lit(shift))) for shift in (True, False))
    for moved, expected in zip(with_jump, without, strict=True):
        assert (moved[:, : len(DAYS_BACK)] <= expected[:, : len(DAYS_BACK)] + 1e-6).all()


def _spikes_of_polars(panel: pl.DataFrame) -> bytes:
    """Of whole columns: the volatility before is the segment's own, and an unknown spike is none."""
    apart = (pl.col(name) - pl.col(name).median().over("session") for name in ("log_return", "past_volume_surprise"))
    change, surprise = apart
    before = pl.col("volatility").shift(1).over("segment")
    spike = ((change.abs() / before).clip(0, 8) * surprise.clip(-1, 3).exp()).clip(0, 30).fill_null(0.0)
    return panel.select(spike).to_series().to_numpy().tobytes()


@settings(deadline=None)  # the first one may compile the kernels
@given(st.lists(st.integers(0, 2), min_size=1, max_size=40), st.integers(0, 2**32 - 1))
def test_spikes_are_those_of_polars(segment: list[int], seed: int) -> None:
    """To the bit, of segments of any lengths and beginnings, with unknown and with absurd values."""
    random, count = np.random.default_rng(seed), len(segment)
    lengths = np.bincount(segment).tolist()
    sessions = [np.arange(length) + int(random.integers(5, 9)) for length in lengths]
    drawn = {
        "log_return": random.standard_t(1, count) * 0.03,
        "past_volume_surprise": random.normal(0, 2, count),
        "volatility": random.lognormal(-4, 1, count),
    }
    panel = pl.DataFrame({"segment": np.sort(segment), "session": np.concatenate(sessions), **drawn})
    known = {name: pl.Series(random.random(count) > 0.2) for name in drawn}
    panel = panel.with_columns(pl.when(flag).then(name).alias(name) for name, flag in known.items())
    found = add_spikes(panel, MarketMedians.of(panel))["spike"]
    assert found.to_numpy().tobytes() == _spikes_of_polars(panel)


def test_spikes_of_a_panel(observed: pl.DataFrame) -> None:
    """They are those of Polars, and medians of other sessions are refused."""
    panel = observed.filter((pl.col("ticker") != "T01") | (pl.col("age") >= 30))
    medians = MarketMedians.of(panel)
    assert add_spikes(panel, medians)["spike"].to_numpy().tobytes() == _spikes_of_polars(panel)
    for other in (replace(medians, first=medians.first + 1), replace(medians, change=medians.change[:-1])):
        with pytest.raises(ValueError, match="other sessions"):
            add_spikes(panel, other)


def test_every_feature(observed: pl.DataFrame) -> None:
    """Recomputed of a few rows from the calendar, one day after another, of segments that begin on different days."""
    late = (observed["ticker"] == "T01") & (observed["age"] < 30)
    panel = observed.filter(~late & (observed["ticker"] != "T02"))
    prepared = add_spikes(panel, MarketMedians.of(panel))
    days = sessions_frame(START, END + timedelta(days=30))["date"].to_list()
    spike = {(one, day): value for one, day, value in prepared.select("ticker", "date", "spike").iter_rows()}
    begun = {one: days.index(day) for one, day in prepared.group_by("ticker").agg(pl.col("date").min()).iter_rows()}
    rows = np.sort(np.random.default_rng(4).choice(prepared.height, 40, replace=False))
    for step, features in enumerate(earnings_features_at(prepared, rows), start=1):
        for found, (ticker, day) in zip(features, prepared.select("ticker", "date")[rows].iter_rows(), strict=True):
            target = days[days.index(day) + step]
            before = [sum(one <= target - timedelta(days=back) for one in days) - 1 for back in DAYS_BACK]
            near = [[spike.get((ticker, days[max(place + off, 0)]), 0.0) for off in (-1, 0, 1)] for place in before]
            reached = [place >= begun[ticker] - 1 for place in before]
            spikes = [max(values) if known else 0.0 for values, known in zip(near, reached, strict=True)]
            sizes, large = np.log1p(spikes), sum(value > LARGE for value in spikes)
            expected = [*sizes, large >= 1, large >= 2, large >= 3, *sorted(sizes)[1:3]]
            assert found == pytest.approx(np.array(expected, float), rel=1e-12)


def test_some_rows_equal_all_rows(observed: pl.DataFrame) -> None:
    """Computed at some rows of any segments, they equal to the bit those computed at every row."""
    rows = np.flatnonzero(observed["age"].to_numpy() % 7 == 3)
    prepared = add_spikes(observed, MarketMedians.of(observed))
    for some, every in zip(earnings_features_at(prepared, rows), earnings_features(observed), strict=True):
        assert some.tobytes() == every[rows].tobytes()
