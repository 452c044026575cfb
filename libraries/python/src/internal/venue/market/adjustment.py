"""Back-adjusts bars for splits: what a share of that day is in shares of today.

Knows bars and splits as frames. Which splits count (those up to the reader's day) is the caller's choice. Dividends
are left alone, as the vendor leaves them.
"""

import polars as pl

PRICES = ("open", "high", "low", "close", "volume_weighted_average_price")


def adjust_for_splits(bars: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Divide prices and multiply volume by every split that was executed after the bar's day.

    Args:
        bars: the columns of `equity_bars`, any tickers and days.
        splits: ticker, execution_date, split_from, split_to; a 20 for 1 split is from 1 to 20.

    Returns:
        The bars in their order; prices to 6 decimals, volume in today's shares.
    """
    ratio = (pl.col("split_to") / pl.col("split_from")).cum_prod(reverse=True).over("ticker")
    ahead = splits.sort("ticker", "execution_date").select("ticker", "execution_date", ratio.alias("ratio"))
    factor = pl.col("ratio").fill_null(1.0)
    return (
        bars.with_row_index("position")
        .sort("date")
        .join_asof(
            ahead.sort("execution_date"),
            left_on="date",
            right_on="execution_date",
            by="ticker",
            strategy="forward",
            check_sortedness=False,  # both are sorted above; by ticker polars cannot check it
            allow_exact_matches=False,  # the execution date itself trades split already
        )
        .sort("position")
        .with_columns((pl.col(PRICES) / factor).round(6), pl.col("volume") * factor)
        .select(bars.columns)
    )
