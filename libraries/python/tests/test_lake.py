"""The lake on a folder: every write one commit, every read complete, bad input refused, and nothing partly written."""

# pyarrow ships no types:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.dates import sessions, sessions_frame
from internal.errors import ConfigurationError, InvalidRequestError, NotFoundError, SchemaError, UnavailableError
from internal.lake.store import Lake
from internal.lake.tables import TABLES, Table
from internal.schemas import equity_bars, orders

START, END = date(2024, 1, 2), date(2024, 2, 29)
DAY = date(2024, 1, 31)


def bars(start: date, end: date, close: float = 10.0, tickers: int = 3) -> pl.DataFrame:
    """Sound bars of so many tickers on every session."""
    names = pl.DataFrame({"ticker": [f"T{number:03d}" for number in range(tickers)]})
    prices = {name: pl.lit(close) for name in ("open", "high", "low", "close")}
    frame = sessions_frame(start, end).join(names, how="cross").with_columns(**prices, volume=pl.lit(1e6))
    missing = {"volume_weighted_average_price": pl.lit(None, pl.Float64), "transactions": pl.lit(None, pl.Int64)}
    return equity_bars.validate(frame.with_columns(**missing))


def order(client_order_id: str) -> dict[str, Any]:
    """A planned order of one share."""
    return dict.fromkeys(orders.COLUMNS) | {
        "portfolio_id": "p",
        "date": DAY,
        "client_order_id": client_order_id,
        "ticker": "T",
        "side": "buy",
        "leg": "open",
        "quantity": 1.0,
        "reference_price": 1.0,
        "order_type": "market",
        "time_in_force": "day",
        "state": "planned",
        "filled_quantity": 0.0,
        "reason": "",
        "updated_at": datetime(2024, 1, 31, 21, 0, 0, 123_000, tzinfo=UTC),
        "adjustment": "none",
    }


def ordered(frame: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """By ticker and date, for a table has no order."""
    return frame.lazy().sort("ticker", "date").collect()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(str(tmp_path / "lake"))


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_is_not_there_is_empty(table: str, lake: Lake) -> None:
    """Version -1, typed columns, no history; and an empty write makes it."""
    definition = TABLES[table]
    assert lake.version(table) == -1
    assert lake.scan(table).collect().schema == pl.Schema(definition.columns)
    assert lake.history(table).height == 0
    assert lake.append(table, pl.DataFrame(schema=definition.columns)) == lake.version(table) >= 0
    assert lake.scan(table).collect().schema == pl.Schema(definition.columns)


def test_a_day_is_replaced(lake: Lake) -> None:
    """Only that day changes; what was before stays readable by version."""
    before = bars(START, END)
    first = lake.replace_days("equity_bars", before, START, END)
    second = lake.replace_days("equity_bars", bars(DAY, DAY, close=20.0), DAY, DAY)
    assert second == first + 1 == lake.version("equity_bars")
    expected = pl.concat([before.filter(pl.col("date") != DAY), bars(DAY, DAY, close=20.0)])
    assert ordered(lake.scan("equity_bars")).equals(ordered(expected))
    assert ordered(lake.scan("equity_bars", first)).equals(ordered(before))


def test_a_replacement_may_be_empty(lake: Lake) -> None:
    """Days can be taken away."""
    lake.replace_days("equity_bars", bars(START, END), START, END)
    lake.replace_days("equity_bars", equity_bars.empty(), DAY, END)
    assert lake.scan("equity_bars").select(pl.col("date").max()).collect().item() == date(2024, 1, 30)


def test_a_writer_again_gives_the_same_table(lake: Lake) -> None:
    """Replacing is idempotent, so that a retry after a kill doubles nothing."""
    for _ in range(3):
        lake.replace_days("equity_bars", bars(START, END), START, END)
    assert ordered(lake.scan("equity_bars")).equals(ordered(bars(START, END)))


days = st.sampled_from(sessions(START, END))


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(days, days, st.floats(1, 99)), min_size=1, max_size=5))
def test_replacements_agree_with_a_model(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[date, date, float]]
) -> None:
    """Any series of replaced ranges leaves what a dictionary by day would hold."""
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    model: dict[date, float] = {}
    for one, other, close in writes:
        start, end = min(one, other), max(one, other)
        lake.replace_days("equity_bars", bars(start, end, close, tickers=1), start, end)
        model |= dict.fromkeys(sessions(start, end), close)
    found = lake.scan("equity_bars").select("date", "close").collect()
    assert found.height == len(model)
    assert dict(found.iter_rows()) == model


