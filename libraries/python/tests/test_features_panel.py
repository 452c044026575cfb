"""The panel: a regular grid, bad bars set aside and counted, and no row that depends on a later one."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from internal.dates import sessions
from internal.errors import SchemaError
from internal.features.panel import PRICES, build_panel
from internal.features.panel_rows import RowOrder
from internal.features.variables import observe

MakeBars = Callable[[int, date, date], pl.DataFrame]
MakeDetails = Callable[[int], pl.DataFrame]
START, END = date(2024, 1, 2), date(2024, 6, 28)


def _at(frame: pl.DataFrame, ticker: str, day: date) -> dict[str, object]:
    return frame.row(by_predicate=(pl.col("ticker") == ticker) & (pl.col("date") == day), named=True)


def _changed(bars: pl.DataFrame, day: date, **values: float | None) -> pl.DataFrame:
    """T00's bar of a day with other values."""
    there = (pl.col("ticker") == "T00") & (pl.col("date") == day)
    return bars.with_columns(
        pl.when(there).then(value).otherwise(pl.col(name)).alias(name) for name, value in values.items()
    )


def test_clean_bars_pass(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """Clean bars come out as they went in, one row a ticker and session, nothing set aside."""
    bars = make_bars(3, START, END)
    panel = build_panel(bars, make_details(3), end=END)
    assert panel.frame.select(bars.columns).equals(bars.sort("ticker", "date").select(bars.columns))
    assert set(panel.report.set_aside.values()) == {0}
    assert (panel.report.tickers, panel.report.segments, panel.report.filled_sessions) == (3, 3, 0)


def test_shuffled_bars_give_the_same_panel(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """The order of the rows does not matter."""
    bars = make_bars(3, START, END)
    shuffled = build_panel(bars.sample(fraction=1.0, shuffle=True, seed=1), make_details(3), end=END)
    assert build_panel(bars, make_details(3), end=END).frame.equals(shuffled.frame)


def test_threads_give_the_same_panel(
    make_bars: MakeBars, make_details: MakeDetails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A panel that more threads make than there are tickers is that of one, its report and its segments included."""
    day = date(2024, 3, 4)
    bars = _changed(make_bars(4, START, END), day, close=1e6, high=1e6)
    halted = (pl.col("ticker") == "T02") & pl.col("date").is_between(day, date(2024, 4, 2))
    bars = bars.filter(~halted & ((pl.col("ticker") != "T03") | (pl.col("date") > day))).sample(
        fraction=1.0, shuffle=True, seed=1
    )
    monkeypatch.setattr("internal.features.panel_rows.pl.thread_pool_size", lambda: 1)
    whole = build_panel(bars, make_details(4), end=END)
    for threads in (2, 3, 9):
        monkeypatch.setattr("internal.features.panel_rows.pl.thread_pool_size", lambda threads=threads: threads)
        parts = build_panel(bars, make_details(4), end=END)
        assert parts.frame.equals(whole.frame)
        assert parts.report == whole.report
    assert (whole.report.segments, whole.report.set_aside["absurd_price"]) == (5, 1)


def test_weekend_gap_is_no_gap(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """Friday and Monday are neighbours, and so are the days around a holiday."""
    frame = build_panel(make_bars(1, START, END), make_details(1), end=END).frame
    assert frame.get_column("date").to_list() == sessions(START, END)
    assert frame.get_column("age").to_list() == list(range(len(sessions(START, END))))


def test_missing_sessions_carry_the_close(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """A halt of three sessions is filled with the last close and no volume, in the same segment."""
    bars = make_bars(2, START, END)
    halted = sessions(date(2024, 3, 4), date(2024, 3, 6))
    panel = build_panel(
        bars.filter((pl.col("ticker") != "T00") | ~pl.col("date").is_in(halted)), make_details(2), end=END
    )
    before = _at(bars, "T00", date(2024, 3, 1))
    row = _at(panel.frame, "T00", date(2024, 3, 5))
    assert (row["open"], row["close"], row["volume"], row["traded"]) == (before["close"], before["close"], 0.0, False)
    assert (panel.report.filled_sessions, panel.report.segments) == (3, 2)


def test_long_gap_breaks_the_history(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """After eight missing sessions a new segment starts; the first five of them are filled, as was known then."""
    bars = make_bars(1, START, END)
    absent = sessions(date(2024, 3, 4), date(2024, 3, 13))
    panel = build_panel(bars.filter(~pl.col("date").is_in(absent)), make_details(1), end=END)
    assert len(absent) == 8
    assert (panel.report.filled_sessions, panel.report.segments) == (5, 2)
    assert _at(panel.frame, "T00", date(2024, 3, 14))["age"] == 0


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"volume": 0.0}, "not_traded"),
        ({"close": float("nan")}, "malformed"),
        ({"open": -1.0}, "malformed"),
        ({"low": None}, "malformed"),
        ({"volume": None}, "malformed"),
        ({"volume": float("inf")}, "malformed"),
        ({"volume": 1.1e100}, "malformed"),
        ({"open": 2e100, "high": 2e100, "low": 2e100, "close": 2e100}, "malformed"),
        ({"open": 5e5, "high": 6e5, "low": 4e5, "close": 5e5}, "absurd_price"),
        ({"high": 1e9}, "absurd_price"),
        ({"high": 1e-4}, "absurd_price"),
        ({"low": 1e-4}, "absurd_price"),
        ({"low": 1e9}, "absurd_price"),
    ],
)
def test_bad_bars_are_set_aside(
    make_bars: MakeBars, make_details: MakeDetails, values: dict[str, float | None], reason: str
) -> None:
    """One bad bar of each kind is treated as missing, counted under its reason, and spoils no neighbour."""
    bars, day = make_bars(2, START, END), date(2024, 4, 10)
    panel = build_panel(_changed(bars, day, **values), make_details(2), end=END)
    assert {name: count for name, count in panel.report.set_aside.items() if count} == {reason: 1}
    assert not _at(panel.frame, "T00", day)["traded"]
    assert _at(panel.frame, "T00", date(2024, 4, 11))["close"] == _at(bars, "T00", date(2024, 4, 11))["close"]
    assert panel.report.segments == 2


def test_return_of_eleven_thousand(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """A price that jumps by +11,919 and stays (a re-used symbol) becomes another segment, no return of +11,919."""
    bars = make_bars(1, START, END)
    later = pl.col("date") >= date(2024, 4, 10)
    jumped = bars.with_columns(
        pl.when(later).then(pl.col(price) * 11_920).otherwise(pl.col(price))
        for price in ("open", "high", "low", "close")
    )
    panel = build_panel(jumped, make_details(1), end=END)
    returns = panel.frame.select((pl.col("close") / pl.col("close").shift(1).over("segment") - 1).alias("return"))
    assert panel.report.segments == 2
    assert float(returns.to_series().drop_nulls().abs().to_numpy().max()) < 0.2


def test_range_is_widened(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """A close a little above the high (rounding) is accepted and the high is raised to it."""
    bars, day = make_bars(1, START, END), date(2024, 4, 10)
    close = _at(bars, "T00", day)["close"]
    assert isinstance(close, float)
    panel = build_panel(
        _changed(bars, day, open=close * 0.99, low=close * 0.98, high=close * 0.995), make_details(1), end=END
    )
    assert _at(panel.frame, "T00", day)["high"] == close
    assert panel.report.repaired_ranges == 1


def test_wide_range_within_the_ratio_is_kept(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """Prices of up to five times the close are kept, and a high below the low widens the range downwards."""
    bars, day = make_bars(1, START, END), date(2024, 4, 10)
    changed = _changed(bars, day, open=100.0, high=20.0, low=99.0, close=100.0)
    panel = build_panel(changed, make_details(1), end=END)
    row = _at(panel.frame, "T00", day)
    assert (row["high"], row["low"]) == (100.0, 20.0)
    assert (panel.report.repaired_ranges, panel.report.set_aside["absurd_price"]) == (1, 0)


def test_variables_of_the_largest_and_smallest_prices_are_finite(
    make_bars: MakeBars, make_details: MakeDetails
) -> None:
    """Prices times a power of two have the variables of the prices, to the bit; larger ones are set aside."""
    bars = make_bars(1, START, END)
    expected = observe(build_panel(bars, make_details(1), end=END).frame)
    names = [name for name in expected.columns if name.startswith("past_") or name in {"log_return", "volatility"}]
    for factor in (2.0**-900, 2.0**320):
        scaled = _scale(bars, factor)
        assert observe(build_panel(scaled, make_details(1), end=END).frame).select(names).equals(expected.select(names))
    beyond = build_panel(_scale(bars, 2.0**1015), make_details(1), end=END)
    assert (beyond.frame.height, beyond.report.set_aside["malformed"]) == (0, bars.height)


def _scale(bars: pl.DataFrame, factor: float) -> pl.DataFrame:
    return bars.with_columns(pl.col(name) * factor for name in (*PRICES, "volume_weighted_average_price"))


@pytest.mark.parametrize("values", [{"high": 1e-308}, {"low": 1e99}])
def test_one_absurd_price_leaves_later_rows_finite(
    make_bars: MakeBars, make_details: MakeDetails, values: dict[str, float | None]
) -> None:
    """A range of more than 1e308 would have an infinite variance, and every later mean of variances would be none."""
    changed = _changed(make_bars(1, START, END), date(2024, 4, 10), **values)
    frame = observe(build_panel(changed, make_details(1), end=END).frame)
    assert frame.filter(pl.col("age") > 30).get_column("past_range_volatility").null_count() == 0


def test_not_a_session(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """A bar on a Saturday is set aside."""
    bars = make_bars(1, START, END)
    saturday = bars.head(1).with_columns(date=pl.lit(date(2024, 4, 13)))
    panel = build_panel(pl.concat([bars, saturday]), make_details(1), end=END)
    assert panel.report.set_aside["not_a_session"] == 1
    assert panel.frame.height == bars.height


def test_first_bar_on_no_session(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """A bar on a Sunday before every session is set aside, and one without a date is not seen at all."""
    bars = make_bars(1, START, END)
    sunday = bars.head(1).with_columns(date=pl.lit(date(2023, 12, 31)))
    undated = bars.head(1).with_columns(date=pl.lit(None, pl.Date))
    panel = build_panel(pl.concat([bars, undated, sunday]), make_details(1), end=END)
    assert panel.frame.equals(build_panel(bars, make_details(1), end=END).frame)
    assert (panel.report.set_aside["not_a_session"], panel.report.bars) == (1, bars.height + 1)


def test_jump_beside_the_last_five_closes(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """Closes at ten times are set aside until three of the last five readable ones are there, then begin a segment."""
    bars, days = make_bars(1, START, END), sessions(START, END)
    there = pl.col("date") >= days[40]
    panel = build_panel(
        bars.with_columns(pl.when(there).then(pl.col(name) * 10).otherwise(name).alias(name) for name in PRICES),
        make_details(1),
        end=END,
    )
    began = panel.frame.filter(pl.col("age") == 0).get_column("date").to_list()
    assert (panel.report.set_aside["absurd_price"], began) == (3, [days[0], days[43]])


def test_missing_ticker_comes_first(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """Bars without a ticker are those of a ticker without details, before all others."""
    bars = make_bars(2, START, END)
    unnamed = pl.when(pl.col("ticker") != "T01").then("ticker").alias("ticker")
    frame = build_panel(bars.with_columns(unnamed), make_details(2), end=END).frame
    named = build_panel(bars, make_details(2), end=END).frame
    first = frame.head(frame.height // 2)
    assert first.get_column("ticker").null_count() == first.get_column("sector").null_count() == first.height
    assert first.get_column("close").equals(named.get_column("close").tail(first.height))


@pytest.mark.parametrize("tickers", [np.array([0, 2]), np.array([0])])
def test_unknown_numbers_are_refused(tickers: np.ndarray) -> None:
    """The number of a ticker that does not exist, and fewer numbers than days, never reach C."""
    with pytest.raises(ValueError, match="the number of one of 2 tickers"):
        RowOrder.of(tickers, np.array([1, 2]), 2)


def test_end_hides_the_future(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """A panel that ends at a day is the panel of the bars up to that day."""
    bars, day = make_bars(2, START, END), date(2024, 4, 10)
    cut = build_panel(bars.filter(pl.col("date") <= day), make_details(2), end=day)
    assert build_panel(bars, make_details(2), end=day).frame.equals(cut.frame)


def test_pyarrow_is_not_imported(tmp_path: Path, make_bars: MakeBars, make_details: MakeDetails) -> None:
    """A process that makes its first forecast does not wait for pyarrow, which takes a tenth of a second."""
    for name, frame in (("bars", make_bars(1, START, END)), ("details", make_details(1))):
        frame.write_ipc(tmp_path / name)
    program = (
        "import sys; from datetime import date; import polars as pl; from internal.features.panel import build_panel\n"
        "build_panel(pl.read_ipc('bars'), pl.read_ipc('details'), end=date(2024, 6, 28))\n"
        "print('pyarrow' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.PIPE, text=True).stdout == "False\n"  # noqa: S603 - ours


def test_no_bars(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """No bars make an empty panel with every column, not an error."""
    full = build_panel(make_bars(1, START, END), make_details(1), end=END)
    empty = build_panel(make_bars(1, START, END).clear(), make_details(1), end=END)
    assert empty.frame.height == 0
    assert empty.frame.schema == full.frame.schema


def test_missing_column_is_named(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """Bars without a close are refused, and the column is named."""
    with pytest.raises(SchemaError, match="close"):
        build_panel(make_bars(1, START, END).drop("close"), make_details(1), end=END)


def test_wrong_date_type_is_named(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """Dates as text are refused."""
    with pytest.raises(SchemaError, match="String"):
        build_panel(make_bars(1, START, END).cast({"date": pl.String}), make_details(1), end=END)


def test_key_twice_is_named(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """Two bars of one ticker and date are refused, and the key is named."""
    bars = make_bars(1, START, END)
    with pytest.raises(SchemaError, match="T00 2024-01-02"):
        build_panel(pl.concat([bars, bars.head(1)]), make_details(1), end=END)


@pytest.mark.parametrize(("gap", "ratio"), [(-1, 100.0), (5, 0.0), (5, float("nan"))])
def test_settings_that_c_would_misread(make_bars: MakeBars, make_details: MakeDetails, gap: int, ratio: float) -> None:
    """A gap below zero would make it write before and after its columns; a ratio of zero sets every bar aside."""
    with pytest.raises(ValueError, match=f"gaps of {gap}, ratio {ratio}"):
        build_panel(make_bars(2, START, END), make_details(2), end=END, maximum_gap=gap, absurd_price_ratio=ratio)
