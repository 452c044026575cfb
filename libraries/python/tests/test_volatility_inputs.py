"""The columns over the tickers of a date, against Polars' means over groups."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from internal.features.panel import build_panel
from internal.features.variables import observe
from internal.features.volatility_inputs import (
    GROUP_VARIANCE_CEILING,
    GROUPS,
    INPUTS,
    GroupAverages,
    average,
    select_inputs,
    volatility_inputs,
)

SESSIONS = 6


def make_frame() -> pl.DataFrame:
    """Five tickers, one of them without a sector and one that begins late; each lacks its first row's values."""
    random, rows = np.random.default_rng(2), list[dict[str, object]]()
    for number, (sector, begin) in enumerate([("A", 7), ("B", 7), ("A", 9), (None, 7), ("B", 7)]):
        for session in range(begin, 7 + SESSIONS):
            first = session == begin
            rows.append(
                {
                    "ticker": f"T{number}",
                    "segment": number,
                    "session": session,
                    "date": date(2024, 1, 1) + timedelta(days=session),
                    "sector": sector,
                    "range_variance": None if first else float(random.lognormal(-6, 2)),
                    "log_return": None if first else float(random.normal(0, 0.05)),
                }
            )
    return pl.DataFrame(rows, schema_overrides={"sector": pl.String})


def add_groups(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the averages of its groups."""
    averages = GroupAverages.of(frame)
    return frame.with_columns(**averages.at(averages.add_to(frame), np.arange(frame.height)))


def test_groups_are_those_of_polars() -> None:
    """Mean variance and dispersion by date, and by date and sector; missing where no ticker has a return."""
    found = add_groups(make_frame())
    variance, change = pl.col("range_variance").clip(0, GROUP_VARIANCE_CEILING), pl.col("log_return")
    for name, keys in {"market": ["date"], "sector_group": ["date", "sector"]}.items():
        apart = (change - change.mean().over(keys)).pow(2).clip(0, GROUP_VARIANCE_CEILING)
        expected = found.select(variance=variance.mean().over(keys), dispersion=apart.mean().over(keys))
        for column, values in expected.fill_null(float("nan")).to_dict().items():
            np.testing.assert_allclose(found[f"{name}_{column}"].to_numpy(), values.to_numpy(), rtol=1e-12)
    assert found["market_variance"].is_nan().to_numpy().tolist() == (found["session"] == 7).to_list()


def observe_tickers(
    make_bars: Callable[[int, date, date], pl.DataFrame], make_details: Callable[[int], pl.DataFrame]
) -> pl.DataFrame:
    """Seven tickers of two sectors and of none, of which three begin later, two of these on the same session."""
    end = date(2022, 9, 30)
    bars, begun = make_bars(7, date(2022, 1, 3), end), {"T02": 40, "T04": 40, "T05": 90}
    days = bars["date"].unique().sort()
    late = [(pl.col("ticker") == ticker) & (pl.col("date") < days[place]) for ticker, place in begun.items()]
    return observe(build_panel(bars.filter(~pl.any_horizontal(late)), make_details(7), end=end).frame)


def test_inputs_of_groups_are_those_of_each_ticker(
    make_bars: Callable[[int, date, date], pl.DataFrame], make_details: Callable[[int], pl.DataFrame]
) -> None:
    """They are computed once for several tickers; Polars' rolling means agree, and a ticker alone has the same bits."""
    frame = observe_tickers(make_bars, make_details)
    averages = GroupAverages.of(frame)
    grouped, inputs = add_groups(frame), volatility_inputs(frame)
    for mean in GROUPS:
        over = pl.col(mean.column).fill_nan(None).rolling_mean(mean.window, min_samples=mean.fewest).over("segment")
        expected = grouped.select(over.clip(1e-7).log().fill_null(float("nan"))).to_series().to_numpy()
        np.testing.assert_allclose(inputs[:, INPUTS.index(mean.name)], expected, rtol=1e-9)
    for _, rows in grouped.with_row_index("row").group_by("segment"):
        part = slice(int(rows["row"][0]), int(rows["row"][-1]) + 1)
        alone = select_inputs(averages.add_to(frame[part], part), averages)
        assert alone.tobytes() == inputs[part].tobytes()


def test_inputs_on_filled(
    make_bars: Callable[[int, date, date], pl.DataFrame], make_details: Callable[[int], pl.DataFrame]
) -> None:
    """What is done with the inputs as they are filled in is done once with each."""
    frame = observe_tickers(make_bars, make_details)
    averages = GroupAverages.of(frame)
    grouped = averages.add_to(frame)

    def add_place(first: int, values: np.ndarray) -> None:
        values += np.arange(first, first + len(values))[:, None]

    expected = select_inputs(grouped, averages) + np.arange(len(INPUTS))
    np.testing.assert_array_equal(select_inputs(grouped, averages, add_place), expected)


def test_no_row() -> None:
    """An empty frame has the columns as well."""
    assert add_groups(make_frame().clear())["sector_group_dispersion"].to_list() == []


def test_no_row_has_no_inputs(
    make_bars: Callable[[int, date, date], pl.DataFrame], make_details: Callable[[int], pl.DataFrame]
) -> None:
    """An empty panel has none of the inputs' rows."""
    assert volatility_inputs(observe_tickers(make_bars, make_details).clear()).shape == (0, len(INPUTS))


def test_values_that_do_not_fit_their_groups() -> None:
    """C would read or write elsewhere."""
    for group in (np.zeros(2), np.array([0, 1, -1]), np.zeros((3, 1))):
        with pytest.raises(ValueError, match="the number of a group"):
            average(group, np.ones(3))
    with pytest.raises(ValueError, match="a value to deviate from"):
        average(np.array([0, 1, 2]), np.ones(3), around=np.ones(2))
