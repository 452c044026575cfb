"""The model's variables: observed of a ticker at a session, or known in advance from the calendar.

An observed variable of session t uses sessions up to t; a known variable uses the exchange's published calendar alone.
"""

import ctypes
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

import numpy as np
import polars as pl

from internal.bar_kernels.library import ObservedFrom, Trailing, Variables, find_function, load_variables
from internal.dates import sessions_frame
from internal.features.panel_rows import share_groups
from internal.features.segment_means import segment_lengths

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
READ: Final = {  # in the order of `panel` of variables.c
    **dict.fromkeys(("open", "high", "low", "close", "volume"), np.float64),
    "traded": np.bool_,
    "volume_weighted_average_price": np.float64,
}
FILLED_IN: Final = (  # in the order of `variables` of variables.c; networks alone read the last five
    *("log_return", "past_open", "past_volume_surprise", "past_daily_return", "volatility", "range_variance"),
    *("past_volume_weighted_average_price", "past_high", "past_low"),
    *("past_recent_volatility", "past_range_volatility"),
)
ADDED: Final = (
    "log_return",
    *(f"past_{name}" for name in ("volume_weighted_average_price", "open", "high", "low", "close")),
    *("past_volume_surprise", "past_daily_return", "volatility", "range_variance"),
    *("past_recent_volatility", "past_range_volatility"),
)


def find_moving(frame: pl.DataFrame) -> np.ndarray:
    """Which rows of an observed panel say something about how far others will move, bool [row].

    A ticker whose trailing volatility is at its floor (a cash offer, a blank-check company, a fund of short bonds)
    moves by ticks. True where its volatility is not known.
    """
    still = (pl.col("volatility") <= VOLATILITY_FLOOR).fill_null(value=False)
    return frame.select(~still).to_series().to_numpy()


def observe(frame: pl.DataFrame, *, for_networks: bool = True) -> pl.DataFrame:
    """Add to a panel's frame the observed variables, named `past_<variable>`, and the trailing `volatility`.

    Prices become log ratios to the previous close. `volatility` is the daily one, a fraction: half an exponentially
    weighted one (decay 0.94, RiskMetrics 1996), half the root mean square of the last 252 sessions, never below 0.1 %;
    null before 20 sessions. `range_variance` is Garman and Klass' of the session plus the squared overnight gap, in
    squared log returns. A session that carries the last close has ratios of zero and no volume surprise.

    Args:
        frame: `Panel.frame`, sorted by ticker and date.
        for_networks: Whether a network reads it; a third of its memory is of columns that no baseline reads.

    Returns:
        The frame with `log_return`, `volatility`, `range_variance` and `past_*`, f64; a segment's first row has nulls.
    """
    unread = () if for_networks else READ_BY_NETWORKS_ALONE
    frame = frame.drop(unread, strict=False)
    observed = {name: np.empty(frame.height) for name in FILLED_IN if name not in unread}
    read = [
        np.ascontiguousarray(frame.get_column(name).to_numpy(), kind)
        for name, kind in READ.items()
        if name not in unread
    ]
    _fill_in(read, np.cumsum(segment_lengths(frame)), observed)
    columns = {name: pl.Series(name, observed.pop(name)).fill_nan(None) for name in list(observed)}  # not held twice
    columns["past_close"] = columns["log_return"].alias("past_close")
    return frame.with_columns(columns[name] for name in ADDED if name not in unread)


def _fill_in(read: list[np.ndarray], ends: np.ndarray, observed: dict[str, np.ndarray]) -> None:
    """Fill in the variables, f64 [row] each, NaN where not known, in C; those of a segment depend on it alone.

    Logarithms are those of the C library, which Polars takes too.
    """
    load_variables()  # by one thread, which may have to compile it
    functions = find_function("log"), find_function("sqrt")
    given = ObservedFrom(ends.ctypes.data, *functions, *(array.ctypes.data for array in read))
    by = Trailing(DECAY, RECENT_SHARE, VOLATILITY_FLOOR, LONG_RUN_SESSIONS, VOLATILITY_MINIMUM_SESSIONS)
    written = Variables(*(array.ctypes.data for array in observed.values()))

    def observe_part(part: tuple[int, int]) -> None:
        load_variables().observe_rows(ctypes.byref(given), ctypes.byref(by), *part, ctypes.byref(written))

    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        list(pool.map(observe_part, share_groups(ends)))


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
