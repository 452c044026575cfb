"""The columns over the tickers of a date, against Polars' means over groups."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from internal.features.volatility_inputs import GROUP_VARIANCE_CEILING, GroupAverages, average

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
                    **{price: float(random.lognormal(0, 0.1)) for price in ("open", "close", "low")},
                    "high": float(random.lognormal(0.3, 0.1)),
                    "past_open": None if first else float(random.normal(0, 0.02)),
                    "log_return": None if first else float(random.normal(0, 0.05)),
                }
            )
    return pl.DataFrame(rows, schema_overrides={"sector": pl.String})


def add_groups(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the columns of its groups."""
    return GroupAverages.of(frame).add_to(frame)


def test_groups_are_those_of_polars() -> None:
    """Mean variance and dispersion by date, and by date and sector; missing where no ticker has a return."""
    found = add_groups(make_frame())
    variance, change = pl.col("variance").clip(0, GROUP_VARIANCE_CEILING), pl.col("log_return")
    for name, keys in {"market": ["date"], "sector_group": ["date", "sector"]}.items():
        apart = (change - change.mean().over(keys)).pow(2).clip(0, GROUP_VARIANCE_CEILING)
        expected = found.select(variance=variance.mean().over(keys), dispersion=apart.mean().over(keys))
        for column, values in expected.fill_null(float("nan")).to_dict().items():
            np.testing.assert_allclose(found[f"{name}_{column}"].to_numpy(), values.to_numpy(), rtol=1e-12)
    assert found["market_variance"].is_nan().to_numpy().tolist() == (found["session"] == 7).to_list()


def test_no_row() -> None:
    """An empty frame has the columns as well."""
    assert add_groups(make_frame().clear())["sector_group_dispersion"].to_list() == []


def test_values_that_do_not_fit_their_groups() -> None:
    """C would read or write elsewhere."""
    for group in (np.zeros(2), np.array([0, 1, -1]), np.zeros((3, 1))):
        with pytest.raises(ValueError, match="the number of a group"):
            average(group, np.ones(3))
    with pytest.raises(ValueError, match="a value to deviate from"):
        average(np.array([0, 1, 2]), np.ones(3), around=np.ones(2))
