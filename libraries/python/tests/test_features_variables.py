"""The variables: formulas against hand calculation and NumPy, and the calendar's values."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from internal.features.panel import PRICES, build_panel
from internal.features.variables import (
    DESCRIPTIONS,
    KNOWN_VARIABLES,
    OBSERVED_VARIABLES,
    READ_BY_NETWORKS_ALONE,
    STATIC_VARIABLES,
    find_moving,
    known_frame,
    observe,
)

MakeBars = Callable[[int, date, date], pl.DataFrame]
MakeDetails = Callable[[int], pl.DataFrame]
START, END = date(2023, 1, 3), date(2024, 6, 28)


@pytest.fixture(name="observed")
def _observed(make_bars: MakeBars, make_details: MakeDetails) -> pl.DataFrame:
    return observe(build_panel(make_bars(2, START, END), make_details(2), end=END).frame)


def test_every_variable_is_described() -> None:
    """The page that shows weights has a phrase for each variable, and for nothing else."""
    assert DESCRIPTIONS.keys() == {*OBSERVED_VARIABLES, *KNOWN_VARIABLES, *STATIC_VARIABLES}


def test_two_bars_by_hand() -> None:
    """Close 100 to 110, open 105, high 112, low 104, average price 108: logs of ratios to 100."""
    bars = pl.DataFrame(
        {
            "ticker": ["A", "A"],
            "date": [date(2024, 1, 2), date(2024, 1, 3)],
            "open": [99.0, 105.0],
            "high": [101.0, 112.0],
            "low": [98.0, 104.0],
            "close": [100.0, 110.0],
            "volume": [1000.0, 2000.0],
            "volume_weighted_average_price": [99.5, 108.0],
        }
    )
    details = pl.DataFrame({"ticker": ["A"], "sector": ["X"], "industry": ["Y"]})
    row = observe(build_panel(bars, details, end=date(2024, 1, 3)).frame).row(1, named=True)
    expected = {"open": 0.04879, "high": 0.113329, "low": 0.039221, "close": 0.09531}
    assert {name: round(row[f"past_{name}"], 6) for name in expected} == expected
    assert row["past_volume_weighted_average_price"] == pytest.approx(np.log(1.08))
    assert row["past_daily_return"] == pytest.approx(0.1)


def test_average_price_falls_back(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """Without the vendor's average price, or with one outside low..high, the typical price replaces it."""
    bars = make_bars(1, START, END)
    absent = observe(build_panel(bars.drop("volume_weighted_average_price"), make_details(1), end=END).frame)
    wrong = observe(build_panel(bars.with_columns(volume_weighted_average_price=1e6), make_details(1), end=END).frame)
    typical = (absent["high"] + absent["low"] + absent["close"]) / 3 / absent["close"].shift(1)
    assert absent["past_volume_weighted_average_price"].to_numpy()[1:] == pytest.approx(typical.log().to_numpy()[1:])
    assert wrong["past_volume_weighted_average_price"].equals(absent["past_volume_weighted_average_price"])


def test_volatility_is_the_blend(observed: pl.DataFrame) -> None:
    """Half RiskMetrics' weighted root mean square, half that of the last 252 returns, by a NumPy loop."""
    rows = observed.filter(pl.col("ticker") == "T01")
    returns = rows["log_return"].to_numpy()[1:]
    for place in (60, 200, 370):
        known = returns[:place]
        weights = 0.94 ** np.arange(place)[::-1]
        weighted = np.sqrt((weights * known**2).sum() / weights.sum())
        long_run = np.sqrt((known[-252:] ** 2).mean())
        assert rows["volatility"][place] == pytest.approx((weighted + long_run) / 2, rel=1e-9)


