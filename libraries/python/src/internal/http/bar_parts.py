"""Bars of a long range as the lake's own parquet files in one response, with names and factors to apply.

Nothing is encoded again: the server sends its files, the client decodes them while the next ones arrive.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path

import polars as pl

from internal.errors import UpstreamError
from internal.http.frames import ARROW, PARQUET, decode
from internal.http.parts import Part, read_parts
from internal.price_adjustment import PRICES, apply_factors
from internal.schemas import equity_bars
from internal.security_names import SecurityNames

KEY = ("date", "ticker")
DECODERS = 2


@dataclass(frozen=True)
class WantedBars:
    """What a caller wants of the files: the days, both included, and the columns in order."""

    start: date
    end: date
    columns: Sequence[str]


def make_bar_parts(
    files: Iterable[Path], find_factors: Callable[[], pl.DataFrame | None], names: pl.DataFrame | None
) -> Iterator[Part]:
    """The files by month, then names and factors.

    Args:
        files: The lake's files.
        find_factors: `price_adjustment.find_factors`, found while files are sent; None leaves prices as traded.
        names: `SecurityNames.changed`; None leaves tickers as traded.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="factors") as pool:
        found = pool.submit(find_factors)
        for file in files:
            yield Part(PARQUET, file)
        factors = found.result()
    for frame in (names, factors):
        if frame is not None:
            yield Part(ARROW, frame.write_ipc_stream(None, compat_level=pl.CompatLevel.oldest()).getvalue())


def read_bar_parts(body: Iterable[bytes], wanted: WantedBars) -> pl.DataFrame:
    """The bars, ordered by date and ticker; UpstreamError for a body that is incomplete or no such body."""
    factors: pl.DataFrame | None = None
    names: SecurityNames | None = None
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
                decoded.append(pool.submit(decode_bars, part.read(), wanted))
            else:
                raise UpstreamError(f"the answer holds a part of an unknown kind: {part.media_type}")
        frames = [future.result() for future in decoded]
        if names is not None and not names.aliases.is_empty():
            frames = list(pool.map(partial(_rename, names=names), frames))
        if factors is not None and {*PRICES, "volume"} & set(wanted.columns):
            frames = list(pool.map(partial(_adjust, factors=factors), frames))
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


def _rename(bars: pl.DataFrame, names: SecurityNames) -> pl.DataFrame:
    return order_bars(names.rename(bars.lazy(), pl.col("date")).collect())


def _adjust(bars: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    return apply_factors(bars.lazy(), factors.lazy()).collect()
