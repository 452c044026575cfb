"""Bars of a long range as the lake's own parquet files in one response, with names and factors to apply.

Nothing is encoded again: the server sends its files, the client decodes them while the next ones arrive.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import polars as pl

from internal.errors import UpstreamError
from internal.http.frames import ARROW, PARQUET, decode
from internal.http.parts import Part, read_parts
from internal.price_adjustment import PRICES, apply_factors
from internal.schemas import equity_bars
from internal.security_names import SecurityNames

KEY = ("date", "ticker")
DECODERS = 2
OLDEST = pl.CompatLevel.oldest()


@dataclass(frozen=True)
class WantedBars:
    """What a caller wants of the files: the days, both included, and the columns in order."""

    start: date
    end: date
    columns: Sequence[str]


def make_bar_parts(files: Iterable[Path], names: pl.DataFrame | None, factors: pl.DataFrame | None) -> list[Part]:
    """Names and factors, then the files by month.

    Args:
        files: The lake's files.
        names: `SecurityNames.changed`; None leaves tickers as traded.
        factors: Those of `price_adjustment.find_factors`; None leaves prices as traded.
    """
    frames = [frame for frame in (names, factors) if frame is not None]
    tables = [Part(ARROW, frame.write_ipc_stream(None, compat_level=OLDEST).getvalue()) for frame in frames]
    return tables + [Part(PARQUET, file) for file in files]


def read_bar_parts(body: BinaryIO, wanted: WantedBars) -> pl.DataFrame:
    """The bars, ordered by date and ticker; UpstreamError for a body that is incomplete or no such body."""
    names: SecurityNames | None = None
    factors: pl.DataFrame | None = None
    decoded: list[Future[pl.DataFrame]] = []
    with ThreadPoolExecutor(DECODERS, thread_name_prefix="decode") as pool:
        for part in read_parts(body):
            if part.media_type == ARROW:
                frame = decode(part.read(), ARROW)
                if "name" in frame.columns:
                    names = SecurityNames(frame)
                else:
                    factors = frame
            elif part.media_type == PARQUET:
                decoded.append(pool.submit(_decode_as_of, part.read(), wanted, names, factors))
            else:
                raise UpstreamError(f"the answer holds a part of an unknown kind: {part.media_type}")
        frames = [future.result() for future in decoded]
    bars = pl.concat([equity_bars.empty().select(_needed(wanted)), *frames])
    return (bars if _follow_one_another(frames) else bars.sort(KEY)).select(list(wanted.columns))


def _follow_one_another(frames: Sequence[pl.DataFrame]) -> bool:
    """Whether each frame, in order itself, begins after the last day of the one before."""
    days = [frame.get_column("date") for frame in frames if frame.height]
    return all(before[-1] < after[0] for before, after in pairwise(days))


def order_bars(bars: pl.DataFrame) -> pl.DataFrame:
    """The bars ordered by date and ticker; files are in order, so most are only looked at."""
    date_before, ticker_before = pl.col("date").shift(1), pl.col("ticker").shift(1)
    follows = (pl.col("date") > date_before) | ((pl.col("date") == date_before) & (pl.col("ticker") >= ticker_before))
    if bars.select(follows.all()).item():
        return bars
    return bars.sort(KEY)


def _needed(wanted: WantedBars) -> list[str]:
    return list(dict.fromkeys([*wanted.columns, *KEY]))


def decode_bars(file: bytes | Path, wanted: WantedBars) -> pl.DataFrame:
    """The wanted rows of one of the lake's files, ordered by date and ticker; both are among the columns."""
    needed = _needed(wanted)
    bars = pl.read_parquet(file, columns=needed, hive_partitioning=False).select(
        pl.col(name).cast(equity_bars.COLUMNS[name]) for name in needed
    )
    return order_bars(bars.filter(pl.col("date").is_between(wanted.start, wanted.end)))


def _decode_as_of(
    file: bytes, wanted: WantedBars, names: SecurityNames | None, factors: pl.DataFrame | None
) -> pl.DataFrame:
    """The wanted rows of a file under their names and in adjusted prices, where these are given."""
    bars = decode_bars(file, wanted)
    if names is not None and not names.aliases.is_empty():
        bars = order_bars(names.rename(bars.lazy(), pl.col("date")).collect())
    if factors is not None and {*PRICES, "volume"} & set(wanted.columns):
        bars = apply_factors(bars.lazy(), factors.lazy()).collect()
    return bars
