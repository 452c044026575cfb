"""SQL over the lake's tables with DuckDB: one SELECT, answered completely or refused.

The statement runs in an in-memory database that has the requested tables and no access to files, the network or
extensions. Tables are read into memory as a whole, hence the limit on their rows; larger lakes are read with Polars or
DuckDB directly, or through GET /equity-bars.
"""
# pyarrow ships no types:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false

import re
import threading
from dataclasses import dataclass

import duckdb
import polars as pl
import pyarrow as pa

from internal.errors import FundError, InvalidRequestError, NotFoundError
from internal.lake.store import Lake
from internal.lake.tables import TABLES

SANDBOX: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "temp_directory": "",
    "secret_directory": "/nowhere",
    "extension_directory": "/nowhere",
    "memory_limit": "1GB",
    "threads": 2,
}
PLAIN_TYPES = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_string,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_null,
)


@dataclass(frozen=True)
class Limits:
    """The limits of one query: seconds, rows of its answer, rows of all the tables it reads."""

    seconds: float = 10.0
    answer_rows: int = 100_000
    table_rows: int = 5_000_000


def run_select(lake: Lake, statement: str, limits: Limits) -> pl.DataFrame:
    """Run one SELECT over the lake's tables.

    Raises:
        InvalidRequestError: It is not a SELECT, cannot be executed, or exceeds a limit.
        NotFoundError: It reads a table that is not in the lake.
    """
    with duckdb.connect(":memory:", config=SANDBOX) as connection:
        try:
            tables = _find_tables(connection, statement)
            _register_tables(connection, lake, tables, limits.table_rows)
            connection.execute("SET lock_configuration = true")
            return _to_frame(_execute(connection, statement, limits))
        except (duckdb.Error, pa.ArrowException, OSError) as failure:  # an error between batches is an OSError
            raise _translate_error(failure, limits) from failure


def _translate_error(failure: Exception, limits: Limits) -> FundError:
    """The FundError of an error of DuckDB, raised by it or through Arrow."""
    first_line = str(failure).splitlines()[0]
    if isinstance(failure, duckdb.InterruptException) or "INTERRUPT" in first_line:
        return InvalidRequestError(f"the query took longer than {limits.seconds:g} seconds; ask for less")
    if isinstance(failure, duckdb.CatalogException) and "Table with name" in first_line:
        return NotFoundError(f"{first_line} The lake has {', '.join(TABLES)}")
    return InvalidRequestError(f"the query cannot be answered: {first_line}")


def _find_tables(connection: duckdb.DuckDBPyConnection, statement: str) -> list[str]:
    """The lake's tables whose names occur in the statement; InvalidRequestError unless it is a single SELECT."""
    kinds = [parsed.type for parsed in connection.extract_statements(statement)]
    if kinds != [duckdb.StatementType.SELECT]:
        raise InvalidRequestError("the query has to be one SELECT statement")
    words = set(re.findall(r"\w+", statement.lower()))
    return [name for name in TABLES if name in words]


def _register_tables(connection: duckdb.DuckDBPyConnection, lake: Lake, tables: list[str], maximum_rows: int) -> None:
    scans = {name: lake.scan(name) for name in tables}
    rows = sum(scan.select(pl.len()).collect().item() for scan in scans.values())
    if rows > maximum_rows:
        raise InvalidRequestError(
            f"{', '.join(tables)} have {rows} rows, and a query reads at most {maximum_rows}; use GET /equity-bars, or "
            f"read the lake with Polars or DuckDB directly"
        )
    for name, scan in scans.items():
        connection.register(name, scan.collect().to_arrow())


def _execute(connection: duckdb.DuckDBPyConnection, statement: str, limits: Limits) -> pa.Table:
    """Run the statement in batches until it ends or exceeds the limit of rows; a timer interrupts it."""
    timer = threading.Timer(limits.seconds, connection.interrupt)
    timer.start()
    try:
        reader: pa.RecordBatchReader = connection.sql(statement).to_arrow_reader(limits.answer_rows + 1)
        batches: list[pa.RecordBatch] = []
        while sum(batch.num_rows for batch in batches) <= limits.answer_rows:
            try:
                batches.append(reader.read_next_batch())
            except StopIteration:
                return pa.Table.from_batches(batches, reader.schema)
    finally:
        timer.cancel()
    raise InvalidRequestError(f"the answer has more than {limits.answer_rows} rows; add a LIMIT or aggregate")


def _to_frame(table: pa.Table) -> pl.DataFrame:
    """The answer as a frame; InvalidRequestError for a type that JSON or parquet cannot represent."""
    types = dict(zip(table.column_names, table.schema.types, strict=True))
    others = [f"{name} ({kind})" for name, kind in types.items() if not any(is_type(kind) for is_type in PLAIN_TYPES)]
    if others or len(types) < table.num_columns:
        advice = f"cast {', '.join(others)} to a text or number" if others else "give each column its own name"
        raise InvalidRequestError(f"the answer cannot be represented as a frame: {advice}")
    return pl.DataFrame(table)
