"""Risk: how much a name moves, and which positions must go, may go or must stay.

Knows positions, prices and bands of one day. Knows no capital and no new name.
"""

from datetime import date

import polars as pl

from portfoliomanager.policy import Policy
from portfoliomanager.signals import lookback

OPEN_ORDER = "an order of it is still open: kept"
NO_PRICE = "no price today: kept"
LOCKED = "opened today: locked"
FROZEN_REASONS = (OPEN_ORDER, NO_PRICE, LOCKED)
BAND = ("quantile_10", "quantile_50", "quantile_90")


def realized_volatility(bars: pl.DataFrame, day: date, policy: Policy) -> pl.DataFrame:
    """The standard deviation of daily log returns over the lookback: ticker, volatility (a session, not annualised).

    Names with fewer than `minimum_sessions` returns have none. A name that never moved has none either: the weight
    that it would get is no measurement.
    """
    returns = pl.col("close").log().diff().over("ticker")
    return (
        lookback(bars, day, policy.lookback_sessions + 1)
        .sort("ticker", "date")
        .with_columns(returns.alias("log_return"))
        .group_by("ticker")
        .agg(
            pl.col("log_return").std().alias("volatility"),
            pl.col("log_return").count().alias("return_count"),
        )
        .filter(pl.col("return_count") >= policy.minimum_sessions, pl.col("volatility") > 0)
        .select("ticker", "volatility")
        .sort("ticker")
    )


def last_prices(bars: pl.DataFrame, day: date) -> pl.DataFrame:
    """The last close known at `day`: ticker, reference_price (dollars), price_date."""
    return (
        bars.filter(pl.col("date") <= day)
        .sort("date")
        .group_by("ticker")
        .agg(pl.col("close").last().alias("reference_price"), pl.col("date").last().alias("price_date"))
    )


def judge(  # noqa: PLR0913, PLR0917 - the facts that a verdict depends on, each a frame or a day
    positions: pl.DataFrame,
    bars: pl.DataFrame,
    latest_bands: pl.DataFrame,
    blocked: frozenset[str],
    day: date,
    policy: Policy,
) -> pl.DataFrame:
    """What becomes of each position: the positions' columns, reference_price, the band in force, verdict and reason.

    positions: ticker, quantity (shares, negative when short), opened_date (session of the entry's fill), entry_price
    (dollars, adjusted as of `day`) and the band stored with it. latest_bands: ticker and the quantiles of `day`.

    The band in force is the latest forecast over its longest horizon, read as a cumulative return *from entry*; a name
    without a forecast today keeps the band stored last. A position whose cumulative return since entry lies outside it
    is closed, long or short: above, the forecast has come true; below, it was wrong (and the other way for a short).

    Verdicts: `frozen` (an order is still open, no price today, or locked: never touched), `close` and `kept` (may be
    trimmed to balance the sides).
    """
    stored = [pl.col(name).alias(f"stored_{name}") for name in BAND]
    total_return = pl.col("reference_price") / pl.col("entry_price") - 1
    outside = (total_return < pl.col("quantile_10")) | (total_return > pl.col("quantile_90"))
    percent = (total_return * 100).round(1).cast(pl.String)
    locked = pl.lit(policy.same_day_lock) & (pl.col("opened_date") >= day)
    return (
        positions.select("ticker", "quantity", "opened_date", "entry_price", *stored)
        .join(last_prices(bars, day), on="ticker", how="left")
        .join(latest_bands, on="ticker", how="left")
        .with_columns(
            pl.col("quantile_50").is_null().alias("unforecast"),
            *(pl.coalesce(name, f"stored_{name}").alias(name) for name in BAND),
            (pl.col("price_date") == day).fill_null(value=False).alias("priced"),
            pl.col("reference_price").fill_null(pl.col("entry_price")),
        )
        .with_columns(
            pl.when(pl.col("ticker").is_in(list(blocked)))
            .then(pl.struct(verdict=pl.lit("frozen"), reason=pl.lit(OPEN_ORDER)))
            .when(~pl.col("priced"))
            .then(pl.struct(verdict=pl.lit("frozen"), reason=pl.lit(NO_PRICE)))
            .when(locked)
            .then(pl.struct(verdict=pl.lit("frozen"), reason=pl.lit(LOCKED)))
            .when(pl.col("quantile_50").is_null())
            .then(pl.struct(verdict=pl.lit("kept"), reason=pl.lit("no forecast yet: kept")))
            .when(outside)
            .then(
                pl.struct(
                    verdict=pl.lit("close"),
                    reason=pl.format("return since entry of {} % left the 10 % to 90 % band", percent),
                )
            )
            .when("unforecast")
            .then(pl.struct(verdict=pl.lit("kept"), reason=pl.lit("no forecast today: in its stored band")))
            .otherwise(pl.struct(verdict=pl.lit("kept"), reason=pl.lit("in band")))
            .alias("judgement")
        )
        .unnest("judgement")
        .drop("unforecast", "priced", "price_date", *(f"stored_{name}" for name in BAND))
        .sort("ticker")
    )
