"""Coverage of an interval after the sharpest rise of volatility among the scored sessions."""

from typing import Final

import numpy as np
import polars as pl

from internal.dates import next_session
from internal.forecasting.held_out_coverage import SESSIONS_BEFORE, BreakCoverage
from models.group_means import average_groups
from models.truth import Truth

AFTER: Final = 5
LEAST_RISE: Final = 2.0  # on real bars of 2015 to 2018: five times in three and a half years
COUNTED: Final = 60
LEAST_MOVE: Final = 1e-6  # prices that stand still are no calm that a break could end


def measure_break(truth: Truth, inside: np.ndarray, thirds: pl.Series) -> BreakCoverage | None:
    """Coverage at the first origins of the break, from the close of its first session on.

    Args:
        truth: The scored rows.
        inside: Share of each row's outcomes inside the interval, f64 [row].
        thirds: Each row's third of its date by volatility, 0 calm.

    Returns:
        None where volatility rose to less than LEAST_RISE times what it was, or in the first sessions, which it is
        measured against.
    """
    rows = pl.DataFrame(
        {
            "date": truth.dates,
            "move": np.abs(truth.daily[:, 0]),
            "inside": inside,
            "third": thirds,
        }
    )
    by_date = average_groups(rows.select("date", "move"), "date")
    days = by_date.get_column("date").to_list()
    found = find_sharpest_rise(by_date.get_column("move").to_numpy())
    if found is None:
        return None
    last_before, rise = found
    origins = days[last_before + 1 : last_before + 1 + COUNTED]
    counted = rows.filter(pl.col("date").is_in(origins))
    by_third = average_groups(counted.select("third", "inside"), "third").get_column("inside")
    whole = float(np.mean(counted.get_column("inside").to_numpy()))
    return BreakCoverage(next_session(days[last_before]), rise, len(origins), whole, tuple(by_third.to_list()))


def find_sharpest_rise(moves: np.ndarray) -> tuple[int, float] | None:
    """The origin before the first session of the sharpest rise, and how many times as large the moves were then.

    Args:
        moves: Mean absolute return of the session after each origin, f64 [origin].

    Returns:
        None where no five sessions moved LEAST_RISE times as much as the twenty before them.
    """
    places = range(SESSIONS_BEFORE, len(moves) - AFTER + 1)
    before = np.array([moves[place - SESSIONS_BEFORE : place].mean() for place in places])
    after = np.array([moves[place : place + AFTER].mean() for place in places])
    rises = np.where(before >= LEAST_MOVE, after / np.maximum(before, LEAST_MOVE), 0.0)
    if not len(rises) or rises.max() < LEAST_RISE:
        return None
    return SESSIONS_BEFORE + int(rises.argmax()), float(rises.max())
