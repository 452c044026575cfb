"""`fund data import`: imports files of bars and details into the fund's lake, through datamanager."""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import polars as pl

from fund.addresses import Addresses
from fund.clients import connect
from fund.display import Display
from fund.folder import FundFolder
from fund.processes import SUPERVISOR, running_processes
from fund.real_environment import choose_environments
from fund.services import Service
from fund.supervisor import Supervisor
from internal.bar_files.bars import read_bars
from internal.bar_files.details import read_details
from internal.errors import ConfigurationError
from internal.http.datamanager_client import DatamanagerClient
from internal.http.datamanager_responses import ImportedSession
from internal.interrupts import interrupt_waits

ROWS_A_REQUEST = 200_000  # some 20 MB, below what datamanager accepts in one body


def import_files(  # noqa: PLR0913 - the two files, and where they go
    bars: Path, details: Path | None, folder: FundFolder, addresses: Addresses, display: Display, *, replace: bool
) -> None:
    """Read both files, show the reports, and have datamanager store them; nothing starts when a file is refused.

    Raises:
        TableFileError: A file cannot be used.
        ConflictError: The lake holds a session with other rows; no session of the file was stored.
    """
    read = read_bars(bars)
    display.show_report(read.report)
    known = None if details is None else read_details(details)
    if known is not None:
        display.show_report(known.report)
    with open_datamanager(folder, addresses) as datamanager:
        display.show_import(import_bars(datamanager, read.bars, display, replace=replace))
        if known is not None:
            datamanager.save_details(known.details)
            display.say(f"{known.details.height:,} details stored.")


@contextmanager
def open_datamanager(folder: FundFolder, addresses: Addresses) -> Generator[DatamanagerClient]:
    """The client of this folder's datamanager; it is started for the block where it is not running.

    Raises:
        ConfigurationError: The fund of the folder is starting or ending.
    """
    interrupt_waits()
    running = running_processes(folder)
    if Service.DATAMANAGER in running:
        yield connect(folder, addresses).data
        return
    if SUPERVISOR in running:
        raise ConfigurationError("This fund is starting or ending: try again when `./fund status` shows datamanager")
    folder.make_private()
    supervisor = Supervisor(folder, addresses, choose_environments(folder, addresses))
    try:
        supervisor.start(Service.DATAMANAGER)
        yield connect(folder, addresses).data
    finally:
        supervisor.stop()


def import_bars(
    datamanager: DatamanagerClient, bars: pl.DataFrame, display: Display, *, replace: bool
) -> list[ImportedSession]:
    """Send the sessions in parts, those that the lake holds first: other rows there end it before any change."""
    stored = set(datamanager.sessions().get_column("date"))
    parts = split_by_sessions(bars, stored, ROWS_A_REQUEST)
    imported: list[ImportedSession] = []
    with display.progress("sessions", bars.get_column("date").n_unique()) as advance:
        for part in parts:
            imported += datamanager.import_bars(part, replace=replace).sessions
            advance(len(imported), f"to {part.get_column('date').max()}")
    return imported


def split_by_sessions(bars: pl.DataFrame, first: set[date], rows: int) -> list[pl.DataFrame]:
    """Whole sessions in parts of about so many rows; the sessions of `first` come first, in parts of their own."""
    is_first = pl.col("date").is_in(list(first))
    groups = [bars.filter(is_first), bars.filter(~is_first)]
    return [part for group in groups if group.height for part in _parts(group, rows)]


def _parts(bars: pl.DataFrame, rows: int) -> Sequence[pl.DataFrame]:
    """Parts that each begin with a session; `bars` are ordered by date."""
    counts = Counter(bars.get_column("date").to_list())
    parts: list[list[date]] = [[]]
    size = 0
    for day, count in sorted(counts.items()):
        if parts[-1] and size + count > rows:
            parts.append([])
            size = 0
        parts[-1].append(day)
        size += count
    return [bars.filter(pl.col("date").is_between(part[0], part[-1])) for part in parts]
