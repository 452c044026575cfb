"""Polygon's splits and dividends as rows of the market data port (`ACTION_SCHEMA`). Pure."""

from collections.abc import Iterable

import polars as pl

from datamanager.adapters.polygon_frames import make_frame
from datamanager.ports import ACTION_SCHEMA
from internal.action_kinds import ActionKind

VENDOR_SPLITS = pl.Schema(
    {
        "id": pl.String,
        "ticker": pl.String,
        "execution_date": pl.Date,
        "split_from": pl.Float64,
        "split_to": pl.Float64,
        "adjustment_type": pl.String,  # forward_split, reverse_split, stock_dividend; the deprecated list lacks it
    }
)
VENDOR_DIVIDENDS = pl.Schema(
    {
        "id": pl.String,
        "ticker": pl.String,
        "ex_dividend_date": pl.Date,
        "declaration_date": pl.Date,
        "record_date": pl.Date,
        "pay_date": pl.Date,
        "cash_amount": pl.Float64,
        "currency": pl.String,
        "distribution_type": pl.String,  # recurring, special, supplemental, irregular, unknown
        "dividend_type": pl.String,  # of the deprecated list: CD, SC, LT, ST
    }
)
REGULAR_DIVIDENDS = ("recurring", "unknown", "CD")


def make_actions_frame(source: str, splits: Iterable[object], dividends: Iterable[object]) -> pl.DataFrame:
    """The vendor's splits, stock dividends and cash dividends as received."""
    parts = (_make_splits(make_frame(splits, VENDOR_SPLITS)), _make_dividends(make_frame(dividends, VENDOR_DIVIDENDS)))
    columns = [pl.lit(source).alias("source"), pl.col("id").alias("action_id")]
    return pl.concat(
        part.with_columns(columns).select(
            (pl.col(name) if name in part.columns or name in {"source", "action_id"} else pl.lit(None))
            .cast(kind)
            .alias(name)
            for name, kind in ACTION_SCHEMA.items()
        )
        for part in parts
    )


def _make_splits(rows: pl.DataFrame) -> pl.DataFrame:
    """A stock dividend is stated as a split from 100 to 105: for 100 shares, 5 are received."""
    stock_dividend = pl.col("adjustment_type").eq_missing(ActionKind.STOCK_DIVIDEND.value)
    is_reverse = pl.col("split_to") < pl.col("split_from")
    received = pl.when(stock_dividend).then(pl.col("split_to") - pl.col("split_from")).otherwise("split_to")
    kind = (
        pl.when(stock_dividend)
        .then(pl.lit(ActionKind.STOCK_DIVIDEND.value))
        .when(is_reverse)
        .then(pl.lit(ActionKind.REVERSE_SPLIT.value))
        .otherwise(pl.lit(ActionKind.FORWARD_SPLIT.value))
    )
    return rows.with_columns(
        kind.alias("kind"),
        pl.col("execution_date").alias("effective_date"),
        pl.col("split_from").alias("old_shares"),
        received.alias("new_shares"),
    )


def _make_dividends(rows: pl.DataFrame) -> pl.DataFrame:
    kind = pl.coalesce("distribution_type", "dividend_type")
    return rows.with_columns(
        pl.lit(ActionKind.CASH_DIVIDEND.value).alias("kind"),
        pl.col("ex_dividend_date").alias("effective_date"),
        (~kind.is_in(REGULAR_DIVIDENDS)).fill_null(value=False).alias("special"),
    )
