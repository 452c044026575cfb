"""Names of securities as of a day: renames are one series, the holders of a re-used ticker are two."""

from datetime import date

import polars as pl
import pytest

from internal.schemas import securities
from internal.security_names import SecurityNames, name_securities

ALIASES = [
    ("X", "FB", date(2012, 5, 18), date(2022, 6, 8)),
    ("X", "META", date(2022, 6, 9), None),
    ("OLD", "ABC", date(2010, 1, 4), date(2019, 6, 28)),
    ("NEW", "ABC", date(2021, 3, 1), None),
    ("ETF", "META", date(2021, 6, 30), date(2022, 1, 28)),  # a fund that had the ticker before Facebook took it
    ("ETF", "METV", date(2022, 1, 31), None),
    ("ONE", "ONE", date(2010, 1, 4), None),
]
ROWS = [
    ("FB", date(2021, 7, 1), "X"),
    ("META", date(2021, 7, 1), "ETF"),
    ("METV", date(2022, 7, 1), "ETF"),
    ("META", date(2022, 7, 1), "X"),
    ("ABC", date(2009, 1, 2), "OLD"),
    ("ABC", date(2019, 6, 28), "OLD"),
    ("ABC", date(2021, 3, 1), "NEW"),
    ("ONE", date(2021, 3, 1), "ONE"),
    ("UNKNOWN", date(2021, 3, 1), None),
]


def table() -> pl.DataFrame:
    """The table of securities."""
    rows = pl.DataFrame(ALIASES, schema=["security_id", "ticker", "start_date", "end_date"], orient="row")
    moment = pl.lit(None).cast(securities.COLUMNS["recorded_at"])
    return rows.with_columns(source=pl.lit("polygon"), recorded_at=moment)


def names(day: date) -> SecurityNames:
    """The names as of the day."""
    return name_securities(table(), day)


def renamed(day: date) -> list[str]:
    """The rows' names, in their order."""
    rows = pl.LazyFrame(
        [(number, *row) for number, row in enumerate(ROWS)], ["number", "ticker", "date", "id"], orient="row"
    )
    return names(day).rename(rows, pl.col("date")).sort("number").collect().get_column("ticker").to_list()


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2023, 1, 3), ["META", "METV", "METV", "META", "ABC-20190628", "ABC-20190628", "ABC", "ONE", "UNKNOWN"]),
        (date(2021, 12, 1), ["FB", "META", "META", "FB", "ABC-20190628", "ABC-20190628", "ABC", "ONE", "UNKNOWN"]),
        (date(2018, 1, 2), ["FB", "META", "META", "FB", "ABC", "ABC", "ABC-20210301", "ONE", "UNKNOWN"]),
    ],
)
def test_names(day: date, expected: list[str]) -> None:
    """Each security is one series under the name of the day; the one that does not hold its ticker carries a day."""
    assert expected == renamed(day)


def test_ids() -> None:
    """Each row's security, whatever the day of the names."""
    rows = pl.LazyFrame(ROWS, ["ticker", "date", "expected"], orient="row")
    for day in (date(2018, 1, 2), date(2023, 1, 3)):
        found = names(day).add_security_id(rows, pl.col("date")).collect()
        assert found.get_column("security_id").equals(found.get_column("expected"), check_names=False)


def test_tickers_that_are_asked_for() -> None:
    """An old ticker is its last security; a name that another one had before leads to the tickers of its rows."""
    today = names(date(2023, 1, 3))
    assert ["ABC", "META"] == today.find_names(["FB", "ABC"])
    assert ["FB", "META"] == today.find_tickers(["META"])
    assert ["META", "METV"] == today.find_tickers(today.find_names(["METV"]))
    assert ["NONE"] == today.find_tickers(today.find_names(["NONE"]))


def test_without_several_names_nothing_is_touched() -> None:
    """The very same lazy frame: no pass over the rows is added."""
    plain = name_securities(table().filter(pl.col("ticker") == "ONE"), date(2023, 1, 3))
    rows = pl.LazyFrame({"ticker": ["ONE"], "date": [date(2021, 3, 1)]})
    assert plain.rename(rows, pl.col("date")) is rows
