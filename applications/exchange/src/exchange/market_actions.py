"""A market's corporate actions as one table, `internal.schemas.corporate_actions`, as known on a day."""

from datetime import date
from functools import lru_cache
from hashlib import sha256

import polars as pl

from internal.schemas.corporate_actions import CORPORATE_ACTIONS_COLUMNS, ActionKind
from internal.venue.market.protocol import MarketData


def read_known_actions(market: MarketData, today: date) -> pl.DataFrame:
    """Every action that was announced by the day, those that take effect later included.

    An action without a declaration date is announced by taking effect.
    """
    return _read_actions(market).filter(pl.coalesce("declaration_date", "effective_date") <= today)


@lru_cache(maxsize=2)
def _read_actions(market: MarketData) -> pl.DataFrame:
    """Every action of the market, the future ones included."""
    first, last = market.sessions()[0], market.sessions()[-1]
    return pl.concat([_splits(market.splits(first, last)), _dividends(market.dividends(first, last))])


def _splits(splits: pl.DataFrame) -> pl.DataFrame:
    kind = (
        pl.when(pl.col("split_to") > pl.col("split_from"))
        .then(pl.lit(ActionKind.FORWARD_SPLIT.value))
        .otherwise(pl.lit(ActionKind.REVERSE_SPLIT.value))
    )
    return _complete(
        splits.select(
            "ticker",
            kind.alias("kind"),
            pl.col("execution_date").alias("effective_date"),
            pl.col("split_from").alias("old_shares"),
            pl.col("split_to").alias("new_shares"),
        )
    )


def _dividends(dividends: pl.DataFrame) -> pl.DataFrame:
    return _complete(
        dividends.select(
            "ticker",
            pl.lit(ActionKind.CASH_DIVIDEND.value).alias("kind"),
            pl.col("ex_dividend_date").alias("effective_date"),
            "cash_amount",
            "declaration_date",
            "record_date",
            "pay_date",
            pl.lit(value=False).alias("special"),
        )
    )


def _complete(actions: pl.DataFrame) -> pl.DataFrame:
    """The actions with every column of the table; an id is a digest of kind, ticker and day."""
    terms = actions.select(pl.concat_str("kind", "ticker", "effective_date", separator=":")).to_series()
    identified = actions.with_columns(
        pl.Series("action_id", [sha256(text.encode()).hexdigest() for text in terms], dtype=pl.String)
    )
    return identified.select(
        (pl.col(name) if name in identified.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in CORPORATE_ACTIONS_COLUMNS.items()
    )
