"""Proportional back-adjustment of bars for corporate actions (docs/reference/frames.md, "Price adjustment")."""

from datetime import date

import polars as pl

from internal.action_kinds import ActionKind
from internal.factor_table import PRICES, FactorTable
from internal.last_closes import join_last_close
from internal.schemas.corporate_actions import DISTRIBUTIONS, dividends_of

FIRST_OPEN_WITHIN = "7d"  # of the effective date


def adjust_bars(
    bars: pl.LazyFrame, closes: pl.LazyFrame, splits: pl.LazyFrame, dividends: pl.LazyFrame, as_of: date
) -> pl.LazyFrame:
    """The bars with prices and volume brought to shares and dollars of `as_of`.

    Args:
        bars: unadjusted, columns of `equity_bars`.
        closes: ticker, date, close (unadjusted) from the first of the bars to `as_of`: a dividend is measured by the
            last close before its ex-date. One paid before the first close here touches no bar.
        splits: the table; prices of days before `execution_date` are multiplied by split_from / split_to, volume by
            the inverse.
        dividends: the table; prices of days before `ex_dividend_date` are multiplied by 1 - cash_amount / last close.
            An amount that is not below that close leaves no price to scale and is left out.
        as_of: **Guard:** actions that take effect after this day are not applied.
    """
    factors = FactorTable(find_factors(closes, splits, dividends, as_of).collect())
    return factors.apply(bars.sort("date", "ticker").collect()).lazy()


def find_factors(closes: pl.LazyFrame, splits: pl.LazyFrame, dividends: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """ticker, effective_date, split_factor, dividend_factor: products of the factors of that day and of later ones.

    Args:
        closes: As for `adjust_bars`, as are splits and dividends.
        splits: The table.
        dividends: The table.
        as_of: **Guard:** actions that take effect after this day have no factor.
    """
    split_factors = find_split_factors(splits.filter(pl.col("execution_date") <= as_of))
    dividend_factors = find_dividend_factors(
        dividends.filter(pl.col("ex_dividend_date") <= as_of), closes, split_factors
    )
    one = pl.lit(1.0)
    events = [
        split_factors.with_columns(one.alias("dividend_factor")).rename({"factor": "split_factor"}),
        dividend_factors.with_columns(one.alias("split_factor")).rename({"factor": "dividend_factor"}),
    ]
    return (
        pl.concat(events, how="diagonal")
        .sort("ticker", "effective_date")
        .with_columns(pl.col("split_factor", "dividend_factor").cum_prod(reverse=True).over("ticker"))
    )


def find_payments(actions: pl.LazyFrame, opens: pl.LazyFrame) -> pl.LazyFrame:
    """Cash dividends, and what spin-offs and rights gave in dollars a share, in `DIVIDENDS_COLUMNS`.

    Args:
        actions: Those in force, columns of `corporate_actions`.
        opens: ticker, date, open (unadjusted) up to the day that the reader may know: given shares are worth their
            first open within a week of the effective date. Those without one are left out.
    """
    given = actions.filter(
        pl.col("kind").is_in([kind.value for kind in DISTRIBUTIONS]), pl.col("new_ticker").is_not_null()
    )
    distributed = given.collect()
    if distributed.is_empty():
        return dividends_of(actions)
    tickers, days = distributed.get_column("new_ticker").to_list(), distributed.get_column("effective_date")
    first_opens = opens.filter(pl.col("ticker").is_in(tickers), pl.col("date") >= days.min()).select(
        pl.col("ticker").alias("new_ticker"), "date", "open"
    )
    valued = (
        distributed.lazy()
        .drop("cash_amount")
        .sort("effective_date")
        .join_asof(
            first_opens.sort("date"),
            left_on="effective_date",
            right_on="date",
            by="new_ticker",
            strategy="forward",
            tolerance=FIRST_OPEN_WITHIN,
            check_sortedness=False,
        )
        .filter(pl.col("open").is_not_null())
        .with_columns(
            (pl.col("open") * pl.col("new_shares") / pl.col("old_shares")).alias("cash_amount"),
            pl.lit(ActionKind.CASH_DIVIDEND.value).alias("kind"),
        )
    )
    return pl.concat([dividends_of(actions), dividends_of(valued)])


def adjust_for_splits(bars: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """The bars in shares of after the last split, as the vendor adjusts them: dividends are left alone.

    Args:
        bars: columns of `equity_bars`, any tickers and days.
        splits: the table, which holds no split that the reader may not know yet; a bar of the execution date itself is
            in new shares already.

    Returns:
        The bars in their order; prices to 6 decimals.
    """
    ratios = splits.lazy().select(
        "ticker",
        pl.col("execution_date").alias("effective_date"),
        (pl.col("split_to") / pl.col("split_from")).alias("factor"),
    )
    return (
        bars.lazy()
        .with_row_index("position")
        .sort("ticker", "date")
        .pipe(_with_later_product, ratios, "ratio", after="date")
        .with_columns((pl.col(PRICES) / pl.col("ratio")).round(6), pl.col("volume") * pl.col("ratio"))
        .sort("position")
        .select(bars.columns)
        .collect()
    )


def find_split_factors(splits: pl.LazyFrame) -> pl.LazyFrame:
    """ticker, effective_date, factor on the prices of days before it."""
    return splits.select(
        "ticker",
        pl.col("execution_date").alias("effective_date"),
        (pl.col("split_from") / pl.col("split_to")).alias("factor"),
    )


def find_dividend_factors(dividends: pl.LazyFrame, closes: pl.LazyFrame, split_factors: pl.LazyFrame) -> pl.LazyFrame:
    """ticker, effective_date, factor = 1 - cash_amount / the last close before the ex-date, in shares of the ex-date.

    Payments of one day, a regular and a special one, are added.

    The last close is unadjusted but for a split that takes effect after it and by the ex-date: a dividend is paid on
    the shares of its ex-date.
    """
    split_since_close = pl.col("split_after_close") / pl.col("split_after_ex_date")
    payments = dividends.group_by("ticker", pl.col("ex_dividend_date").alias("effective_date")).agg(
        pl.col("cash_amount").sum()
    )
    return (
        join_last_close(payments.collect(), closes)
        .lazy()
        .filter(pl.col("close").is_not_null())
        .pipe(_with_later_product, split_factors, "split_after_close", after="close_date")
        .pipe(_with_later_product, split_factors, "split_after_ex_date", after="effective_date")
        .with_columns((1 - pl.col("cash_amount") / (pl.col("close") * split_since_close)).alias("factor"))
        .filter(pl.col("factor") > 0)
        .select("ticker", "effective_date", "factor")
    )


def _with_later_product(frame: pl.LazyFrame, factors: pl.LazyFrame, name: str, *, after: str) -> pl.LazyFrame:
    """The frame with a column `name`: the product of the factors that take effect strictly after the day in `after`."""
    products = (
        factors.sort("ticker", "effective_date")
        .with_columns(pl.col("factor").cum_prod(reverse=True).over("ticker").alias(name))
        .select("ticker", pl.col("effective_date").alias("factor_date"), name)
    )
    return (
        frame.join_asof(
            products,
            left_on=after,
            right_on="factor_date",
            by="ticker",
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
            coalesce=False,
        )
        .with_columns(pl.col(name).fill_null(1.0))
        .drop("factor_date")
    )
