"""The earnings clock: a company that moved on news a quarter, half a year or a year ago is due to move again.

Knows spikes (a large return on a large volume) and the calendar. It is told no announcement date: companies report at
nearly the same weekday every 13 weeks, and their bars show it. Uses no session after the row's own.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from internal.dates import next_session, sessions_frame
from internal.features.windows import HORIZON

DAYS_BACK: Final = (91, 182, 273, 364)
DAYS_OFF: Final = (-1, 0, 1)  # sessions that a report may come early or late
LARGE: Final = 4.0  # such as twice the usual move on twice the usual volume
EARNINGS_INPUT_COUNT: Final = len(DAYS_BACK) + 3 + 2


def earnings_features(frame: pl.DataFrame) -> Iterator[np.ndarray]:
    """For each of the 7 sessions ahead, what happened about 91, 182, 273 and 364 days before it.

    Args:
        frame: What `variables.observe` returns. **Guard:** the nearest day looked at lies 91 - 7 days and a session
            before the row, never after it.

    Yields:
        f64 [row, 9]: log of one plus the spike at each of the four; whether at least one, two, three were large; the
        second and third smallest. Zero where history does not reach.
    """
    return earnings_features_at(add_spikes(frame), np.arange(frame.height))


def earnings_features_at(prepared: pl.DataFrame, rows: np.ndarray) -> Iterator[np.ndarray]:
    """`earnings_features` at some rows, i64 [row], of some whole segments of what `add_spikes` returned."""
    length = prepared.get_column("segment").rle().struct.field("len").cast(pl.Int64).to_numpy()
    reach = length + HORIZON  # i64 [segment], targets: the sessions that it can be asked about, once each
    age = np.arange(reach.sum()) - np.repeat(np.cumsum(reach) - reach, reach)  # i64 [target]
    own = np.flatnonzero(age < np.repeat(length, reach))  # i64 [row], where its rows are among the targets
    ahead = [own[rows] + step for step in range(1, HORIZON + 1)]
    asked = np.zeros(len(age), bool)
    for targets in ahead:
        asked[targets] = True
    inputs, place = _inputs(_looked_up(prepared, reach, age, own, np.flatnonzero(asked))), np.cumsum(asked) - 1
    for targets in ahead:
        yield inputs[place[targets]]


def add_spikes(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the column `spike`; afterwards segments stand alone.

    A spike is |return| in units of the volatility known before it, x volume in units of its mean, at most 30.
    Both are less their date's median: news that moved every ticker is due again for none.
    """
    change, surprise = (
        pl.col(name) - pl.col(name).median().over("date") for name in ("log_return", "past_volume_surprise")
    )
    move = (change.abs() / pl.col("volatility").shift(1).over("segment")).clip(0, 8)
    spike = (move * surprise.clip(-1, 3).exp()).clip(0, 30)
    return frame.with_columns(spike=spike.fill_null(0.0))


def _sessions_back(days: np.ndarray, back: int) -> np.ndarray:
    """How many sessions before each session the one lies that is `back` days earlier, or the last before that day."""
    earlier = np.searchsorted(days, days - np.timedelta64(back, "D"), side="right") - 1
    return np.where(earlier >= 0, np.arange(len(days)) - earlier, len(days) + HORIZON)


def _looked_up(
    prepared: pl.DataFrame, reach: np.ndarray, age: np.ndarray, own: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """The largest spike within a session of each day back, f64 [day back, target]; zero before the segment began.

    A segment's horizon holds no spikes, so that within a session of its days there are never another segment's.
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


def _inputs(spikes: np.ndarray) -> np.ndarray:
    """Spikes f64 [day back, row] to the regression's inputs, f64 [row, 9]."""
    large = (spikes > LARGE).sum(axis=0)
    counted = [(large >= many).astype(np.float64) for many in (1, 2, 3)]
    sizes = np.log1p(spikes)
    return np.stack([*sizes, *counted, *np.sort(sizes, axis=0)[1:3]], axis=1)
