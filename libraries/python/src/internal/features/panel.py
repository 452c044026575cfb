"""The panel: bars of many tickers on one regular grid of sessions, with bad bars set aside and counted.

Every decision about a row depends on that row and earlier ones only: a panel cut at a day equals the panel of that day.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from internal.dates import EPOCH, sessions_frame
from internal.errors import SchemaError
from internal.features.panel_rows import NO_DAY, VERDICTS, RowOrder, make_rows

PRICES: Final = ("open", "high", "low", "close")
REQUIRED: Final = ("ticker", "date", *PRICES, "volume")


@dataclass(frozen=True)
class PanelReport:
    """How many bars were received, set aside (by reason) and repaired, and how many sessions were filled.

    Attributes:
        bars: Bars received up to the panel's end.
        set_aside: Bars that were treated as missing, by reason; each reason is present, zero included. Malformed are
            those without a price above 0 or a volume, and those with more than 1e100 of either.
        repaired_ranges: Bars whose high and low did not contain all four prices and were widened.
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
        absurd_price_ratio: A bar is set aside whose open, high or low is this many times above or below its close, or
            whose close is above or below the median of the ticker's last five closes. **Guard:** a close is compared
            with earlier ones alone, never with later ones; a price that stays there becomes a new segment once the
            median has followed it.

    Raises:
        SchemaError: A column is missing, or a ticker has two bars on a date.
    """
    read = _select_columns(bars)
    names, order = _order_bars(read)
    sessions, last = _list_sessions(read, end), (end - EPOCH).days
    columns, counts = make_rows(
        read, order, sessions, last, maximum_gap=maximum_gap, absurd_price_ratio=absurd_price_ratio
    )
    return Panel(_describe(columns, names, counts["rows"], details), _report(counts))


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


def _order_bars(bars: pl.DataFrame) -> tuple[pl.Series, RowOrder]:
    """The tickers in order, a missing one first, and the bars by ticker and date.

    Raises:
        SchemaError: A ticker has two bars on a date.
    """
    names = bars.get_column("ticker").drop_nulls().unique().sort()
    numbers = bars.get_column("ticker").cast(pl.Enum(names)).to_physical().cast(pl.UInt32) + 1
    days = bars.get_column("date").to_physical().fill_null(NO_DAY)
    order = RowOrder.of(numbers.fill_null(0).to_numpy(), days.to_numpy(), len(names) + 1)
    if order.twice:
        keys = bars.select("ticker", "date")[order.rows]
        twice = keys.filter(keys.is_duplicated()).unique(maintain_order=True)
        failures = [f"{ticker} {day}: more than one bar" for ticker, day in twice.head(5).rows()]
        raise SchemaError(f"{twice.height} keys have more than one bar, the first: {failures[0]}", failures)
    return pl.concat([pl.Series([None], dtype=pl.String), names]), order


def _list_sessions(bars: pl.DataFrame, end: date) -> np.ndarray:
    """The days from 1970 of the sessions from the first bar to the end, i32 [session]."""
    start = bars.filter(pl.col("date") <= end).get_column("date").min()
    first = start if isinstance(start, date) else end
    return sessions_frame(first, end).get_column("date").to_physical().to_numpy()


def _describe(
    columns: dict[str, np.ndarray], names: pl.Series, rows: np.ndarray, details: pl.DataFrame
) -> pl.DataFrame:
    """The panel's frame; `rows` counts those of each ticker, i64 [ticker]."""
    known = details.select("ticker", "sector", "industry").unique("ticker", keep="first", maintain_order=True)
    described = pl.DataFrame({"ticker": names}).join(known, on="ticker", how="left", maintain_order="left")
    texts = described[np.repeat(np.arange(len(names), dtype=np.uint32), rows)]
    in_order = pl.col("segment").set_sorted()  # so that whatever is computed over it takes slices instead of looking up
    return pl.DataFrame(columns).select(
        texts.get_column("ticker"),
        pl.col("date").cast(pl.Date),
        "session",
        in_order,
        *("age", "traded", *PRICES, "volume"),
        pl.col("volume_weighted_average_price").fill_nan(None),
        *texts.get_columns()[1:],
    )


def _report(counts: np.ndarray) -> PanelReport:
    set_aside = dict[str, int](zip(VERDICTS, counts["verdicts"].sum(axis=0).tolist(), strict=True))
    good = set_aside.pop("good")
    return PanelReport(
        bars=good + sum(set_aside.values()),
        set_aside=set_aside,
        repaired_ranges=int(counts["repaired"].sum()),
        filled_sessions=int(counts["rows"].sum()) - good,
        segments=int(counts["segments"].sum()),
        tickers=int((counts["segments"] > 0).sum()),
    )
