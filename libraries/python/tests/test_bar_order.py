"""Which bars are in order, and which files are read in one go."""

from datetime import date
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.bar_order import FileRun, are_ordered, find_runs, group_files, order_bars

DAYS = [date(2024, 1, day) for day in (2, 3, 4)]
SCHEMA = {"date": pl.Date, "ticker": pl.String}


@settings(deadline=None, max_examples=40)
@given(rows=st.lists(st.tuples(st.sampled_from(DAYS), st.sampled_from(["A", "B", "C"])), max_size=6))
def test_order(rows: list[tuple[date, str]]) -> None:
    """Rows are in order where sorting them changes nothing."""
    bars = pl.DataFrame(rows, ["date", "ticker"], orient="row") if rows else pl.DataFrame(schema=SCHEMA)

    assert are_ordered(bars) == (rows == sorted(rows))
    assert order_bars(bars).rows() == sorted(rows)


def test_files(tmp_path: Path) -> None:
    """A month of two files that overlap, or of one out of order, is alone; others are read in one go up to a size."""
    first, second, third = ("A", DAYS[0]), ("A", DAYS[1]), ("A", DAYS[2])
    months: dict[str, list[list[tuple[str, date]]]] = {
        "1": [[first, ("B", DAYS[0])]],
        "2": [[first], [second, third]],
        "3": [[first, third], [second]],
        "4": [[("B", DAYS[0]), first]],
        "5": [[first]],
        "6": [[]],
    }
    files: list[Path] = []
    for month, of_month in months.items():
        for number, rows in enumerate(of_month):
            files.append(tmp_path / month / f"{number}.parquet")
            files[-1].parent.mkdir(exist_ok=True)
            pl.DataFrame([(day, ticker) for ticker, day in rows], SCHEMA, orient="row").write_parquet(files[-1])
    runs = find_runs(files)

    assert [(run.in_order, len(run.files)) for run in runs] == [(True, 3), (False, 3), (True, 1), (False, 1)]
    assert [len(group) for group in group_files(runs[0], 1_000_000)] == [3]
    assert [len(group) for group in group_files(runs[1], 1_000_000)] == [2, 1]
    assert [len(group) for group in group_files(FileRun(runs[0].files, in_order=True), 1)] == [1, 1, 1]
