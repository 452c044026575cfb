"""Corporate actions between a decision's close and now: the broker counts new shares, the decision's prices are old."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from internal.dates import exchange_day
from internal.trading.ports import MarketData


def fetch_ratios_since(data: MarketData, day: date, moment: datetime) -> Mapping[str, float]:
    """By ticker that an action changed, new shares of it for one share of the day.

    Empty on the day itself, when the data service is not asked.
    """
    ratios: dict[str, float] = {}
    if (today := exchange_day(moment)) > day:
        for action in data.corporate_actions(day + timedelta(days=1), today):
            ratios[action.ticker] = ratios.get(action.ticker, 1.0) * action.ratio
    return ratios