def test_constant_price_has_a_floor(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """A price that never moves has the floor's volatility, 0.1 %, and finite variables."""
    bars = make_bars(1, START, END).with_columns(open=10.0, high=10.0, low=10.0, close=10.0)
    rows = observe(build_panel(bars, make_details(1), end=END).frame).slice(30)
    assert set(rows["volatility"].to_list()) == {1e-3}
    assert (
        rows.select(pl.all_horizontal(pl.col(f"past_{name}").is_finite() for name in OBSERVED_VARIABLES))
        .to_series()
        .all()
    )


def test_what_hardly_moves_by_hand() -> None:
    """At the floor it does not; above it does, and where the volatility is not known yet."""
    frame = pl.DataFrame({"volatility": [1e-3, 1.001e-3, 0.02, None, float("nan")]})
    assert find_moving(frame).tolist() == [False, True, True, True, True]


def test_volume_surprise(observed: pl.DataFrame) -> None:
    """Log volume minus the mean log volume of the twenty sessions before."""
    volume = np.log(observed.filter(pl.col("ticker") == "T00")["volume"].to_numpy() + 1)
    assert observed["past_volume_surprise"][100] == pytest.approx(volume[100] - volume[80:100].mean())


def test_segments_are_independent(observed: pl.DataFrame) -> None:
    """The first row of the second ticker has no return from the first ticker's last close."""
    first = observed.filter(pl.col("ticker") == "T01").row(0, named=True)
    assert (first["log_return"], first["past_open"], first["volatility"]) == (None, None, None)


def _as_polars_computes(frame: pl.DataFrame) -> pl.DataFrame:
    """What is observed of a panel, by expressions of Polars."""
    close, previous, segment = pl.col("close"), pl.col("previous"), "segment"
    vendor, volume = pl.col("volume_weighted_average_price"), pl.when("traded").then((pl.col("volume") + 1).log())
    typical = (pl.col("high") + pl.col("low") + close) / 3
    average = pl.when(vendor.is_between(pl.col("low"), pl.col("high"))).then(vendor).otherwise(typical)
    surprise = volume - volume.rolling_mean(20, min_samples=5).shift(1).over(segment)
    squares, own = pl.col("log_return").pow(2), pl.col("volatility")

    def root(values: pl.Expr, window: int) -> pl.Expr:
        mean = values.rolling_mean(window, min_samples=min(window, 20)).over(segment)
        return mean.clip(0).sqrt().clip(1e-3)

    span = (pl.col("high") / pl.col("low")).log().pow(2) / 2
    body = (close / pl.col("open")).log().pow(2) * 0.38629436111989
    weighted = squares.ewm_mean(alpha=1 - 0.94, min_samples=20).over(segment).sqrt()
    return (
        frame.with_columns(previous=close.shift(1).over(segment))
        .with_columns(
            (close / previous).log().alias("log_return"),
            (average / previous).log().alias("past_volume_weighted_average_price"),
            *((pl.col(name) / previous).log().alias(f"past_{name}") for name in PRICES),
            pl.when("traded").then(surprise).otherwise(0.0).fill_null(0.0).clip(-5, 5).alias("past_volume_surprise"),
            (close / previous - 1).alias("past_daily_return"),
        )
        .with_columns(
            volatility=(0.5 * weighted + 0.5 * root(squares, 252)).clip(1e-3),
            range_variance=(span - body).clip(0) + pl.col("past_open").pow(2),
        )
        .with_columns(
            past_recent_volatility=(root(squares, 5) / own).log().clip(-3, 3),
            past_range_volatility=(root(pl.col("range_variance"), 22) / own).log().clip(-3, 3),
        )
        .drop("previous")
    )


@pytest.mark.parametrize("threads", [1, 7])
def test_as_polars_computes(
    make_bars: MakeBars, make_details: MakeDetails, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    """Variables are those of Polars to the bit, in segments that are short, halted, still or without an average."""
    monkeypatch.setattr("internal.features.variables.pl.thread_pool_size", lambda: threads)
    bars, random = make_bars(5, START, END), np.random.default_rng(5)
    still, drawn = pl.col("ticker") == "T03", pl.Series(random.random(bars.height))
    bars = bars.with_columns(pl.when(still).then(10.0).otherwise(name).alias(name) for name in PRICES)
    average = pl.when(drawn > 0.9).then(1e6).when(drawn > 0.1).then("volume_weighted_average_price")
    bars = bars.with_columns(volume_weighted_average_price=average).filter(pl.Series(random.random(bars.height)) > 0.03)
    gap = (pl.col("ticker") == "T02") & pl.col("date").is_between(date(2023, 2, 1), date(2023, 3, 1))
    panel = build_panel(bars.filter(~gap), make_details(5), end=END)
    assert (panel.report.segments, panel.report.filled_sessions > 20) == (6, True)
    assert_frame_equal(observe(panel.frame), _as_polars_computes(panel.frame), check_exact=True)


def test_no_rows_are_observed(observed: pl.DataFrame) -> None:
    """A panel without rows gets the same columns."""
    assert observe(
        observed.select(pl.all().exclude("^(past_.*|log_return|volatility|range_variance)$")).clear()
    ).equals(observed.clear())


def test_calendar_before_a_holiday() -> None:
    """Friday 2024-08-30 precedes Labor Day: four days to the next session, and a holiday between."""
    row = known_frame(date(2024, 8, 26), date(2024, 9, 6)).row(
        by_predicate=pl.col("date") == date(2024, 8, 30), named=True
    )
    assert row["future_day_of_week"] == 1.0
    assert row["future_days_until_next_session"] == 1.0
    assert row["future_holiday_next"] == 1.0
    assert row["future_days_since_previous_session"] == 0.0
    assert row["future_month_of_quarter"] == 0.0
    assert row["future_day_of_month"] == pytest.approx(14 / 15)


def test_calendar_of_an_ordinary_weekend() -> None:
    """Friday 2024-08-23: three days on is Monday, no holiday."""
    row = known_frame(date(2024, 8, 23), date(2024, 8, 23)).row(0, named=True)
    assert row["future_days_until_next_session"] == pytest.approx(2 / 3)
    assert row["future_holiday_next"] == 0.0


def test_columns_of_networks_are_left_out(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """A panel that no network reads lacks their columns; the others are the same."""
    panel = build_panel(make_bars(2, START, END), make_details(2), end=END).frame
    assert observe(panel, for_networks=False).equals(observe(panel).drop(READ_BY_NETWORKS_ALONE))
