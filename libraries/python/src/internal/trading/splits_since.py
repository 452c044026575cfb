"""Splits between a decision's close and now: the broker counts new shares, the decision's prices are of old ones."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from internal.trading.ports import MarketData


def fetch_splits_since(data: MarketData, day: date, moment: datetime) -> Mapping[str, float]:
    """By ticker, new shares for one share of the day; empty on the day itself, when the data service is not asked."""
    ratios: dict[str, float] = {}
    if moment.date() > day:
        for split in data.splits(day + timedelta(days=1), moment.date()):
            ratios[split.ticker] = ratios.get(split.ticker, 1.0) * split.shares
    return ratios
