"""Book: which of the broker's positions are the fund's own, since when, and at what price.

Knows journalled orders, broker positions and splits as frames. Knows no decision and no broker.
"""

from dataclasses import dataclass

import polars as pl

from internal.dates import next_session
from internal.schemas import corporate_actions
from portfoliomanager.allocation import POSITION_COLUMNS
from portfoliomanager.risk import BAND

NO_SPLITS = corporate_actions.empty_splits()
NO_FACTORS = pl.DataFrame(schema={"ticker": pl.String, "date": pl.Date, "factor": pl.Float64})
NO_BANDS = pl.DataFrame(schema={"ticker": pl.String, **dict.fromkeys(BAND, pl.Float64)})
SHARE = 1.0  # splits of odd lots leave fractions or cash: a difference below one share is rounding


@dataclass(frozen=True)
class Book:
    """`positions` are the fund's own (POSITION_COLUMNS), `foreign` the rest: ticker, quantity (signed shares)."""

    positions: pl.DataFrame
    foreign: pl.DataFrame


def entries(orders: pl.DataFrame) -> pl.DataFrame:
    """The last opening of each name: ticker, opened_date, entry_price and filled (signed shares, as filled then).

    Names are opened from flat and never topped up, so that the last filled opening order is where a holding starts.
    """
    sessions = {day: next_session(day) for day in orders.get_column("date").unique().to_list()}
    opened = pl.col("date").replace_strict(sessions, return_dtype=pl.Date)
    signed = pl.when(pl.col("side") == "buy").then("filled_quantity").otherwise(-pl.col("filled_quantity"))
    return (
        orders.filter(pl.col("leg") == "open", pl.col("filled_quantity") > 0)
        .sort("date", "client_order_id")
        .group_by("ticker", maintain_order=True)
        .last()
        .select(
            "ticker",
            pl.col("date").alias("decided_date"),
            opened.alias("opened_date"),
            pl.col("filled_average_price").alias("entry_price"),
            signed.alias("filled"),
        )
    )


def own(
    orders: pl.DataFrame,
    broker_positions: pl.DataFrame,
    splits: pl.DataFrame,
    price_factors: pl.DataFrame,
    stored_bands: pl.DataFrame,
) -> Book:
    """Own and foreign parts of the broker's positions.

    orders: every order of the journal. splits: those up to now. price_factors: ticker, date, factor (adjusted over raw
    close), which takes an entry price to today's terms; without one the splits since alone do. stored_bands: ticker and
    the quantiles last stored.

    What the broker holds beyond our own fills (after splits), or on the other side, is foreign.
    """
    ours = _after_splits(orders, splits).join(
        price_factors.rename({"date": "opened_date"}), on=["ticker", "opened_date"], how="left"
    )
    held, owned = pl.col("quantity"), pl.col("owned").fill_null(0.0)
    same_side = held.sign() == owned.sign()
    close_enough = (held - owned).abs() < SHARE
    part = (
        pl.when(same_side & (close_enough | (held.abs() <= owned.abs())))
        .then(held)
        .when(same_side)
        .then(owned)
        .otherwise(0.0)
    )
    joined = (
        broker_positions.select("ticker", "quantity")
        .join(ours, on="ticker", how="left")
        .join(stored_bands, on="ticker", how="left")
        .with_columns(part.alias("part"))
        .sort("ticker")
    )
    foreign = held - pl.col("part")
    return Book(
        positions=joined.filter(pl.col("part") != 0)
        .with_columns(
            pl.col("part").alias("quantity"),
            pl.col("entry_price") * pl.col("factor").fill_null(1 / pl.col("ratio")),
        )
        .select(list(POSITION_COLUMNS)),
        foreign=joined.select("ticker", foreign.alias("quantity")).filter(pl.col("quantity") != 0),
    )


def _after_splits(orders: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Each name's entry with `owned`: the signed shares left after its closing fills, in today's shares."""
    start = entries(orders)
    opening = start.select(
        "ticker", pl.col("opened_date").alias("fill_date"), "filled", pl.lit(value=True).alias("opens")
    )
    sessions = {day: next_session(day) for day in orders.get_column("date").unique().to_list()}
    signed = pl.when(pl.col("side") == "buy").then("filled_quantity").otherwise(-pl.col("filled_quantity"))
    closing = (
        orders.filter(pl.col("leg") == "close", pl.col("filled_quantity") > 0)
        .join(start.select("ticker", "decided_date"), on="ticker", how="inner")
        .filter(pl.col("date") > pl.col("decided_date"))
        .select(
            "ticker",
            pl.col("date").replace_strict(sessions, return_dtype=pl.Date).alias("fill_date"),
            signed.alias("filled"),
            pl.lit(value=False).alias("opens"),
        )
    )
    later = pl.col("execution_date") > pl.col("fill_date")
    ratio = pl.when(later).then(pl.col("split_to") / pl.col("split_from")).otherwise(1.0).fill_null(1.0)
    fills = (
        pl.concat([opening, closing])
        .with_row_index("fill")
        .join(splits.select("ticker", "execution_date", "split_from", "split_to"), on="ticker", how="left")
        .group_by("fill", "ticker", "opens")
        .agg(pl.col("filled").first(), ratio.product().alias("ratio"))
    )
    owned = fills.group_by("ticker").agg(
        (pl.col("filled") * pl.col("ratio")).sum().alias("owned"), pl.col("ratio").filter("opens").first()
    )
    return start.join(owned, on="ticker", how="inner")


def stored_bands(portfolios: pl.DataFrame) -> pl.DataFrame:
    """The band last stored with each name: ticker and the quantiles, of portfolios frames of several days."""
    return (
        portfolios.filter(pl.col("quantile_50").is_not_null())
        .sort("date")
        .group_by("ticker", maintain_order=True)
        .last()
        .select("ticker", *BAND)
    )
