"""Time-weighted return: the growth of a dollar that stayed in the fund, whatever was paid in and out meanwhile.

Each period between two valuations has the return of the modified Dietz method, and the periods are linked
(CFA Institute, Global Investment Performance Standards, 2020, provision 2.A.25 and its guidance on external flows).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from internal.dates import session_close, session_open, sessions

CENT: Final = 0.01  # dollars; a value below it is nothing


@dataclass(frozen=True, slots=True)
class Valuation:
    """What the fund is worth at a moment (UTC); dollars.

    `pool` is the part of the account that gains are measured on: the fund's own part where it uses all of it, more than
    `value` where the fund may use only some of its capital.
    """

    moment: datetime
    value: float
    pool: float


@dataclass(frozen=True, slots=True)
class ExternalFlow:
    """Dollars that came into the pool (positive) or left it at a moment (UTC), and are no performance."""

    moment: datetime
    amount: float


def link_returns(valuations: Sequence[Valuation], flows: Sequence[ExternalFlow]) -> NDArray[np.float64]:
    """What a dollar of the first valuation is worth at each, f64 [valuation]; it starts at 1.

    A period without capital changes nothing. A loss of more than everything counts as everything: the dollar is gone,
    and stays so.

    Args:
        valuations: Oldest first, each at a moment of its own.
        flows: In any order; those at or before the first valuation, and after the last, are not looked at. A flow at
            the moment of a valuation is contained in it.
    """
    ordered = sorted(flows, key=lambda flow: flow.moment)
    moments = [flow.moment for flow in ordered]
    growth = [
        1
        + period_return(before, after, ordered[slice(*(bisect_right(moments, one.moment) for one in (before, after)))])
        for before, after in pairwise(valuations)
    ]
    return np.cumprod(np.array([1.0, *growth][: len(valuations)]).clip(min=0.0))


def period_return(before: Valuation, after: Valuation, flows: Sequence[ExternalFlow]) -> float:
    """The gain between two valuations over the mean capital of the time in which there was any; 0 without capital.

    The time is that in which the market trades, because a flow between two sessions earns nothing before the next; in a
    period without trading it is the clock's.
    """
    gain = after.pool - before.pool - sum(flow.amount for flow in flows)
    capital = before.value + _used_share(before, after) * np.cumsum([0.0, *(flow.amount for flow in flows)])
    moments = [before.moment, *(flow.moment for flow in flows), after.moment]
    invested = capital >= CENT
    if not invested.any():
        return 0.0
    weights = _durations(moments) * invested
    mean = np.average(capital, weights=weights) if weights.any() else capital[invested][0]
    return float(gain / mean)


def _used_share(before: Valuation, after: Valuation) -> float:
    """What the fund uses of a dollar that comes in: a share of it, or nothing where its capital is at a bound."""
    change = after.pool - before.pool
    if abs(change) >= CENT:
        return min(max((after.value - before.value) / change, 0.0), 1.0)
    return before.value / before.pool if before.pool >= CENT else 0.0


def _durations(moments: Sequence[datetime]) -> NDArray[np.float64]:
    """Seconds between the moments, f64 [moments - 1]: of trading, or of the clock where there was none."""
    if len(moments) == 2:  # noqa: PLR2004 - without a flow the whole period has one capital, however long it is
        return np.ones(1)
    days = sessions(moments[0].date() - timedelta(days=1), moments[-1].date() + timedelta(days=1))
    hours = [(session_open(day), session_close(day)) for day in days]
    trading = np.array([sum(_overlap(start, end, *one) for one in hours) for start, end in pairwise(moments)])
    return trading if trading.any() else np.array([(end - start).total_seconds() for start, end in pairwise(moments)])


def _overlap(start: datetime, end: datetime, opened: datetime, closed: datetime) -> float:
    return max((min(end, closed) - max(start, opened)).total_seconds(), 0.0)
