"""The panel: bars of many tickers on one regular grid of sessions, with bad bars set aside and counted.

Every decision about a row depends on that row and earlier ones only: a panel cut at a day equals the panel of that day.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import log
from typing import Final

import numpy as np
import polars as pl

from internal.dates import sessions_frame
from internal.errors import SchemaError

PRICES: Final = ("open", "high", "low", "close")
REQUIRED: Final = ("ticker", "date", *PRICES, "volume")
MEDIAN_WINDOW: Final = 5
DAYS: Final = 2**31  # a date is fewer days from 1970
PART_ROWS: Final = 3 * 2**20  # a forecast of 8,000 tickers is one part
MALFORMED, NOT_A_SESSION, NOT_TRADED, ABSURD = "malformed", "not_a_session", "not_traded", "absurd_price"


@dataclass(frozen=True)
class PanelReport:
    """How many bars were received, set aside (by reason) and repaired, and how many sessions were filled.

    Attributes:
        bars: Bars received up to the panel's end.
        set_aside: Bars that were treated as missing, by reason; each reason is present, zero included.
        repaired_ranges: Bars whose high or low did not contain open and close and was widened.
        filled_sessions: Sessions without a bar that carry the last close (at most `maximum_gap` in a row).
        segments: Unbroken histories; more than tickers where a gap or an absurd price broke one.
        tickers: Tickers with at least one good bar.
    """

    bars: int
    set_aside: dict[str, int]
    repaired_ranges: int
    filled_sessions: int
    segments: int
    tickers: int


@dataclass(frozen=True)
class Panel:
    """A regular panel and the report on its making.

    Attributes:
        frame: Sorted by ticker and date: ticker, date, session (position on the calendar of this panel), segment,
            age (sessions since the segment began, 0 first), traded, open, high, low, close, volume,
            volume_weighted_average_price (null where unknown), sector, industry.
        report: The counts.
    """

    frame: pl.DataFrame
    report: PanelReport


def build_panel(
    bars: pl.DataFrame,
    details: pl.DataFrame,
    *,
    end: date,
    maximum_gap: int = 5,
    absurd_price_ratio: float = 5.0,
) -> Panel:
    """Put bars on the XNYS sessions, set implausible ones aside, and report the counts.

    Args:
        bars: Frame `equity_bars`, adjusted as of `end` or earlier, in any order; only ticker, date, prices, volume and
            volume_weighted_average_price are read.
        details: Frame `equity_details`; ticker, sector and industry are read, other tickers are ignored.
        end: The last session that may be seen. **Guard:** later bars are removed before anything is computed, so that
            a caller who holds the future cannot leak it.
        maximum_gap: Missing sessions in a row (halts, vendor gaps) that carry the last close. **Guard:** whether a
            missing session is filled is decided by the sessions before it alone: the first `maximum_gap` are filled
            even when the gap grows longer; a longer gap starts a new segment, and no window crosses segments.
        absurd_price_ratio: A close this many times above or below the median of the ticker's last five closes is set
            aside. **Guard:** it is compared with earlier closes alone, never with later ones; a price that stays
            there becomes a new segment once the median has followed it.

    Raises:
        SchemaError: A column is missing, or a ticker has two bars on a date.
    """
    read = _select_columns(bars)
    calendar = _number_sessions(read, end)

    def make_part(rows: pl.Series) -> Panel:
        seen = read[rows].filter(pl.col("date") <= end)
        judged = _judge(seen, calendar, absurd_price_ratio)
        good = _repair(judged.filter(pl.col("verdict").is_null()))
        frame = _fill(_split_segments(good, maximum_gap, absurd_price_ratio), calendar, maximum_gap)
        return Panel(_describe(frame, details), _report(judged, good, frame))

    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # Polars gives most of these steps one thread
        return _join_parts(list(pool.map(make_part, _split_tickers(read))))


def _select_columns(bars: pl.DataFrame) -> pl.DataFrame:
    """The columns that are read. Raises SchemaError for a missing column."""
    missing = [column for column in REQUIRED if column not in bars.columns]
    if missing:
        raise SchemaError(f"bars lack the columns {', '.join(missing)}", [f"{column}: missing" for column in missing])
    if bars.schema["date"] != pl.Date:
        raise SchemaError(f"bars have dates of type {bars.schema['date']}, not Date", ["date: wrong type"])
    if "volume_weighted_average_price" not in bars.columns:
        bars = bars.with_columns(volume_weighted_average_price=pl.lit(None, pl.Float64))
    return bars.select(*REQUIRED, "volume_weighted_average_price")


def _split_tickers(bars: pl.DataFrame) -> list[pl.Series]:
    """The rows by ticker and date in parts of whole tickers. Raises SchemaError when a ticker has a second bar.

    A panel is made in parts, so that the steps of its making are never of all rows at once.
    """
    key = _number_keys(bars)
    order = key.arg_sort()
    ordered = key.gather(order)
    as_before = (ordered.diff() == 0).fill_null(value=False)
    if as_before.any():
        twice = bars.select("ticker", "date")[order].filter(as_before).unique(maintain_order=True)
        failures = [f"{ticker} {day}: more than one bar" for ticker, day in twice.head(5).rows()]
        raise SchemaError(f"{twice.height} keys have more than one bar, the first: {failures[0]}", failures)
    ends = ((ordered + DAYS) // (2 * DAYS)).rle().struct.field("len").cast(pl.Int64).cum_sum()
    inner = ends.filter((ends // PART_ROWS).diff(-1) < 0)  # each where the next ticker ends in another part
    return [order[first:last] for first, last in pairwise([0, *inner.to_list(), len(order)])]


def _join_parts(parts: list[Panel]) -> Panel:
    """One panel of parts of its tickers; the columns of the parts are joined and released one by one."""
    report = _add_reports([part.report for part in parts])
    before = np.cumsum([0, *(part.report.segments for part in parts)]).tolist()
    frames = [part.frame.with_columns(pl.col("segment") + count) for part, count in zip(parts, before, strict=False)]
    parts.clear()
    columns = [dict(zip(frame.columns, frame.get_columns(), strict=True)) for frame in frames]
    names = frames[0].columns
    frames.clear()
    joined = [pl.concat([part.pop(name) for part in columns], rechunk=True) for name in names]
    in_order = pl.col("segment").set_sorted()  # so that whatever is computed over it takes slices instead of looking up
    return Panel(pl.DataFrame(joined).with_columns(in_order), report)


def _add_reports(reports: list[PanelReport]) -> PanelReport:
    return PanelReport(
        bars=sum(one.bars for one in reports),
        set_aside={reason: sum(one.set_aside[reason] for one in reports) for reason in reports[0].set_aside},
        repaired_ranges=sum(one.repaired_ranges for one in reports),
        filled_sessions=sum(one.filled_sessions for one in reports),
        segments=sum(one.segments for one in reports),
        tickers=sum(one.tickers for one in reports),
    )


def _number_keys(bars: pl.DataFrame) -> pl.Series:
    """A number for each ticker and date, in their order, missing ones first: it sorts in a third of the time."""
    names = bars.get_column("ticker").drop_nulls().unique().sort()
    number = bars.get_column("ticker").cast(pl.Enum(names)).to_physical().cast(pl.Int64).fill_null(-1)
    day = bars.get_column("date").to_physical().cast(pl.Int64).fill_null(-DAYS)
    return number * 2 * DAYS + day


def _number_sessions(bars: pl.DataFrame, end: date) -> pl.DataFrame:
    start = bars.filter(pl.col("date") <= end).get_column("date").min()
    first = start if isinstance(start, date) else end
    return sessions_frame(first, end).select("date").with_row_index("session").cast({"session": pl.Int64})


def _judge(bars: pl.DataFrame, calendar: pl.DataFrame, absurd_price_ratio: float) -> pl.DataFrame:
    """Every bar with its `verdict`, null for good, else the reason for which it is set aside, and its `group`.

    The group is a number for the ticker: as it is sorted, what is computed over it takes slices instead of looking up.
    """
    unreadable = pl.any_horizontal(
        [~(pl.col(price).is_finite() & (pl.col(price) > 0)).fill_null(value=False) for price in PRICES]
    ) | ~(pl.col("volume").is_finite() & (pl.col("volume") >= 0)).fill_null(value=False)
    verdict = (
        pl.when(pl.col("session").is_null())
        .then(pl.lit(NOT_A_SESSION))
        .when(unreadable)
        .then(pl.lit(MALFORMED))
        .when(pl.col("volume") == 0)
        .then(pl.lit(NOT_TRADED))
    )
    judged = bars.join(calendar, on="date", how="left", maintain_order="left").with_columns(
        verdict.alias("verdict"), group=bars.get_column("ticker").rle_id().set_sorted()
    )
    return _judge_prices(judged, log(absurd_price_ratio))


def _judge_prices(judged: pl.DataFrame, limit: float) -> pl.DataFrame:
    readable = judged.with_row_index("row").filter(pl.col("verdict").is_null())
    spike = (pl.max_horizontal("high", "open") / pl.col("close")).log().abs()
    dip = (pl.col("close") / pl.min_horizontal("low", "open")).log().abs()
    absurd = readable.filter(pl.max_horizontal(spike, dip) > limit).get_column("row")
    absurd = absurd.append(_find_jumps(readable.select("row", "group", "close"), limit))
    return judged.with_columns(
        verdict=pl.when(pl.int_range(pl.len()).is_in(absurd.implode())).then(pl.lit(ABSURD)).otherwise("verdict")
    )


def _find_jumps(readable: pl.DataFrame, limit: float) -> pl.Series:
    """The rows with a close that is too far from the median of the closes before it.

    A median is between the lowest and the highest close, so only tickers that have two closes so far apart are read.
    """
    closes = readable.group_by("group").agg(low=pl.col("close").min(), high=pl.col("close").max())
    wide = closes.filter((pl.col("high") / pl.col("low")).log() > 0.99 * limit).get_column("group")
    earlier = pl.col("close").rolling_median(MEDIAN_WINDOW, min_samples=1).shift(1).over("group")
    jump = (pl.col("close") / earlier).log().abs().fill_null(0)
    return readable.filter(pl.col("group").is_in(wide.implode())).filter(jump > limit).get_column("row")


def _repair(good: pl.DataFrame) -> pl.DataFrame:
    high, low = pl.max_horizontal(*PRICES), pl.min_horizontal(*PRICES)
    return good.with_columns(high=high, low=low, repaired=(high > pl.col("high")) | (low < pl.col("low")))


def _split_segments(good: pl.DataFrame, maximum_gap: int, absurd_price_ratio: float) -> pl.DataFrame:
    """Good bars with their segment: a new one begins after a long gap and after an implausible jump of the price."""
    gap, jump = pl.col("session").diff() - 1, pl.col("close").log().diff().abs()
    breaks = (gap > maximum_gap) | (jump > log(absurd_price_ratio))
    first = (pl.col("group") != pl.col("group").shift(1)).fill_null(value=True)
    return good.with_columns(segment=(first | breaks).cum_sum())


def _fill(good: pl.DataFrame, calendar: pl.DataFrame, maximum_gap: int) -> pl.DataFrame:
    """The regular grid: each good bar, followed by the missing sessions that carry its close."""
    last = (pl.col("group") != pl.col("group").shift(-1)).fill_null(value=True)
    following = pl.when(last).then(calendar.height).otherwise(pl.col("session").shift(-1))
    until = pl.min_horizontal(following, pl.col("session") + maximum_gap + 1)
    grid = good.with_columns(bar_session=pl.col("session"), session=pl.int_ranges("session", until)).explode("session")
    traded = pl.col("session") == pl.col("bar_session")
    carried = [pl.when(traded).then(pl.col(price)).otherwise(pl.col("close")).alias(price) for price in PRICES]
    return (
        grid.with_columns(
            *carried,
            traded=traded,
            volume=pl.when(traded).then(pl.col("volume")).otherwise(0.0),
            volume_weighted_average_price=pl.when(traded).then(pl.col("volume_weighted_average_price")),
            age=pl.int_range(pl.len()).over("segment"),
        )
        .drop("date")
        .join(calendar, on="session", how="left", maintain_order="left")
    )


def _describe(frame: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    known = details.select("ticker", "sector", "industry").unique("ticker", keep="first", maintain_order=True)
    return frame.join(known, on="ticker", how="left", maintain_order="left").select(
        *("ticker", "date", "session"),
        *("segment", "age", "traded"),
        *PRICES,
        *("volume", "volume_weighted_average_price", "sector", "industry"),
    )


def _report(judged: pl.DataFrame, good: pl.DataFrame, frame: pl.DataFrame) -> PanelReport:
    counted = dict(judged.group_by("verdict").len().rows())
    return PanelReport(
        bars=judged.height,
        set_aside={reason: counted.get(reason, 0) for reason in (MALFORMED, NOT_A_SESSION, NOT_TRADED, ABSURD)},
        repaired_ranges=int(good.get_column("repaired").sum()),
        filled_sessions=int((~frame.get_column("traded")).sum()),
        segments=frame.get_column("segment").rle_id().n_unique(),
        tickers=frame.get_column("ticker").rle_id().n_unique(),
    )
