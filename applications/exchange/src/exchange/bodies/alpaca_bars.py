"""Alpaca's daily bars as JSON text, written by Polars: a page has 10,000 of them."""

import json

import polars as pl

from exchange.routes.alpaca_data_times import midnight_of

IEX_SHARE = 0.025  # of the consolidated volume, about what that exchange trades


def write_bars(rows: pl.DataFrame) -> str:
    """The rows of one symbol as a JSON list."""
    whole = rows.get_column("volume").eq(rows.get_column("volume").floor()).all()
    return rows.select(
        midnight_of("date").alias("t"),
        pl.col("open").alias("o"),
        pl.col("high").alias("h"),
        pl.col("low").alias("l"),
        pl.col("close").alias("c"),
        pl.col("volume").cast(pl.Int64 if whole else pl.Float64).alias("v"),
        pl.col("transactions").alias("n"),
        pl.col("volume_weighted_average_price").alias("vw"),
    ).write_json()


def write_bars_by_symbol(rows: pl.DataFrame, token: str | None) -> str:
    """`GET /v2/stocks/bars`."""
    parts = rows.partition_by("ticker", maintain_order=True)
    bars = ",".join(f"{json.dumps(part.item(0, 'ticker'))}:{write_bars(part)}" for part in parts)
    return f'{{"bars":{{{bars}}},"next_page_token":{json.dumps(token)}}}'


def write_bars_of_symbol(rows: pl.DataFrame, symbol: str, token: str | None) -> str:
    """`GET /v2/stocks/{symbol}/bars`."""
    bars = write_bars(rows) if rows.height else "null"
    return f'{{"bars":{bars},"symbol":{json.dumps(symbol)},"next_page_token":{json.dumps(token)}}}'


def take_iex_share(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the volume and trades of one exchange instead of all."""
    return rows.with_columns(
        (pl.col("volume") * IEX_SHARE).ceil(),
        (pl.col("transactions") * IEX_SHARE).ceil().cast(pl.Int64),
    )
