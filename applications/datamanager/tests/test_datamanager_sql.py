"""SQL over the lake: answers compared with Polars, and no statement leaves the sandbox."""

import time
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from datamanager.adapters.polygon import Polygon
from datamanager.query_process import QueryProcesses
from datamanager.session_batches import commit_batch, fetch_batch
from datamanager.sql import Limits, run_select
from internal.dates import sessions
from internal.errors import InvalidRequestError, NotFoundError
from internal.lake.store import Lake


@pytest.fixture
def filled(lake: Lake, polygon: Polygon) -> Lake:
    """A lake with two weeks of three tickers."""
    commit_batch(
        lake, fetch_batch(polygon, sessions(date(2024, 3, 18), date(2024, 3, 28)), lambda: None), datetime.now(UTC)
    )
    return lake


def test_aggregate(filled: Lake) -> None:
    """A common table expression with a join gives the same figures as Polars."""
    statement = """
        WITH traded AS (SELECT ticker, date, close FROM equity_bars)
        SELECT ticker, max(close) AS highest, count(*) AS days
        FROM traded JOIN ingestion_sessions USING (date) GROUP BY ticker ORDER BY ticker; -- done
    """
    expected = (
        filled.scan("equity_bars")
        .group_by("ticker")
        .agg(pl.col("close").max().alias("highest"), pl.len().cast(pl.Int64).alias("days"))
        .sort("ticker")
        .collect()
    )
    assert expected.rows() == run_select(filled, statement, Limits()).rows()


def test_empty_table(lake: Lake) -> None:
    """A table without a commit has its columns and no row."""
    answer = run_select(lake, "SELECT date, ticker FROM predictions", Limits())
    assert (answer.height, answer.columns) == (0, ["date", "ticker"])


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE equity_bars",
        "DELETE FROM equity_bars",
        "INSERT INTO ingestion_sessions VALUES ('2024-01-01')",
        "CREATE TABLE mine AS SELECT 1",
        "COPY equity_bars TO '{file}'",
        "SELECT 1; SELECT 2",
        "SET threads = 8",
        "ATTACH '{file}'",
        "INSTALL httpfs",
        "EXPLAIN SELECT 1",
        "PRAGMA version",
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM query('DROP TABLE securities')",
        "SELEC 1",
        "",
        "SELECT close FROM securities",
        "SELECT 1 AS a, 2 AS a",
        "SELECT [1, 2] AS several",
        "SELECT INTERVAL 1 DAY AS a_day",
        "SELECT 'a'::BLOB AS bytes",
        "SELECT CAST(range || CASE WHEN range > 90000 THEN 'x' ELSE '' END AS INT) FROM range(99999)",
        "SELECT string_agg(range::VARCHAR) FROM range(1000000000)",
    ],
)
def test_refused(statement: str, lake: Lake, tmp_path: Path) -> None:
    """A statement that writes, reads files, sets options or is not SQL is an InvalidRequestError."""
    file = tmp_path / "file.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidRequestError):
        run_select(lake, statement.format(file=file, folder=tmp_path), Limits())
    assert file.read_text() == "a,b\n1,2\n"


@pytest.mark.parametrize("name", ["orders_of_others", "lake", "frame"])
def test_unknown_tables(name: str, lake: Lake) -> None:
    """An unknown table is named with the existing ones, even if a Python variable has its name."""
    frame = pl.DataFrame({"secret": [1]})
    with pytest.raises(NotFoundError, match=f"{name} does not exist! The lake has equity_bars"):
        run_select(lake, f"SELECT * FROM {name}", Limits())  # noqa: S608 - the sandbox is what is tested
    assert frame.height == 1


def test_a_file_as_a_table(lake: Lake, tmp_path: Path) -> None:
    """A quoted path, which DuckDB would read as a table, cannot be read."""
    file = tmp_path / "file.parquet"
    pl.DataFrame({"secret": [1]}).write_parquet(file)
    with pytest.raises(InvalidRequestError, match="Cannot access file"):
        run_select(lake, f"SELECT * FROM '{file}'", Limits())  # noqa: S608 - the sandbox is what is tested


def test_limits(filled: Lake) -> None:
    """Too many rows to read, too many to answer, too slow: each has its own message."""
    with pytest.raises(InvalidRequestError, match="reads at most 10"):
        run_select(filled, "SELECT count(*) FROM equity_bars", Limits(table_rows=10))
    with pytest.raises(InvalidRequestError, match="more than 5 rows"):
        run_select(filled, "SELECT * FROM equity_bars", Limits(answer_rows=5))
    assert run_select(filled, "SELECT * FROM equity_bars LIMIT 5", Limits(answer_rows=5)).height == 5
    started = time.monotonic()
    with pytest.raises(InvalidRequestError, match=r"longer than 0\.2 seconds"):
        run_select(
            filled, "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b", Limits(seconds=0.2)
        )
    assert time.monotonic() - started < 10


def test_a_query_is_ended_from_outside(filled: Lake) -> None:
    """What takes too much memory or time ends its own process; the next query is answered; refusals keep their kind."""
    queries = QueryProcesses(filled, memory_bytes=1024**3)
    limits = Limits(seconds=5)
    counted = "SELECT count(*) AS rows FROM equity_bars"
    assert queries.run(counted, limits).rows() == run_select(filled, counted, limits).rows()
    for greedy in ("SELECT list_sum(range(1000000000))", "SELECT length(repeat('x', 2000000000))"):
        with pytest.raises(InvalidRequestError):
            queries.run(greedy, limits)
    with pytest.raises(InvalidRequestError, match="one SELECT"):
        queries.run("DROP TABLE equity_bars", limits)
    with pytest.raises(NotFoundError, match="nowhere"):
        queries.run("SELECT * FROM nowhere", limits)
    assert queries.run("SELECT 'infinity'::TIMESTAMP IS NULL AS missing", limits).rows() == [(False,)]
    assert queries.run("SELECT 1 AS one", limits).rows() == [(1,)]
