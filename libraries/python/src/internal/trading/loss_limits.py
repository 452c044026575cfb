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


def find_loss(report: PerformanceReport, limits: RiskLimits) -> LossBreach | None:
    """The strongest limit on losses that the newest value exceeds; None when none is.

    What was paid in or out is no gain and no loss. The day's loss is measured from the last value of an earlier
    day, else from the first of all.
    """
    if not report.points:
        return None
    values = [1 + point.total_return for point in report.points]
    fall = 1 - values[-1] / max(values) + ROUNDING
    if fall >= limits.drawdown_halt:
        return _breach(LimitKind.DRAWDOWN_HALT, fall, limits.drawdown_halt, "from its highest value")
    if fall >= limits.drawdown_reduce:
        return _breach(LimitKind.DRAWDOWN_REDUCE, fall, limits.drawdown_reduce, "from its highest value")
    today = exchange_day(report.points[-1].timestamp)
    before = [one for one, point in zip(values, report.points, strict=True) if exchange_day(point.timestamp) < today]
    loss = 1 - values[-1] / (before[-1] if before else values[0]) + ROUNDING
    return _breach(LimitKind.DAILY_LOSS, loss, limits.daily_loss, "today") if loss >= limits.daily_loss else None


def _breach(limit: LimitKind, fall: float, allowed: float, since: str) -> LossBreach:
    return LossBreach(limit, f"the fund has lost {fall:.2%} {since}; the limit is {allowed:.2%}")
