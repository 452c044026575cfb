"""Earnings features: a company that moved on news a quarter, half a year or a year ago is due to move again.

They are made of spikes (a large return on a large volume) and the calendar. No announcement date is read: companies
report on nearly the same weekday every 13 weeks, which their bars show. No session after the row's own is used.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl

from internal.dates import next_session, sessions_frame
from internal.features.windows import HORIZON

DAYS_BACK: Final = (91, 182, 273, 364)
DAYS_OFF: Final = (-1, 0, 1)  # sessions that a report may come early or late
LARGE: Final = 4.0  # such as twice the usual move on twice the usual volume
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
    length = prepared.get_column("segment").rle().struct.field("len").cast(pl.Int64).to_numpy()
    reach = length + HORIZON  # i64 [segment], its sessions and the horizon after them: the targets
    age = np.arange(int(reach.sum())) - np.repeat(np.cumsum(reach) - reach, reach)  # i64 [target]
    own = np.flatnonzero(age < np.repeat(length, reach))  # i64 [row], the place of each row among the targets
    needed = np.zeros(len(age), bool)
    for step in range(1, HORIZON + 1):
        needed[own[rows] + step] = True
    table = _features(_find_spikes(prepared, reach, age, own, np.flatnonzero(needed)))
    return table, (np.cumsum(needed) - 1)[own[rows] + 1]


@dataclass(frozen=True)
class MarketMedians:
    """The medians over a session's tickers of what spikes are made of, from the panel's first session to its last.

    Attributes:
        first: The number of the first session.
        change: Of the log return, f64 [session]; null where none is known.
        surprise: Of the volume surprise, f64 [session].
    """

    first: int
    change: pl.Series
    surprise: pl.Series

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """Of an observed panel."""
        session = frame.get_column("session")
        first, last = (int(number) if isinstance(number, int) else -1 for number in (session.min(), session.max()))
        found = frame.group_by("session").agg(pl.col("log_return", "past_volume_surprise").median())
        every = pl.DataFrame({"session": np.arange(first, last + 1, dtype=np.int64)})
        by_session = every.join(found, on="session", how="left", maintain_order="left")
        return cls(first, by_session.get_column("log_return"), by_session.get_column("past_volume_surprise"))


def add_spikes(segments: pl.DataFrame, medians: MarketMedians) -> pl.DataFrame:
    """Whole segments of a panel with the column `spike`; afterwards no segment depends on another.

    A spike is |return| in units of the volatility known before it, x volume in units of its mean, at most 30. The
    date's median is subtracted from both: news that moved every ticker is no company's earnings.
    """
    place = segments.get_column("session") - medians.first
    change = pl.col("log_return") - medians.change.gather(place)
    surprise = pl.col("past_volume_surprise") - medians.surprise.gather(place)
    move = (change.abs() / pl.col("volatility").shift(1).over("segment")).clip(0, 8)
    spike = (move * surprise.clip(-1, 3).exp()).clip(0, 30)
    return segments.with_columns(spike=spike.fill_null(0.0))


def _sessions_back(days: np.ndarray, back: int) -> np.ndarray:
    """The distance in sessions from each session to the one `back` days earlier, or to the last before that day."""
    earlier = np.searchsorted(days, days - np.timedelta64(back, "D"), side="right") - 1
    return np.where(earlier >= 0, np.arange(len(days)) - earlier, len(days) + HORIZON)


def _find_spikes(
    prepared: pl.DataFrame, reach: np.ndarray, age: np.ndarray, own: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """The largest spike within one session of each day back, f64 [day back, target]; zero before the segment began.

    The horizon after a segment holds no spikes, so that another segment's are never within one session.
    """
    first, last = prepared.select(pl.col("date").min(), last=pl.col("date").max()).row(0)
    days = sessions_frame(first, next_session(last, HORIZON)).get_column("date").to_numpy().astype("datetime64[D]")
    session = prepared.get_column("session").to_numpy()
    begun = np.repeat((session - session.min())[age[own] == 0], reach)[targets]
    age, place = age[targets], begun + age[targets]  # i64 [target], in the segment and on the calendar
    spikes = np.zeros(reach.sum() + 3)  # two more in front and one behind, so that every place has neighbours
    spikes[own + 2] = prepared.get_column("spike").to_numpy()
    nearest = np.max([spikes[1 + off : 2 + off + reach.sum()] for off in DAYS_OFF], axis=0)  # from one before on
    backs = [_sessions_back(days, back)[place] for back in DAYS_BACK]
    return np.stack([np.where(back <= age + 1, nearest[np.maximum(targets + 1 - back, 0)], 0.0) for back in backs])


def _features(spikes: np.ndarray) -> np.ndarray:
    """Spikes f64 [day back, row] to earnings features, f64 [row, 9]."""
    large = (spikes > LARGE).sum(axis=0)
    counted = [(large >= many).astype(np.float64) for many in (1, 2, 3)]
    sizes = np.log1p(spikes)
    return np.stack([*sizes, *counted, *np.sort(sizes, axis=0)[1:3]], axis=1)
