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
CLOCK_INPUTS: Final = len(DAYS_BACK) + 3 + 2


def earnings_clock(frame: pl.DataFrame) -> Iterator[np.ndarray]:
    """For each of the 7 sessions ahead, what happened about 91, 182, 273 and 364 days before it.

    Args:
        frame: What `variables.observe` returns. **Guard:** the nearest day looked at lies 91 - 7 days and a session
            before the row, never after it.

    Yields:
        f64 [row, 9]: log of one plus the spike at each of the four; whether at least one, two, three were large; the
        second and third smallest. Zero where history does not reach.
    """
    spikes = _spikes(frame)
    session, age = frame.get_column("session").to_numpy(), frame.get_column("age").to_numpy()
    first, last = frame.select(pl.col("date").min(), last=pl.col("date").max()).row(0)
    days = sessions_frame(first, next_session(last, HORIZON)).get_column("date").to_numpy().astype("datetime64[D]")
    place = session - session.min()
    for step in range(1, HORIZON + 1):
        yield _inputs(np.stack([_at(spikes, age, place, step, _sessions_back(days, back)) for back in DAYS_BACK]))


def _spikes(frame: pl.DataFrame) -> np.ndarray:
    """|Return| in units of the volatility known before it, x volume in units of its mean, f64 [row]; at most 30.

    Both are less their date's median: news that moved every ticker is due again for none.
    """
    change, surprise = (
        pl.col(name) - pl.col(name).median().over("date") for name in ("log_return", "past_volume_surprise")
    )
    move = (change.abs() / pl.col("volatility").shift(1).over("segment")).clip(0, 8)
    spike = (move * surprise.clip(-1, 3).exp()).clip(0, 30)
    return frame.select(spike.fill_null(0.0)).to_series().to_numpy()


def _sessions_back(days: np.ndarray, back: int) -> np.ndarray:
    """How many sessions before each session the one lies that is `back` days earlier, or the last before that day."""
    earlier = np.searchsorted(days, days - np.timedelta64(back, "D"), side="right") - 1
    return np.where(earlier >= 0, np.arange(len(days)) - earlier, len(days) + HORIZON)


def _at(spikes: np.ndarray, age: np.ndarray, place: np.ndarray, step: int, back: np.ndarray) -> np.ndarray:
    """The largest spike within a session of the day that lies `back` sessions before the target session, f64 [row]."""
    distance = back[place + step] - step
    rows = np.arange(len(spikes))
    found = [np.where(age >= distance - off, spikes[np.maximum(rows - distance + off, 0)], 0.0) for off in DAYS_OFF]
    return np.asarray(np.max(found, axis=0))


def _inputs(spikes: np.ndarray) -> np.ndarray:
    """Spikes f64 [day back, row] to the regression's inputs, f64 [row, 9]."""
    large = (spikes > LARGE).sum(axis=0)
    counted = [(large >= many).astype(np.float64) for many in (1, 2, 3)]
    return np.stack([*np.log1p(spikes), *counted, *np.log1p(np.sort(spikes, axis=0)[1:3])], axis=1)
