"""Earnings features: a company that moved on news a quarter, half a year or a year ago is due to move again.

They are made of spikes (a large return on a large volume) and the calendar. No announcement date is read: companies
report on nearly the same weekday every 13 weeks, which their bars show. No session after the row's own is used.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, Self, cast

import numpy as np
import polars as pl

from internal.bar_kernels.library import History, Moves, find_function, load_volatility
from internal.dates import next_session, sessions_frame
from internal.features.segment_means import segment_lengths
from internal.features.windows import HORIZON

DAYS_BACK: Final = (91, 182, 273, 364)
LARGE: Final = 4.0  # such as twice the usual move on twice the usual volume
LARGEST_SIZE: Final = 8.0  # of a return in units of volatility
SMALLEST_SURPRISE, LARGEST_SURPRISE = -1.0, 3.0  # of a volume, logarithms
LARGEST_SPIKE: Final = 30.0
EARNINGS_INPUT_COUNT: Final = len(DAYS_BACK) + 3 + 2


def earnings_features(frame: pl.DataFrame) -> Iterator[np.ndarray]:
    """For each of the 7 sessions ahead, the spikes about 91, 182, 273 and 364 days before it.

    Args:
        frame: What `variables.observe` returns. **Guard:** the nearest day that is read is 91 - 7 days and a session
            before the row, never after it.

    Yields:
        f64 [row, 9]: log of one plus the spike at each of the four days; whether at least one, two, three were large;
        the second and third smallest. Zero where history does not reach back far enough.
    """
    return earnings_features_at(add_spikes(frame, MarketMedians.of(frame)), np.arange(frame.height))


def earnings_features_at(prepared: pl.DataFrame, rows: np.ndarray) -> Iterator[np.ndarray]:
    """`earnings_features` at some rows, i64 [row], of whole segments of a frame from `add_spikes`."""
    table, first = tabulate_earnings_features(prepared, rows)
    for step in range(HORIZON):
        yield table[first + step]


def tabulate_earnings_features(prepared: pl.DataFrame, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`earnings_features_at` without repetition: a session ahead of several rows of a segment has one set of features.

    Returns:
        The features of each such session, f64 [session ahead, 9], and for each row the place of its first session
        ahead, i64 [row]; the places of the others follow it.
    """
    lengths, days = segment_lengths(prepared), prepared.get_column("date")
    backs = _sessions_back(cast("date", days.min()), cast("date", days.max()))
    session = prepared.get_column("session").to_numpy()
    begun = session[np.cumsum(lengths) - lengths] - session.min(initial=np.iinfo(np.int64).max)
    if (begun + lengths + HORIZON).max(initial=0) > backs.shape[1]:
        raise ValueError("a segment has more sessions than the calendar")
    asked = np.zeros(prepared.height, np.uint8)
    asked[rows] = 1
    spikes = np.ascontiguousarray(prepared.get_column("spike").to_numpy())
    found = np.empty((len(DAYS_BACK), min(len(rows) * HORIZON, len(spikes) + HORIZON * len(lengths))))
    first = np.empty(len(spikes), np.int64)
    columns = (array.ctypes.data for array in (spikes, asked, lengths, begun))
    history = History(*columns, len(lengths), backs.ctypes.data, backs.shape[1], HORIZON)
    kernels, stride = load_volatility(), found.shape[1]
    count = kernels.find_spikes(ctypes.byref(history), stride, found.ctypes.data, first.ctypes.data)
    features, sizes = np.empty((count, EARNINGS_INPUT_COUNT)), np.empty_like(found)
    np.log1p(found[:, :count], out=sizes[:, :count])
    kernels.fill_features(found.ctypes.data, sizes.ctypes.data, stride, count, LARGE, features.ctypes.data)
    return features, first[rows]


@dataclass(frozen=True)
class MarketMedians:
    """The medians over a session's tickers of what spikes are made of, from the panel's first session to its last.

    Attributes:
        first: The number of the first session.
        change: Of the log return, f64 [session]; NaN where none is known.
        surprise: Of the volume surprise, f64 [session].
    """

    first: int
    change: np.ndarray
    surprise: np.ndarray

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """Of an observed panel."""
        session = frame.get_column("session")
        first, last = (int(number) if isinstance(number, int) else -1 for number in (session.min(), session.max()))
        columns = frame.select("session", "log_return", "past_volume_surprise")  # more would be copied
        found = columns.group_by("session").agg(pl.all().median())
        every = pl.DataFrame({"session": np.arange(first, last + 1, dtype=np.int64)})
        by_session = every.join(found, on="session", how="left", maintain_order="left")
        return cls(first, *(by_session.get_column(name).to_numpy() for name in ("log_return", "past_volume_surprise")))


def add_spikes(segments: pl.DataFrame, medians: MarketMedians) -> pl.DataFrame:
    """Whole segments of a panel with the column `spike`; afterwards no segment depends on another.

    A spike is |return| in units of the volatility known before it, x volume in units of its mean, at most 30. The
    date's median is subtracted from both: news that moved every ticker is no company's earnings.
    """
    names = ("log_return", "past_volume_surprise", "volatility")
    columns = [np.ascontiguousarray(segments.get_column(name).to_numpy(), np.float64) for name in names]
    session = np.ascontiguousarray(segments.get_column("session").to_numpy(), np.int64)
    lengths, spikes = segment_lengths(segments), np.empty(segments.height)
    usual = [np.ascontiguousarray(values, np.float64) for values in (medians.change, medians.surprise)]
    first, last = session.min(initial=medians.first), session.max(initial=medians.first - 1)
    if first < medians.first or not last - medians.first < len(medians.change) == len(medians.surprise):
        raise ValueError("the medians are of other sessions")
    given = Moves(
        *(array.ctypes.data for array in (*columns, session, lengths)),
        *(len(lengths), medians.first),
        *(array.ctypes.data for array in usual),
        *(LARGEST_SIZE, SMALLEST_SURPRISE, LARGEST_SURPRISE, LARGEST_SPIKE),
        find_function("exp"),
    )
    load_volatility().find_moves(ctypes.byref(given), spikes.ctypes.data)
    return segments.with_columns(spike=pl.Series(spikes))


@lru_cache(maxsize=4)  # the parts of a panel have the same first and last day, most of them
def _sessions_back(first: date, last: date) -> np.ndarray:
    """How many sessions back each of DAYS_BACK is, or the last session before that day, i64 [day back, session].

    Args:
        first: The first session. A day back before it is further back than any row has history.
        last: The last session; the HORIZON sessions after it are included.
    """
    days = sessions_frame(first, next_session(last, HORIZON)).get_column("date").to_numpy().astype("datetime64[D]")
    backs = np.empty((len(DAYS_BACK), len(days)), np.int64)
    for place, back in enumerate(DAYS_BACK):
        earlier = np.searchsorted(days, days - np.timedelta64(back, "D"), side="right") - 1
        backs[place] = np.where(earlier >= 0, np.arange(len(days)) - earlier, len(days) + HORIZON)
    return backs
