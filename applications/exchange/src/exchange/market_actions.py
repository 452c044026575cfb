"""A market's corporate actions as one table, `internal.schemas.corporate_actions`, as known on a day."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import polars as pl

from exchange.statements import Statement, state_actions
from internal.venue.market.action_frame import actions_frame
from internal.venue.market.protocol import MarketData


def read_known_actions(market: MarketData, statements: Iterable[Statement], today: date) -> pl.DataFrame:
    """Every action that the vendor states on the day, those that take effect later included.

    An action without a declaration date is announced by taking effect.
    """
    known = _read_actions(market).filter(pl.coalesce("declaration_date", "effective_date") <= today)
    return state_actions(known, statements, today)


@lru_cache(maxsize=2)
def _read_actions(market: MarketData) -> pl.DataFrame:
    """Every action of the market, the future ones included."""
    return actions_frame(market.corporate_actions(market.sessions()[0], market.sessions()[-1]))