def test_upsert_updates_and_inserts(lake: Lake) -> None:
    """Rows with known keys change, others are added, the rest stays."""
    lake.append("orders", pl.DataFrame([order("a"), order("b")], schema=orders.COLUMNS))
    change = [order("b") | {"state": "filled"}, order("c")]
    lake.upsert("orders", pl.DataFrame(change, schema=orders.COLUMNS), ["client_order_id"])
    found = orders.validate(lake.scan("orders").sort("client_order_id").collect())
    assert found.select("client_order_id", "state").rows() == [("a", "planned"), ("b", "filled"), ("c", "planned")]
    assert found.get_column("updated_at").to_list() == [order("a")["updated_at"]] * 3


@pytest.fixture
def older_orders(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Two orders in a table that was made and written before the column `adjustment` existed."""
    columns = {name: data_type for name, data_type in orders.COLUMNS.items() if name != "adjustment"}
    rows = [{name: value for name, value in order(key).items() if name != "adjustment"} for key in ("a", "b")]
    with monkeypatch.context() as patch:
        patch.setitem(TABLES, "orders", Table(columns, "date"))
        lake.append("orders", pl.DataFrame(rows, schema=columns))
    return rows


def test_rows_without_a_newer_column_hold_its_default(
    lake: Lake, older_orders: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read by today's definition: the default, and null where a column has none."""
    assert len(older_orders) == lake.scan("orders").filter(pl.col("adjustment") == "none").collect().height
    monkeypatch.setitem(TABLES, "orders", Table({**orders.COLUMNS, "note": pl.String()}, "date"))
    found = lake.scan("orders").collect()
    assert [None, None] == found.get_column("note").to_list() == found.get_column("adjustment").to_list()


WRITES: dict[str, tuple[Callable[[Lake, pl.DataFrame], int], list[str]]] = {
    "append": (lambda lake, rows: lake.append("orders", rows), ["none", "none", "cut"]),
    "upsert": (lambda lake, rows: lake.upsert("orders", rows, ["ticker"]), ["none", "none", "cut"]),
    "replace_where": (lambda lake, rows: lake.replace_where("orders", rows, ticker="NEW"), ["none", "none", "cut"]),
    "replace_days": (lambda lake, rows: lake.replace_days("orders", rows, END, END), ["none", "none", "cut"]),
    "overwrite": (lambda lake, rows: lake.overwrite("orders", rows), ["cut"]),
}


@pytest.mark.parametrize("name", WRITES)
def test_an_older_table_takes_a_newer_column(lake: Lake, older_orders: list[dict[str, Any]], name: str) -> None:
    """Every kind of write adds the column; the rows that it keeps have the default, and so has the version before."""
    version, (write, expected) = lake.version("orders"), WRITES[name]
    newer = order("c") | {"adjustment": "cut", "date": END, "ticker": "NEW"}
    write(lake, pl.DataFrame([newer], schema=orders.COLUMNS))
    found = orders.validate(lake.scan("orders").sort("client_order_id").collect())
    assert found.get_column("adjustment").to_list() == expected
    before = orders.validate(lake.scan("orders", version).collect())
    assert before.get_column("adjustment").to_list() == ["none"] * len(older_orders)


def test_replace_where_takes_any_text(lake: Lake) -> None:
    """Quotes in a value are a value, not SQL."""
    odd = bars(DAY, DAY).with_columns(ticker=pl.col("ticker") + "'; --")
    lake.append("equity_bars", pl.concat([bars(DAY, DAY), odd]))
    lake.replace_where("equity_bars", equity_bars.empty(), ticker="T001'; --", date=DAY)
    assert lake.scan("equity_bars").collect().height == 5
    lake.replace_where("equity_bars", odd.filter(pl.col("ticker").str.starts_with("T002")), ticker="T002'; --")
    assert lake.scan("equity_bars").collect().height == 5


def test_overwrite_and_history(lake: Lake) -> None:
    """All rows go, the versions before stay."""
    first = lake.append("equity_bars", bars(START, END))
    last = lake.overwrite("equity_bars", bars(DAY, DAY))
    assert lake.scan("equity_bars").collect().height == 3
    assert ordered(lake.scan("equity_bars", first)).equals(ordered(bars(START, END)))
    assert lake.history("equity_bars").get_column("version").to_list() == [last, first, 0]
    assert lake.history("equity_bars").schema["timestamp"] == pl.Datetime("ms", "UTC")


def test_compaction_keeps_rows_and_versions(lake: Lake, tmp_path: Path) -> None:
    """Fewer files, the same rows, and every earlier version still readable, however old."""
    every = sessions(START, END)
    for day in every:
        lake.append("equity_bars", bars(day, day))
    address = tmp_path / "lake" / "equity_bars"
    files = len(DeltaTable(address).file_uris())
    lake.compact("equity_bars")
    assert len(DeltaTable(address).file_uris()) == 2 < files == len(every)  # one a month
    assert ordered(lake.scan("equity_bars")).equals(ordered(bars(START, END)))
    assert ordered(lake.scan("equity_bars", 1)).equals(ordered(bars(START, START)))
    properties = DeltaTable(address).metadata().configuration
    assert properties["delta.enableExpiredLogCleanup"] == "false"


def test_other_engines_read_it(lake: Lake, tmp_path: Path) -> None:
    """Arrow and DuckDB see the same rows, with the close in UTC."""
    lake.append("equity_bars", bars(DAY, DAY))
    with duckdb.connect() as connection:
        connection.register("bars", DeltaTable(tmp_path / "lake" / "equity_bars").to_pyarrow_table())
        found = connection.execute("SELECT count(*), min(epoch_ms(timestamp)), min(month) FROM bars").fetchall()
    assert found == [(3, 1_706_734_800_000, "2024-01")]


def test_only_needed_files_are_read(lake: Lake) -> None:
    """A filter by day reaches the files: two months, one is opened."""
    lake.append("equity_bars", bars(START, END))
    plan = lake.scan("equity_bars").filter(pl.col("date") == DAY).explain(optimized=True)
    assert "month=2024-01" in plan
    assert "month=2024-02" not in plan


INVALID_WRITES: list[tuple[Callable[[Lake], object], type[Exception], str]] = [
    (lambda lake: lake.append("nonsense", bars(DAY, DAY)), NotFoundError, "no table nonsense"),
    (lambda lake: lake.scan("nonsense"), NotFoundError, "no table nonsense"),
    (lambda lake: lake.version("nonsense"), NotFoundError, "no table nonsense"),
    (lambda lake: lake.scan("equity_bars", 99), NotFoundError, "no version 99"),
    (lambda lake: lake.append("equity_bars", bars(DAY, DAY).drop("open")), SchemaError, "missing column open"),
    (lambda lake: lake.append("equity_bars", bars(DAY, DAY).with_columns(x=1)), SchemaError, "unexpected column x"),
    (
        lambda lake: lake.append("equity_bars", bars(DAY, DAY).cast({"open": pl.Float32})),
        SchemaError,
        "column open is Float32, not Float64",
    ),
    (
        lambda lake: lake.replace_days("equity_bars", bars(START, DAY), DAY, DAY),
        InvalidRequestError,
        "rows lie outside 2024-01-31 to 2024-01-31",
    ),
    (
        lambda lake: lake.replace_days("equity_bars", bars(DAY, DAY), END, START),
        InvalidRequestError,
        "no days from",
    ),
    (
        lambda lake: lake.replace_days("equity_details", lake.scan("equity_details").collect(), DAY, DAY),
        InvalidRequestError,
        "no days",
    ),
    (
        lambda lake: lake.replace_where("equity_bars", bars(DAY, DAY), ticker="T001"),
        InvalidRequestError,
        "2 rows lie outside",
    ),
    (lambda lake: lake.replace_where("equity_bars", bars(DAY, DAY), colour="red"), InvalidRequestError, "colour"),
    (lambda lake: lake.replace_where("equity_bars", bars(DAY, DAY)), InvalidRequestError, "columns of its own"),
    (lambda lake: lake.upsert("equity_bars", bars(START, END), ["ticker"]), InvalidRequestError, "unique"),
    (lambda lake: lake.upsert("equity_bars", bars(DAY, DAY), []), InvalidRequestError, "unique"),
    (
        lambda lake: lake.upsert("equity_bars", bars(DAY, DAY, tickers=1), ["transactions"]),
        InvalidRequestError,
        "keys that are set",
    ),
]


@pytest.mark.parametrize(("write", "error", "message"), INVALID_WRITES)
def test_an_invalid_write_changes_nothing(
    write: Callable[[Lake], object], error: type[Exception], message: str, lake: Lake
) -> None:
    """A clear error, and the table is unchanged."""
    version = lake.append("equity_bars", bars(START, END))
    with pytest.raises(error, match=message):
        write(lake)
    assert lake.version("equity_bars") == version
    assert ordered(lake.scan("equity_bars")).equals(ordered(bars(START, END)))


def test_a_reader_never_sees_half_a_day(lake: Lake) -> None:
    """While one writer replaces a day again and again, every read finds all its tickers, all of one write."""
    lake.replace_days("equity_bars", bars(START, END, tickers=50), START, END)
    enough = threading.Event()

    def write() -> None:
        for number in range(500):
            lake.replace_days("equity_bars", bars(DAY, DAY, close=100.0 + number, tickers=50), DAY, DAY)
            if enough.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[float] = []
    while writer.is_alive():
        day = lake.scan("equity_bars").filter(pl.col("date") == DAY).collect()
        assert day.height == 50
        assert day.get_column("close").n_unique() == 1
        seen.append(day.item(0, "close"))
        if len(set(seen)) > 10:
            enough.set()
    assert len(set(seen)) > 10  # the reads did fall among the writes
    assert seen == sorted(seen)


def test_first_writers_make_one_table(tmp_path: Path) -> None:
    """Eight writers of a table that is not there: it is made once, and each row is stored once."""
    every = sessions(START, END)[:8]
    for attempt in range(5):
        lake, ready = Lake(str(tmp_path / str(attempt))), threading.Barrier(len(every))
        versions: list[int] = []

        def write(
            day: date, lake: Lake = lake, ready: threading.Barrier = ready, versions: list[int] = versions
        ) -> None:
            ready.wait()
            versions.append(lake.append("equity_bars", bars(day, day)))

        writers = [threading.Thread(target=write, args=(day,)) for day in every]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert sorted(versions) == list(range(1, 9))
        assert ordered(lake.scan("equity_bars")).equals(ordered(bars(every[0], every[-1])))


WRITER = """
import sys
from datetime import date
import polars as pl
from internal.lake.store import Lake
from internal.schemas import equity_bars

lake, frame, who = Lake(sys.argv[1]), pl.read_parquet(sys.argv[2]), int(sys.argv[3])
for index, day in enumerate(frame.get_column("date").unique().sort()):
    if index % 3 == who:
        print(lake.replace_days("equity_bars", frame.filter(pl.col("date") == day), day, day))
"""


def test_writers_in_other_processes_take_turns(lake: Lake, tmp_path: Path) -> None:
    """Three processes replace days of one month at once: no day is lost, no version is given twice."""
    frame = bars(date(2024, 1, 2), DAY)
    frame.write_parquet(tmp_path / "bars.parquet")
    arguments = [sys.executable, "-c", WRITER, str(tmp_path / "lake"), str(tmp_path / "bars.parquet")]
    writers = [subprocess.Popen([*arguments, str(who)], stdout=subprocess.PIPE, text=True) for who in range(3)]  # noqa: S603 - our own text
    versions = [int(line) for writer in writers for line in writer.communicate(timeout=120)[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert sorted(versions) == list(range(1, 1 + frame.get_column("date").n_unique()))
    assert ordered(lake.scan("equity_bars")).equals(ordered(frame))


FULL_DISK = """
import resource, signal, sys
import numpy as np, polars as pl
from internal.errors import UnavailableError
from internal.lake.store import Lake

lake, frame = Lake(sys.argv[1]), pl.read_parquet(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.dont_write_bytecode = True
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
day = frame.item(0, "date")
try:
    lake.replace_days("equity_bars", frame, day, day)
except UnavailableError as error:
    print(error.detail)
finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""


def test_a_full_disk_harms_nothing(lake: Lake, tmp_path: Path) -> None:
    """The system refuses the bytes (a file limit in another process): a clear error, and the old version stays."""
    version = lake.replace_days("equity_bars", bars(START, END), START, END)
    bars(DAY, DAY, tickers=5_000).write_parquet(tmp_path / "bars.parquet")
    arguments = [sys.executable, "-c", FULL_DISK, str(tmp_path / "lake"), str(tmp_path / "bars.parquet")]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - our own text
    assert "no space is left under" in result.stdout
    assert "nothing was written" in result.stdout
    assert lake.version("equity_bars") == version
    assert ordered(lake.scan("equity_bars")).equals(ordered(bars(START, END)))


def test_an_address_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """A file where the folder should be: UnavailableError with the address."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UnavailableError, match=r"the storage at .*file cannot be used"):
        Lake(str(tmp_path / "file")).append("equity_bars", bars(DAY, DAY))


FORBIDDEN = """
import os, sys
from internal.errors import UnavailableError
from internal.lake.store import Lake

os.chmod(sys.argv[1], 0)
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    Lake(sys.argv[1]).scan("equity_bars")
except UnavailableError as error:
    print(error.detail)
"""


def test_a_folder_that_may_not_be_read_is_not_empty(lake: Lake, tmp_path: Path) -> None:
    """Another user's lake is unavailable; it does not look like a new one."""
    lake.append("equity_bars", bars(DAY, DAY))
    result = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", FORBIDDEN, str(tmp_path / "lake")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (tmp_path / "lake").chmod(0o700)
    assert "Permission denied" in result.stdout


def test_a_relative_folder_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is fixed at the start, whatever the working directory becomes."""
    monkeypatch.chdir(tmp_path)
    lake = Lake("lake")
    os.chdir("/")
    lake.append("equity_bars", bars(DAY, DAY))
    assert (tmp_path / "lake" / "equity_bars" / "_delta_log").is_dir()


def test_moments_keep_their_milliseconds(lake: Lake) -> None:
    """Delta keeps microseconds; what comes back is what went in."""
    row = dict.fromkeys(TABLES["ingestion_sessions"].columns) | {
        "date": DAY,
        "collected_at": datetime(2024, 1, 31, 21, 0, 0, 7_000, tzinfo=UTC) + timedelta(days=1),
    }
    frame = pl.DataFrame([row], schema=TABLES["ingestion_sessions"].columns)
    lake.append("ingestion_sessions", frame)
    assert lake.scan("ingestion_sessions").collect().equals(frame)


@pytest.mark.parametrize("name", ["my fund", "fünds", "50%"])
def test_a_folder_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    """At once, with the reason, and nothing is written: a table written there could not be read again."""
    with pytest.raises(ConfigurationError, match="without spaces"):
        Lake(str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []
