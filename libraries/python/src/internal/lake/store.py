"""Opens, writes and reads the tables of `internal.lake.tables` in a folder or an object store.

Each write is one Delta commit. Versions stay readable for ever, so that a decision can be traced to the bars it saw.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake import Schema as DeltaSchema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from internal.errors import ConflictError, InvalidRequestError, NotFoundError
from internal.lake.durability import TableSync
from internal.lake.folder_names import require_readable
from internal.lake.storage_errors import translate_storage_errors
from internal.lake.tables import MONTH, RETIRED_TABLES, TABLES, Table
from internal.schemas.frame_schema import require_structure

NOT_YET = -1  # the version of a table that does not exist yet
COMMIT = re.compile(r"\d{20}\.json")
KEPT_SCANS = 8
CONFLICT_SECONDS = 60.0  # how long a writer retries when others commit first
NEVER_EXPIRES = "interval 36500 days"
TABLE_PROPERTIES: dict[str, str | None] = {
    "delta.logRetentionDuration": NEVER_EXPIRES,
    "delta.deletedFileRetentionDuration": NEVER_EXPIRES,
    "delta.enableExpiredLogCleanup": "false",
}


def _literal(value: object) -> str:
    """A value as SQL, quotes doubled."""
    if isinstance(value, bool | int):
        return str(value).lower()
    text = value.isoformat() if isinstance(value, date) else str(value)
    return "'" + text.replace("'", "''") + "'"


def _day_predicate(table: Table, start: date, end: date) -> str:
    """The days from start to end; the months too, so that only their files are looked at."""
    days = f"{table.date_column} >= {_literal(start)} AND {table.date_column} <= {_literal(end)}"
    return f"{days} AND {MONTH} >= '{start:%Y-%m}' AND {MONTH} <= '{end:%Y-%m}'" if table.monthly else days


def _require_rows(name: str, frame: pl.DataFrame, inside: pl.Expr, where: str) -> None:
    strays = frame.filter(inside.not_().fill_null(value=True)).height
    if strays:
        raise InvalidRequestError(f"{name}: {strays} rows lie outside {where}; nothing was written")


def _stored(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame as Delta keeps it: moments in microseconds, and the month that files are split by."""
    ordered = frame.sort(table.sorted_by) if table.sorted_by else frame
    kept = ordered.with_columns(pl.selectors.datetime().dt.cast_time_unit("us"))
    if table.monthly and table.date_column:
        return kept.with_columns(pl.col(table.date_column).dt.strftime("%Y-%m").alias(MONTH))
    return kept


