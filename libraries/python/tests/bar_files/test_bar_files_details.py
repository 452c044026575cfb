"""Files of equity details: one row a ticker, everything but the ticker optional."""

from pathlib import Path

import polars as pl
import pytest

from internal.bar_files.details import COLUMNS, read_details
from internal.bar_files.errors import TableFileError


def rows(path: Path) -> list[dict[str, str]]:
    """The details of a file, without what is unknown."""
    details = read_details(path).details
    assert tuple(details.columns) == COLUMNS
    return [{name: value for name, value in row.items() if value is not None} for row in details.to_dicts()]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "details.CSV",
            "ticker,name,sector,industry\nN00,Name Nought,Energy,Oil\nN01,Name One,Materials,\n",
            [
                {"ticker": "N00", "name": "Name Nought", "sector": "Energy", "industry": "Oil"},
                {"ticker": "N01", "name": "Name One", "sector": "Materials"},
            ],
        ),
        ("details.csv", "ticker,sector\nN00,Energy\n", [{"ticker": "N00", "sector": "Energy"}]),
        ("details.csv", "ticker\nN00\n N01 \n\n", [{"ticker": "N00"}, {"ticker": "N01"}]),
        ("details.csv", "ticker,sector\nA,x\nA,x\n", [{"ticker": "A", "sector": "x"}]),
        (
            "constituents.csv",
            "Symbol,Security,GICS Sector,GICS Sub-Industry,CIK\nMMM,3M,Industrials,Industrial Conglomerates,66740\n",
            [{"ticker": "MMM", "name": "3M", "sector": "Industrials", "industry": "Industrial Conglomerates"}],
        ),
        (
            "details.txt",
            "Ticker;SIC Code;Primary Exchange\nA;1311;XNAS\n",
            [{"ticker": "A", "sic_code": "1311", "primary_exchange": "XNAS"}],
        ),
    ],
)
def test_understood(tmp_path: Path, name: str, text: str, expected: list[dict[str, str]]) -> None:
    """Usual names of columns in any case; what is absent is unknown."""
    path = tmp_path / name
    path.write_text(text)

    assert expected == rows(path)


def test_parquet(tmp_path: Path) -> None:
    """Categories and numbers of a parquet file become text."""
    frame = pl.DataFrame({"ticker": ["A"], "sector": ["Energy"], "sic": [1311]})
    path = tmp_path / "details.parquet"
    frame.with_columns(pl.col("sector").cast(pl.Categorical)).write_parquet(path)

    assert rows(path) == [{"ticker": "A", "sector": "Energy", "sic_code": "1311"}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty"),
        ("sector\nEnergy\n", "missing column ticker; found sector"),
        (
            "ticker,sector\nA,x\nB,x\nA,y\n",
            "line 2, column ticker: 'A', expected one row a ticker, or equal ones; line 4",
        ),
        ("ticker,sector\nA,x\n,x\n", "line 3, column ticker: nothing, expected a ticker"),
        ("Symbol,sector\nA\x01,x\n", "column Symbol: .*expected a ticker without control characters"),
        ("ticker,sector\nA,x,y\n", "cannot be read as CSV: line 2 has 3 cells and the header names 2 columns"),
        (
            'ticker,sector\nA,x\n"' + "B" * 200_000 + ",x\n",
            "a cell that ends after line 3 is too long; close the double",
        ),
    ],
)
def test_refused(tmp_path: Path, text: str, expected: str) -> None:
    """Contradictions and rows without a ticker are named with the file and its line."""
    path = tmp_path / "details.csv"
    path.write_text(text)

    with pytest.raises(TableFileError, match=expected) as refusal:
        read_details(path)
    assert refusal.value.detail.startswith(f"{path}: ")


def test_report(tmp_path: Path) -> None:
    """What is left out is counted, other columns are named."""
    path = tmp_path / "details.csv"
    path.write_text("ticker,sector,x\nA,Energy,1\nA,Energy,2\n\n")
    report = read_details(path).report

    assert report.ignored_columns == ("x",)
    assert (report.rows_read, report.rows_used, sum(one.count for one in report.left_out)) == (3, 1, 2)
    assert all(len(line) <= 80 for line in report.lines())
    assert report.notes == ()


def test_tickers_without_a_sector(tmp_path: Path) -> None:
    """They are counted where the file is read, also where it has no such column."""
    path = tmp_path / "details.csv"
    path.write_text("ticker,sector\nC,Energy\nB,\nA,\n")
    assert read_details(path).report.notes == ("without a sector: 2 of 3 tickers, the first is A",)
    path.write_text("ticker,Segment\nC,Energy\n")
    assert read_details(path).report.notes == ("without a sector: 1 of 1 tickers, the first is C",)
