"""The model's variables: observed of a ticker at a session, or known in advance from the calendar.

An observed variable of session t uses sessions up to t; a known variable uses the exchange's published calendar alone.
"""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import polars as pl

from internal.dates import sessions_frame

PRICE_VARIABLES: Final = ("open", "high", "low", "close", "volume_weighted_average_price")
OBSERVED_VARIABLES: Final = (
    *PRICE_VARIABLES,
    "volume_surprise",
    "daily_return",
    "recent_volatility",
    "range_volatility",
)
KNOWN_VARIABLES: Final = (
    "day_of_week",
    "day_of_month",
    "month_of_quarter",
    "days_since_previous_session",
    "days_until_next_session",
    "holiday_next",
)
STATIC_VARIABLES: Final = ("ticker", "sector", "industry")
DESCRIPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "open": "log ratio of the open to the close before",
        "high": "log ratio of the high to the close before",
        "low": "log ratio of the low to the close before",
        "close": "log ratio of the close to the close before",
        "volume_weighted_average_price": "log ratio of the session's average price to the close before",
        "volume_surprise": "log volume against its mean over the 20 sessions before",
        "daily_return": "simple return since the close before",
        "recent_volatility": "volatility of the last 5 sessions against the trailing one",
        "range_volatility": "volatility from prices within the last 22 sessions against the trailing one",
        "day_of_week": "Monday to Friday",
        "day_of_month": "1 to 31",
        "month_of_quarter": "first, second or third",
        "days_since_previous_session": "calendar days since the session before",
        "days_until_next_session": "calendar days until the session after",
        "holiday_next": "whether the exchange is closed on the next weekday",
        "ticker": "the ticker itself, among those of the training",
        "sector": "the company's sector",
        "industry": "the company's industry",
    }
)
"""What each variable is, for people."""

READ_BY_NETWORKS_ALONE: Final = (
    "volume_weighted_average_price",
    "industry",
    *(f"past_{price}" for price in ("high", "low", "close", "volume_weighted_average_price")),
    *(f"past_{length}_volatility" for length in ("recent", "range")),
)

DECAY: Final = 0.94
RECENT_SHARE: Final = 0.5
LONG_RUN_SESSIONS: Final = 252
VOLATILITY_MINIMUM_SESSIONS: Final = 20
VOLATILITY_FLOOR: Final = 1e-3
VOLUME_SESSIONS: Final = 20
PART_ROWS: Final = 2**17


def observe(frame: pl.DataFrame, *, for_networks: bool = True) -> pl.DataFrame:
    """Add to a panel's frame the observed variables, named `past_<variable>`, and the trailing `volatility`.

    Prices become log ratios to the previous close. `volatility` is the daily one, a fraction: half an exponentially
    weighted one (decay 0.94, RiskMetrics 1996), half the root mean square of the last 252 sessions, never below 0.1 %;
    null before 20 sessions. A session that carries the last close has ratios of zero and no volume surprise.

    Args:
        frame: `Panel.frame`, sorted by ticker and date.
        for_networks: Whether a network reads it; a third of its memory is of columns that no baseline reads.

    Returns:
        The frame with `log_return`, `volatility` and `past_*`, f64; a segment's first row has nulls.
    """
    unread = () if for_networks else READ_BY_NETWORKS_ALONE
    frame = frame.drop(unread, strict=False)

    def observe_part(rows: slice) -> pl.DataFrame:
        return _observe_segments(frame[rows], unread)

    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # Polars gives one thread to what is computed over segments
        parts = list(pool.map(observe_part, _split_segments(frame)))
    return frame.with_columns(_join_columns(parts))