class Lake:
    """The tables under one address: a folder or a bucket, with its storage options.

    Every write is one atomic commit and gives the table's new version. A reader sees a version whole or not at all. A
    writer that loses a race reads again and writes again, up to a minute, then raises ConflictError. A full disk or a
    store that cannot be reached raises UnavailableError; the table is then unchanged. A write to a durable
    table is on disk, folders included, when it returns.
    """

    def __init__(self, url: str, storage_options: dict[str, str] | None = None) -> None:
        self._url = url.rstrip("/") if "://" in url else require_readable(str(Path(url).absolute()))
        self._storage_options = storage_options or {}
        self._syncs: dict[str, TableSync] = {}
        self._scans: dict[tuple[str, int], pl.LazyFrame] = {}
        self._opened: dict[tuple[str, int], DeltaTable] = {}

    @property
    def url(self) -> str:
        """The folder, or the address in a bucket."""
        return self._url

    @property
    def storage_options(self) -> dict[str, str]:
        """The options of the object store; keys are among them."""
        return self._storage_options

    def replace_days(self, table: str, frame: pl.DataFrame, start: date, end: date) -> int:
        """Replace all rows from start to end by the frame, which may be empty and holds no other day."""
        definition = _definition(table)
        column = definition.date_column
        if column is None or start > end:
            raise InvalidRequestError(f"{table} has no days from {start.isoformat()} to {end.isoformat()} to replace")
        rows = require_structure(table, frame, definition.columns)
        days = f"{start.isoformat()} to {end.isoformat()}"
        _require_rows(table, rows, pl.col(column).is_between(start, end), days)
        return self._overwrite(table, rows, _day_predicate(definition, start, end))

    def replace_where(self, table: str, frame: pl.DataFrame, **equals: str | int | date) -> int:
        """Replace all rows in which each named column equals its value by the frame, whose rows all do."""
        definition = _definition(table)
        unknown = [name for name in equals if name not in definition.columns]
        if unknown or not equals:
            raise InvalidRequestError(f"{table} is replaced by columns of its own, not by {unknown or 'none'}")
        rows = require_structure(table, frame, definition.columns)
        _require_rows(
            table, rows, pl.all_horizontal(pl.col(name) == value for name, value in equals.items()), str(equals)
        )
        predicate = " AND ".join(f"{name} = {_literal(value)}" for name, value in equals.items())
        day = equals.get(definition.date_column or "")
        month = f" AND {MONTH} = '{day:%Y-%m}'" if definition.monthly and isinstance(day, date) else ""
        return self._overwrite(table, rows, predicate + month)

    def append(self, table: str, frame: pl.DataFrame) -> int:
        """Add the rows."""
        rows = _stored(_definition(table), require_structure(table, frame, _definition(table).columns))
        return self._commit(table, lambda delta: write_deltalake(delta, rows, mode="append", schema_mode="merge"))

    def overwrite(self, table: str, frame: pl.DataFrame) -> int:
        """Replace all rows; the versions before stay readable."""
        return self._overwrite(table, require_structure(table, frame, _definition(table).columns), None)

    def upsert(self, table: str, frame: pl.DataFrame, keys: Sequence[str]) -> int:
        """Update the rows whose keys are there, insert the others. Keys are never null and unique within the frame."""
        definition = _definition(table)
        rows = require_structure(table, frame, definition.columns)
        if (
            not keys
            or rows.select(keys).null_count().sum_horizontal().item()
            or rows.select(keys).is_duplicated().any()
        ):
            raise InvalidRequestError(f"{table}: an upsert needs keys that are set and unique; {list(keys)} are not")
        predicate = " AND ".join(f"target.{key} = source.{key}" for key in keys)

        def merge(delta: DeltaTable) -> None:
            merger = delta.merge(
                _stored(definition, rows), predicate, source_alias="source", target_alias="target", merge_schema=True
            )
            merger.when_matched_update_all().when_not_matched_insert_all().execute()

        return self._commit(table, merge)

    def scan(self, table: str, version: int | None = None) -> pl.LazyFrame:
        """The table, lazily, at its newest version or at the one asked for, in the definition's columns and types.

        A table that does not exist yet is empty. A column that a row was written without holds the table's default for
        it, else null. Version -1 is the table before its first commit. Raises NotFoundError for a version that does not
        exist.
        """
        if version is None:
            return self._scan(table, None)
        kept = self._scans.get((table, version))  # a version never changes, so that its log is read once
        if kept is not None:
            return kept
        scanned = self._scan(table, version)
        self._scans = dict([*self._scans.items(), ((table, version), scanned)][-KEPT_SCANS:])
        return scanned

    def _scan(self, table: str, version: int | None) -> pl.LazyFrame:
        definition = _definition(table)
        delta = None if version == NOT_YET else self._open(table, version)
        if delta is None:
            return pl.LazyFrame(schema=definition.columns)
        with translate_storage_errors(self._url):
            found = pl.scan_delta(delta, storage_options=self._storage_options or None)
        present = {field.name for field in delta.schema().fields}
        return found.select(_stored_column(definition, name, present) for name in definition.columns)

    def version(self, table: str) -> int:
        """The newest version; -1 when the table does not exist yet."""
        _definition(table)
        if "://" not in self._url:
            with translate_storage_errors(self._url):
                return _newest_commit(Path(self._url, table, "_delta_log"))
        delta = self._open(table)
        return NOT_YET if delta is None else delta.version()

    def version_at(self, table: str, moment: datetime) -> int:
        """The newest version that was committed by the moment; -1 when the table did not exist yet."""
        known = self.history(table).filter(pl.col("timestamp") <= moment).get_column("version")
        return -1 if known.is_empty() else int(known[0])

    def files(self, table: str, start: date, end: date, version: int | None = None) -> list[Path] | None:
        """The parquet files that hold the days of a monthly table, in the order of their months.

        They hold the rows of whole months, moments in microseconds. None where the lake is no folder.
        """
        delta = self._open(table, version) if version is None else self._open_version(table, version)
        if delta is None:
            return []
        if "://" in self._url or not _definition(table).monthly:
            return None
        months = f"{MONTH} >= '{start:%Y-%m}' AND {MONTH} <= '{end:%Y-%m}'"
        return sorted(Path(uri) for uri in delta.file_uris(file_pruning_predicate=months))

    def compact(self, table: str) -> int:
        """Merge small files into large ones. No row and no version is lost: old files stay for time travel."""
        definition = _definition(table)
        if not definition.monthly or not definition.sorted_by:
            return self._commit(table, lambda delta: delta.optimize.compact())
        delta = self._open(table)
        for month in [] if delta is None else _scattered_months(delta):
            self._commit(table, partial(self._merge_month, definition=definition, month=month))
        return self.version(table)

    def history(self, table: str) -> pl.DataFrame:
        """The table's commits, newest first: version Int64, timestamp Datetime(ms, UTC), operation str."""
        _definition(table)
        delta = self._open(table)
        with translate_storage_errors(self._url):
            commits = [] if delta is None else delta.history()
        return pl.DataFrame(
            [{name: commit[name] for name in ("version", "timestamp", "operation")} for commit in commits],
            schema={"version": pl.Int64, "timestamp": pl.Int64, "operation": pl.String},
        ).with_columns(pl.from_epoch("timestamp", time_unit="ms").dt.cast_time_unit("ms").dt.replace_time_zone("UTC"))

    def _merge_month(self, delta: DeltaTable, definition: Table, month: str) -> None:
        """Write one month's rows, in the table's order, into one file."""
        every = pl.scan_delta(delta, storage_options=self._storage_options or None)
        rows = every.filter(pl.col(MONTH) == month).collect().sort(definition.sorted_by)
        write_deltalake(delta, rows, mode="overwrite", predicate=f"{MONTH} = '{month}'")

    def _overwrite(self, table: str, frame: pl.DataFrame, predicate: str | None) -> int:
        rows = _stored(_definition(table), frame)

        def write(delta: DeltaTable) -> None:
            write_deltalake(delta, rows, mode="overwrite", predicate=predicate, schema_mode="merge")

        return self._commit(table, write)

    def _commit(self, table: str, write: Callable[[DeltaTable], object]) -> int:
        """Run the write on the newest version, again after each lost race; the version that it made."""
        patient = Retrying(
            retry=retry_if_exception_type(CommitFailedError),
            wait=wait_random_exponential(multiplier=0.05, max=2.0),
            stop=stop_after_delay(CONFLICT_SECONDS),
            reraise=True,
        )
        with translate_storage_errors(self._url):
            try:
                return patient(self._write_once, table, write)
            except CommitFailedError as error:
                detail = f"{table}: other writers were first for {CONFLICT_SECONDS:g} seconds; try again later"
                raise ConflictError(detail) from error

    def _write_once(self, table: str, write: Callable[[DeltaTable], object]) -> int:
        delta = self._open(table) or self._create(table)
        write(delta)
        version = delta.version()
        if _definition(table).durable and "://" not in self._url:
            self._syncs.setdefault(table, TableSync(Path(self._url, table))).sync(version)
        return version

    def _create(self, table: str) -> DeltaTable:
        """Make the empty table; of several first writers one does, the others lose the race and open it."""
        definition = _definition(table)
        return DeltaTable.create(
            self._address(table),
            schema=DeltaSchema.from_arrow(_stored(definition, pl.DataFrame(schema=definition.columns)).schema),
            mode="ignore",
            partition_by=[MONTH] if definition.monthly else None,
            configuration=TABLE_PROPERTIES,
            storage_options=self._storage_options,
            commit_properties=CommitProperties(max_commit_retries=0),  # else the loser makes it again, as version 1
        )

    def _open(self, table: str, version: int | None = None) -> DeltaTable | None:
        with translate_storage_errors(self._url):
            try:
                return DeltaTable(self._address(table), version=version, storage_options=self._storage_options)
            except TableNotFoundError:
                _require_absent(self._address(table))
                return None
            except DeltaError as error:
                if version is None:
                    raise
                raise NotFoundError(f"{table} has no version {version}: {error}") from error

    def _open_version(self, table: str, version: int) -> DeltaTable | None:
        """A version, whose log is read once."""
        delta = self._opened.get((table, version)) or self._open(table, version)
        if delta is not None:
            self._opened = dict([*self._opened.items(), ((table, version), delta)][-KEPT_SCANS:])
        return delta

    def _address(self, table: str) -> str:
        return f"{self._url}/{table}"


