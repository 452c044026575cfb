"""A market's corporate actions as one table, `internal.schemas.corporate_actions`, as known on a day."""

from datetime import date
from functools import lru_cache

import polars as pl

from internal.venue.market.action_frame import actions_frame
from internal.venue.market.protocol import MarketData


def read_known_actions(market: MarketData, today: date) -> pl.DataFrame:
    """Every action that was announced by the day, those that take effect later included.

    An action without a declaration date is announced by taking effect.
    """
    return _read_actions(market).filter(pl.coalesce("declaration_date", "effective_date") <= today)


@lru_cache(maxsize=2)
def _read_actions(market: MarketData) -> pl.DataFrame:
    """Every action of the market, the future ones included."""
    return actions_frame(market.corporate_actions(market.sessions()[0], market.sessions()[-1]))
