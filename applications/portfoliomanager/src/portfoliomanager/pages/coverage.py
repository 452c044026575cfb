"""Coverage over time, smoothed: one session's figure is mostly chance, because its tickers move together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from internal.forecasting.held_out_bands import SessionCoverage

SMOOTHED_SESSIONS = 20


@dataclass(frozen=True)
class CoverageRow:
    """The mean coverage of the sessions up to a day, of all rows and of their thirds by volatility."""

    day: date
    whole: float | None
    calm: float | None
    middle: float | None
    volatile: float | None


def smooth_coverage(sessions: Sequence[SessionCoverage]) -> tuple[CoverageRow, ...]:
    """Means over the last 20 sessions, oldest first; the first of them where there are fewer over those."""
    first = min(SMOOTHED_SESSIONS, len(sessions))
    return (
        tuple(_average(sessions[max(0, end - SMOOTHED_SESSIONS) : end]) for end in range(first, len(sessions) + 1))
        if sessions
        else ()
    )


def _average(part: Sequence[SessionCoverage]) -> CoverageRow:
    return CoverageRow(
        part[-1].day,
        _mean([one.whole for one in part]),
        _mean([one.calm for one in part]),
        _mean([one.middle for one in part]),
        _mean([one.volatile for one in part]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
