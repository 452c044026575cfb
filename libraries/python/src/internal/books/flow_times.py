"""When money that a broker dates by its day alone came or went: where the account's values show it.

Such a flow is given the midnight that begins its day. A withdrawal of the afternoon would be a gain of the morning and
a loss of the evening then, and no limit on losses can tell that loss from a real one.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

from internal.books.time_weighted import CENT, ExternalFlow, Valuation
from internal.dates import NEW_YORK, exchange_day


def place_flows(valuations: Sequence[Valuation], flows: Sequence[ExternalFlow]) -> list[ExternalFlow]:
    """The flows, those that begin a day at the valuation whose change since the one before they explain best.

    It is one of that day or the first after it; a flow that explains no change stays where it is.

    Args:
        valuations: Oldest first.
        flows: In any order.
    """
    dated = [flow for flow in flows if _is_dated(flow.moment)]
    if not dated:
        return list(flows)
    days = [exchange_day(one.moment) for one in valuations]
    changes = [after.pool - before.pool for before, after in pairwise(valuations)]
    placed = [flow for flow in flows if not _is_dated(flow.moment)]
    for flow in dated:
        best = _find_place(flow, days, changes)
        if best is not None:
            changes[best - 1] -= flow.amount
        placed.append(flow if best is None else replace(flow, moment=valuations[best].moment))
    return placed


def _find_place(flow: ExternalFlow, days: Sequence[date], changes: Sequence[float]) -> int | None:
    """The valuation at which the flow shows; None where it shows at none of them."""
    day = exchange_day(flow.moment)
    later = next((place for place, one in enumerate(days) if one > day), len(days))
    places = [place for place in range(1, min(later + 1, len(days))) if days[place] >= day]
    explained = {place: abs(changes[place - 1]) - abs(changes[place - 1] - flow.amount) for place in places}
    best = max(places, key=explained.__getitem__, default=None)
    return best if best is not None and explained[best] > CENT else None


def _is_dated(moment: datetime) -> bool:
    """Whether it is the midnight in New York that begins a day."""
    return moment.astimezone(ZoneInfo(NEW_YORK)).time() == time()