def _split_segments(frame: pl.DataFrame) -> list[slice]:
    """Parts of whole segments, of about PART_ROWS rows; one of no rows when there are none."""
    ends = frame.get_column("segment").rle().struct.field("len").cast(pl.Int64).cum_sum()
    inner = ends.filter((ends // PART_ROWS).diff(-1) < 0)  # each where the next segment ends in another part
    return [slice(first, last) for first, last in pairwise([0, *inner.to_list(), frame.height])]


def _join_columns(parts: list[pl.DataFrame]) -> list[pl.Series]:
    """The columns of all parts; those of the parts are joined and released one by one."""
    names, columns = parts[0].columns, [part.get_columns() for part in parts]
    parts.clear()
    return [pl.concat([part.pop(0) for part in columns], rechunk=True) for _ in names]


def _observe_segments(frame: pl.DataFrame, unread: Collection[str]) -> pl.DataFrame:
    """What `observe` adds, but the columns that are unread."""
    previous = pl.col("previous_close")
    ratios = {
        "past_volume_weighted_average_price": (_average_price() / previous).log(),
        **{f"past_{price}": (pl.col(price) / previous).log() for price in ("open", "high", "low")},
        "past_close": pl.col("log_return"),
        "past_volume_surprise": _volume_surprise(),
        "past_daily_return": pl.col("close") / previous - 1,
    }
    against_trailing = {
        "past_recent_volatility": (_root_mean_square(5) / pl.col("volatility")).log().clip(-3, 3),
        "past_range_volatility": (_range_volatility(22) / pl.col("volatility")).log().clip(-3, 3),
    }
    return (
        frame.with_columns(previous_close=pl.col("close").shift(1).over("segment"))
        .with_columns(log_return=(pl.col("close") / previous).log())
        .with_columns(**{name: ratio for name, ratio in ratios.items() if name not in unread})
        .with_columns(volatility=trailing_volatility())
        .with_columns(**{name: ratio for name, ratio in against_trailing.items() if name not in unread})
        .drop("previous_close", *frame.columns)
    )


def _average_price() -> pl.Expr:
    """The vendor's volume-weighted average price; the typical price where it is missing or outside low..high."""
    vendor = pl.col("volume_weighted_average_price")
    plausible = vendor.is_between(pl.col("low"), pl.col("high")).fill_null(value=False)
    return pl.when(plausible).then(vendor).otherwise((pl.col("high") + pl.col("low") + pl.col("close")) / 3)


def _volume_surprise() -> pl.Expr:
    """Log volume against its mean over the twenty sessions before; zero on a session that did not trade."""
    volume = pl.when(pl.col("traded")).then((pl.col("volume") + 1).log())
    usual = volume.rolling_mean(VOLUME_SESSIONS, min_samples=5).shift(1).over("segment")
    return pl.when(pl.col("traded")).then(volume - usual).otherwise(0.0).fill_null(0.0).clip(-5, 5)


def _root_mean_square(window: int) -> pl.Expr:
    square = pl.col("log_return").pow(2).rolling_mean(window, min_samples=min(window, VOLATILITY_MINIMUM_SESSIONS))
    return square.over("segment").clip(0).sqrt().clip(VOLATILITY_FLOOR)


def trailing_volatility(decay: float = DECAY, recent_share: float = RECENT_SHARE) -> pl.Expr:
    """The daily volatility: a share of an exponentially weighted one, the rest of a year's; a fraction."""
    squares = pl.col("log_return").pow(2)
    weighted = squares.ewm_mean(alpha=1 - decay, min_samples=VOLATILITY_MINIMUM_SESSIONS).over("segment").sqrt()
    long_run = _root_mean_square(LONG_RUN_SESSIONS)
    return (recent_share * weighted + (1 - recent_share) * long_run).clip(VOLATILITY_FLOOR)


def daily_range_variance() -> pl.Expr:
    """Garman and Klass' variance of a session (1980, eq. 20) plus the squared overnight gap, in squared log returns."""
    span = (pl.col("high") / pl.col("low")).log().pow(2) / 2
    body = (pl.col("close") / pl.col("open")).log().pow(2) * 0.38629436111989
    return (span - body).clip(0) + pl.col("past_open").pow(2)


def _range_volatility(window: int) -> pl.Expr:
    mean = daily_range_variance().rolling_mean(window, min_samples=min(window, VOLATILITY_MINIMUM_SESSIONS))
    return mean.over("segment").clip(0).sqrt().clip(VOLATILITY_FLOOR)


def known_frame(start: date, end: date) -> pl.DataFrame:
    """The calendar's variables of every session from start to end, named `future_<variable>`, about -1..1.

    Coarse on purpose: a day of the year or a month would let the model remember dates instead of learning.

    Returns:
        date and `future_*`, f64, one row a session.
    """
    margin = timedelta(days=10)
    day, weekday = pl.col("date"), pl.col("date").dt.weekday()
    since = (day - day.shift(1)).dt.total_days()
    until = (day.shift(-1) - day).dt.total_days()
    usual = pl.when(weekday == 5).then(3).otherwise(1)  # noqa: PLR2004 - ISO weekday: Friday is 5, Monday is 3 days on
    return (
        sessions_frame(start - margin, end + margin)
        .select(
            "date",
            future_day_of_week=(weekday - 3) / 2,
            future_day_of_month=(day.dt.day() - 16) / 15,
            future_month_of_quarter=((day.dt.month() - 1) % 3).cast(pl.Float64) - 1,
            future_days_since_previous_session=(since - 1) / 3,
            future_days_until_next_session=(until - 1) / 3,
            future_holiday_next=(until > usual).cast(pl.Float64),
        )
        .filter(pl.col("date").is_between(start, end))
        .with_columns(pl.col("^future_.*$").cast(pl.Float64))
    )