def _stored_column(table: Table, name: str, present: AbstractSet[str]) -> pl.Expr:
    """A column as readers get it: in its type, and with its default where it was not written."""
    found = (pl.col(name) if name in present else pl.lit(None)).cast(table.columns[name])
    filled = found.fill_null(table.defaults[name]) if name in table.defaults else found
    return filled.alias(name)


def _scattered_months(delta: DeltaTable) -> list[str]:
    """The months that have more than one file."""
    files = Counter(Path(uri).parent.name.removeprefix(f"{MONTH}=") for uri in delta.file_uris())
    return sorted(month for month, count in files.items() if count > 1)


def _newest_commit(log: Path) -> int:
    """The newest version in a table's log, whose files are never cleaned up; -1 where there is no table."""
    try:
        return max((int(file.stem) for file in log.iterdir() if COMMIT.fullmatch(file.name)), default=NOT_YET)
    except FileNotFoundError:
        return NOT_YET


def _require_absent(address: str) -> None:
    """A folder that may not be read is not an empty table: OSError says why; only an absent one passes."""
    if "://" not in address:
        with suppress(FileNotFoundError):
            Path(address, "_delta_log").stat()


def _definition(table: str) -> Table:
    definition = TABLES.get(table) or RETIRED_TABLES.get(table)
    if definition is None:
        raise NotFoundError(f"the lake has no table {table}; it has {', '.join(TABLES)}")
    return definition
