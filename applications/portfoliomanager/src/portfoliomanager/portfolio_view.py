"""The current portfolio: the broker's positions and totals beside the journal's last run.

Knows how both become one answer. Changes nothing.
"""

from typing import Any

import polars as pl

from internal.errors import NotFoundError
from internal.performance import gross_exposure, net_exposure
from portfoliomanager.ports import Broker, Journal


def current_portfolio(broker: Broker, journal: Journal) -> dict[str, Any]:
    """The answer of GET /portfolios/current; dollars, exposures as fractions of net asset value.

    Raises NotFoundError before the first portfolio.
    """
    runs = journal.rebalances()
    if not runs:
        raise NotFoundError("there is no portfolio yet: POST /portfolios builds one")
    account = broker.account()
    totals = account.long_market_value, account.short_market_value, account.net_asset_value
    return {
        "as_of": broker.moment(),
        "portfolio_id": runs[-1].portfolio_id,
        "net_asset_value": account.net_asset_value,
        "cash": account.cash,
        "gross_exposure": gross_exposure(*totals),
        "net_exposure": net_exposure(*totals),
        "long_market_value": account.long_market_value,
        "short_market_value": account.short_market_value,
        "positions": _positions(broker.positions()).to_dicts(),
    }


def _positions(positions: pl.DataFrame) -> pl.DataFrame:
    return positions.select(
        "ticker",
        pl.when(pl.col("quantity") > 0).then(pl.lit("long")).otherwise(pl.lit("short")).alias("side"),
        pl.col("quantity").abs(),
        pl.col("average_entry_price").alias("entry_price"),
        pl.col("current_price").alias("price"),
        "market_value",
        pl.col("unrealized_profit").alias("unrealized_gain"),
    )
