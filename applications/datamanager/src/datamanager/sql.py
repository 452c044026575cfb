"""SQL over the lake's tables with DuckDB: one SELECT, answered whole or refused.

Knows the sandbox: a database in memory that holds the tables asked for and reaches no file, no network and no
extension. Knows no HTTP. Tables are read whole into memory, hence the limit on their rows; a lake of a full market's
decade is read with Polars or DuckDB directly, or by GET /equity-bars.
"""

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


@dataclass(frozen=True)
class Limits:
    """What one query may cost: seconds, rows of its answer, rows of all the tables it reads."""

    seconds: float = 10.0
    answer_rows: int = 100_000
    table_rows: int = 5_000_000


def select(lake: Lake, statement: str, limits: Limits) -> pl.DataFrame:
    """The answer of one SELECT over the lake's tables.

    Raises InvalidRequestError (no SELECT, wrong SQL, past a limit) and NotFoundError (a table that the lake lacks).
    """
    with duckdb.connect(":memory:", config=SANDBOX) as connection:
        try:
            tables = _tables(connection, statement)
            _fill(connection, lake, tables, limits.table_rows)
            connection.execute("SET lock_configuration = true")
            return _framed(_run(connection, statement, limits))
        except (duckdb.Error, pa.ArrowException, OSError) as failure:  # an error between batches comes as OSError
            raise _told(failure, limits) from failure


def _told(failure: Exception, limits: Limits) -> FundError:
    """DuckDB's error, its own or through Arrow, as one of the fund's, in a sentence."""
    first_line = str(failure).splitlines()[0]
    if isinstance(failure, duckdb.InterruptException) or "INTERRUPT" in first_line:
        return InvalidRequestError(f"the query took longer than {limits.seconds:g} seconds; ask for less")
    if isinstance(failure, duckdb.CatalogException) and "Table with name" in first_line:
        return NotFoundError(f"{first_line} The lake has {', '.join(TABLES)}")
    return InvalidRequestError(f"the query cannot be answered: {first_line}")


def _tables(connection: duckdb.DuckDBPyConnection, statement: str) -> list[str]:
    """The lake's tables whose names are in the statement, once it is made sure that it is a single SELECT."""
    kinds = [parsed.type for parsed in connection.extract_statements(statement)]
    if kinds != [duckdb.StatementType.SELECT]:
        raise InvalidRequestError("one SELECT is answered here, and nothing else")
    words = set(re.findall(r"\w+", statement.lower()))
    return [name for name in TABLES if name in words]


def _fill(connection: duckdb.DuckDBPyConnection, lake: Lake, tables: list[str], most_rows: int) -> None:
    """Put the tables into the database."""
    scans = {name: lake.scan(name) for name in tables}
    rows = sum(scan.select(pl.len()).collect().item() for scan in scans.values())
    if rows > most_rows:
        raise InvalidRequestError(
            f"{', '.join(tables)} hold {rows} rows and {most_rows} are read here at most; use GET /equity-bars, or "
            f"read the lake with Polars or DuckDB directly"
        )
    for name, scan in scans.items():
        connection.register(name, scan.collect().to_arrow())


def _run(connection: duckdb.DuckDBPyConnection, statement: str, limits: Limits) -> pa.Table:
    """The answer, of which hardly more is computed than may be sent; interrupted when the time is up."""
    alarm = threading.Timer(limits.seconds, connection.interrupt)
    alarm.start()
    try:
        reader: pa.RecordBatchReader = connection.sql(statement).to_arrow_reader(limits.answer_rows + 1)
        batches: list[pa.RecordBatch] = []
        while sum(batch.num_rows for batch in batches) <= limits.answer_rows:
            try:
                batches.append(reader.read_next_batch())
            except StopIteration:
                return pa.Table.from_batches(batches, reader.schema)
    finally:
        alarm.cancel()
    raise InvalidRequestError(f"the answer has more than {limits.answer_rows} rows; add a LIMIT or aggregate")


def _framed(table: pa.Table) -> pl.DataFrame:
    """The answer as a frame; InvalidRequestError for a type that not every representation can say."""
    kinds = dict(zip(table.column_names, table.schema.types, strict=True))
    plain = (
        *(pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean),
        *(pa.types.is_string, pa.types.is_date, pa.types.is_timestamp, pa.types.is_null),
    )
    others = [f"{name} ({kind})" for name, kind in kinds.items() if not any(is_kind(kind) for is_kind in plain)]
    if others or len(kinds) < table.num_columns:
        trouble = f"cast {', '.join(others)} to a text or number" if others else "give each column its own name"
        raise InvalidRequestError(f"the answer is no plain frame: {trouble}")
    return pl.DataFrame(table)
