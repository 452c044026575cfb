"""The risk limits by name, and what one of them did to a name of a decision."""

from enum import StrEnum
from typing import NamedTuple


class LimitKind(StrEnum):
    """A limit outside any strategy; as a setting it is `LIMIT_` and its name in capitals."""

    GROSS_EXPOSURE = "gross_exposure"
    NET_EXPOSURE = "net_exposure"
    NAME_WEIGHT = "name_weight"
    PARTICIPATION = "participation"
    SECTOR_WEIGHT = "sector_weight"
    BETA = "beta"
    ORDER_SIZE = "order_size"
    ORDERS_A_DAY = "orders_a_day"
    TURNOVER = "turnover"
    PRICE_COLLAR = "price_collar"
    CURRENT_BARS = "current_bars"
    CURRENT_FORECASTS = "current_forecasts"
    MISSING_SESSIONS = "missing_sessions"
    JOURNAL_DIFFERENCE = "journal_difference"
    DECIDED_SHARES = "decided_shares"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN_REDUCE = "drawdown_reduce"
    DRAWDOWN_HALT = "drawdown_halt"


class LimitCut(NamedTuple):
    """An increase that a limit made smaller, or an order that it kept from being sent."""

    ticker: str
    limit: LimitKind
