"""The limits on what was lost: a loss in a day and a fall from the highest value, both time-weighted."""

from dataclasses import dataclass

from internal.dates import exchange_day
from internal.trading.limit_kinds import LimitKind
from internal.trading.limits import RiskLimits
from internal.trading.performance import PerformanceReport

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class LossBreach:
    """A limit on losses that is exceeded, and by how much, in words."""

    limit: LimitKind
    detail: str


@dataclass(frozen=True, slots=True)
class Losses:
    """What the newest value has lost, positive fractions; below zero is a gain.

    Attributes:
        today: Since the last value of an earlier day, else since the first of all.
        fall: From the highest value.
    """

    today: float
    fall: float


def measure_losses(report: PerformanceReport) -> Losses:
    """The losses of a report's newest value; without a value nothing is lost. What was paid in or out is neither."""
    if not report.points:
        return Losses(0.0, 0.0)
    values = [1 + point.total_return for point in report.points]
    today = exchange_day(report.points[-1].timestamp)
    before = [one for one, point in zip(values, report.points, strict=True) if exchange_day(point.timestamp) < today]
    return Losses(_lost_since(before[-1] if before else values[0], values[-1]), _lost_since(max(values), values[-1]))


def _lost_since(before: float, now: float) -> float:
    """The part of a value that is gone; of a fund that had lost everything nothing more is."""
    return 1 - now / before if before > 0 else 0.0


def find_loss(report: PerformanceReport, limits: RiskLimits) -> LossBreach | None:
    """The strongest limit on losses that the newest value exceeds; None when none is."""
    if not report.points:
        return None
    losses = measure_losses(report)
    fall, loss = losses.fall + ROUNDING, losses.today + ROUNDING
    if fall >= limits.drawdown_halt:
        return _breach(LimitKind.DRAWDOWN_HALT, fall, limits.drawdown_halt, "from its highest value")
    if fall >= limits.drawdown_reduce:
        return _breach(LimitKind.DRAWDOWN_REDUCE, fall, limits.drawdown_reduce, "from its highest value")
    return _breach(LimitKind.DAILY_LOSS, loss, limits.daily_loss, "today") if loss >= limits.daily_loss else None


def _breach(limit: LimitKind, fall: float, allowed: float, since: str) -> LossBreach:
    return LossBreach(limit, f"the fund has lost {fall:.2%} {since}; the limit is {allowed:.2%}")
