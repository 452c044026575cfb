"""Bars of a long range as the lake's own parquet files in one response, with names and factors to apply.

Nothing is encoded again: the server sends its files, the client decodes them while the next ones arrive. A client on
the server's machine is sent the names of the files instead.
"""

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit
from urllib.request import url2pathname

import polars as pl

from internal.bar_names import BarNames
from internal.bar_order import KEY, FileRun, find_runs, group_files, order_bars
from internal.errors import UpstreamError
from internal.factor_table import PRICES, VOLUMES, FactorTable
from internal.http.frames import ARROW, PARQUET, decode
from internal.http.parts import Part, read_parts
from internal.schemas import equity_bars
from internal.security_names import SecurityNames

URI_LIST = "text/uri-list"  # RFC 2483
FILE_NAMES = "file-names"  # the preference (RFC 7240) of a caller on the same machine
IN_ORDER = "; in-order=true"  # behind the media type of files whose rows, one file after another, are in order
READERS = 3  # on two cores: one is in Python while two decode
BYTES_AT_ONCE = 20_000_000  # of files that are read in one go by their names: about 750,000 bars
# of stored moments, all of them whole: Polars divides by a constant in half the time of its cast
MILLISECONDS = (pl.selectors.datetime("us").to_physical() // 1_000).cast(pl.Datetime("ms", "UTC"))
OLDEST = pl.CompatLevel.oldest()


@dataclass(frozen=True)
class WantedBars:
    """What a caller wants of the files: the days, both included, and the columns in order."""

    start: date
    end: date
    columns: Sequence[str]


class UnreadableFilesError(Exception):
    """The answer names files that are not on this machine, or that this user may not read."""


def make_bar_parts(
    files: Sequence[Path], names: pl.DataFrame | None, factors: pl.DataFrame | None, *, by_name: bool
) -> list[Part]:
    """Names and factors, then the files by month.

    Args:
        files: The lake's files.
        names: `SecurityNames.changed`; None leaves tickers as traded.
        factors: Those of `price_adjustment.find_factors`; None leaves prices as traded.
        by_name: Whether the last part is the list of the files' addresses, and not their content.
    """
    frames = [frame for frame in (names, factors) if frame is not None]
    tables = [Part(ARROW, frame.write_ipc_stream(None, compat_level=OLDEST).getvalue()) for frame in frames]
    return tables + [part for run in find_runs(files) for part in _make_parts(run, by_name=by_name)]


def _make_parts(run: FileRun, *, by_name: bool) -> list[Part]:
    order = IN_ORDER if run.in_order else ""
    if by_name:
        return [Part(URI_LIST + order, "".join(f"{file.as_uri()}\r\n" for file in run.files).encode())]
    return [Part(PARQUET + order, file) for file in run.files]


def read_bar_parts(body: BinaryIO, wanted: WantedBars) -> pl.DataFrame:
    """The bars, ordered by date and ticker.

    Raises:
        UpstreamError: The body is incomplete or no such body.
        UnreadableFilesError: A file that it names cannot be read.
    """
    reader = _FileReader(wanted)
    with ThreadPoolExecutor(READERS, thread_name_prefix="read") as pool:
        read: list[Future[pl.DataFrame]] = []
        for part in read_parts(body):
            media_type, in_order = part.media_type.removesuffix(IN_ORDER), part.media_type.endswith(IN_ORDER)
            if media_type == ARROW:
                reader.add_corrections(decode(part.read(), ARROW))
            elif media_type == PARQUET:
                read.append(pool.submit(reader.read, part.read(), in_order))
            elif media_type == URI_LIST:
                run = FileRun(_find_files(part), in_order)
                read += [pool.submit(reader.read, files, in_order) for files in group_files(run, BYTES_AT_ONCE)]
            else:
                raise UpstreamError(f"the answer holds a part of an unknown kind: {part.media_type}")
        frames = [future.result() for future in read]
    bars = pl.concat([equity_bars.empty().select(_needed(wanted)), *frames])
    return (bars if _follow_one_another(frames) else bars.sort(KEY)).select(list(wanted.columns))


@dataclass
class _FileReader:
    """Reads the wanted rows of files under their names and in adjusted prices, where names and factors were given."""

    wanted: WantedBars
    names: BarNames | None = None
    factors: FactorTable | None = None

    def add_corrections(self, frame: pl.DataFrame) -> None:
        """Take names or factors, before the first file."""
        if "name" in frame.columns:
            self.names = None if frame.is_empty() else BarNames(SecurityNames(frame))
        elif {*PRICES, *VOLUMES} & set(self.wanted.columns):
            self.factors = FactorTable(frame)

    def read(self, file: bytes | list[Path], in_order: bool) -> pl.DataFrame:  # noqa: FBT001 - called by a pool
        """The rows of one or more files, ordered by date and ticker."""
        bars = decode_bars(file, self.wanted, in_order=in_order)
        if self.factors is None:
            return bars if self.names is None else self.names.apply(bars)
        named, order = (bars, None) if self.names is None else self.names.arrange(bars, (*PRICES, *VOLUMES))
        return self.factors.apply(named, order)


def _find_files(part: Part) -> list[Path]:
    """The files that the part names, in the order of their months."""
    files = [Path(url2pathname(urlsplit(uri).path)) for uri in part.read().decode("ascii").splitlines()]
    for file in files:
        if not os.access(file, os.R_OK):
            raise UnreadableFilesError(f"{file} is no file that can be read on this machine")
    return files


def _follow_one_another(frames: Sequence[pl.DataFrame]) -> bool:
    """Whether each frame, in order itself, begins after the last day of the one before."""
    days = [frame.get_column("date") for frame in frames if frame.height]
    return all(before[-1] < after[0] for before, after in pairwise(days))


def _needed(wanted: WantedBars) -> list[str]:
    return list(dict.fromkeys([*wanted.columns, *KEY]))


def decode_bars(file: bytes | list[Path], wanted: WantedBars, *, in_order: bool) -> pl.DataFrame:
    """The wanted rows of one or more of the lake's files, ordered by date and ticker; both are among the columns."""
    stored = pl.scan_parquet(file, hive_partitioning=False).select(_needed(wanted)).collect()
    bars = stored.with_columns(MILLISECONDS).cast({name: equity_bars.COLUMNS[name] for name in stored.columns})
    bars = bars if in_order else order_bars(bars)
    days = bars.get_column("date")
    if bars.is_empty() or (wanted.start <= days[0] and days[-1] <= wanted.end):
        return bars
    return bars.filter(days.is_between(wanted.start, wanted.end))
