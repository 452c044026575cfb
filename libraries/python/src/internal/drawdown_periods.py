"""Drawdown periods: from each peak to its deepest point and to the session that recovered it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from internal.performance import Numbers, drawdowns


@dataclass(frozen=True)
class Drawdown:
    """One fall below a peak.

    Attributes:
        peak: The last session at the peak.
        trough: The session of the deepest value.
        recovered: The first session at or above the peak again; None when that has not happened.
        depth: The fall to the deepest value, a positive fraction of the peak.
        sessions_to_trough: From the peak.
        sessions_to_recovery: From the deepest value; None without a recovery.
    """

    peak: date
    trough: date
    recovered: date | None
    depth: float
    sessions_to_trough: int
    sessions_to_recovery: int | None


def deepest_drawdowns(days: tuple[date, ...], values: Numbers, count: int = 5) -> tuple[Drawdown, ...]:
    """The deepest falls, deepest first.

    Args:
        days: The sessions.
        values: Net asset value of each, above zero, f64 [session]; none of them when one is not finite.
        count: How many at most.
    """
    if not np.isfinite(values).all():
        return ()
    return tuple(sorted(_periods(days, drawdowns(values)), key=lambda period: -period.depth)[:count])


def _periods(days: tuple[date, ...], depth: Numbers) -> Iterator[Drawdown]:
    """Each maximal run of sessions below the peak, with the session before it."""
    below = np.concatenate([[False], depth > 0, [False]])
    starts, ends = np.flatnonzero(~below[:-1] & below[1:]), np.flatnonzero(below[:-1] & ~below[1:])
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        trough = start + int(depth[start:end].argmax())
        recovered = end < len(days)
        yield Drawdown(
            peak=days[start - 1],
            trough=days[trough],
            recovered=days[end] if recovered else None,
            depth=float(depth[trough]),
            sessions_to_trough=trough - start + 1,
            sessions_to_recovery=end - trough if recovered else None,
        )
