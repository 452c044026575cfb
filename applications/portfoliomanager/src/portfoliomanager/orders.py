"""Orders: from a wanted portfolio to what is sent, under ids that a retry finds again.

Knows the decision and the states of orders. Knows no broker, no journal and no clock: the moment is an argument.
"""

import hashlib
from datetime import date, datetime

import polars as pl

from internal.schemas import orders as schema
from portfoliomanager.policy import Policy
from portfoliomanager.risk import FROZEN_REASONS

LIVE_STATES = ("submitted", "partially_filled", "filled")
FINAL_STATES = ("filled", "canceled", "rejected", "dropped")
CUT = "cut to what the short side got"
REPLACED = "an interrupted plan was replaced before anything was sent"
READABLE_TICKER = 10  # characters of a ticker that an id shows; its digest holds the whole
DIGEST = 16  # hexadecimal digits, 64 bits


def portfolio_id(policy: str, account: str, day: date) -> str:
    """The id of the one portfolio that a policy decides for an account on a day."""
    return f"{policy.replace('_', '-')}-{day.isoformat()}-{hashlib.sha256(account.encode()).hexdigest()[:8]}"


def client_order_id(account: str, portfolio: str, ticker: str, leg: str, revision: int) -> str:
    """The id under which the broker knows an order: a function of what it is, so that a second send is the same order.

    At most 48 characters of [A-Za-z0-9-]; account, portfolio, ticker, leg ("open" or "close") and revision are all in
    its digest.
    """
    digest = hashlib.sha256("|".join([account, portfolio, ticker, leg, str(revision)]).encode()).hexdigest()[:DIGEST]
    readable = "".join(letter for letter in ticker if letter.isascii() and letter.isalnum())[:READABLE_TICKER]
    return f"{readable}-{leg}-{revision}-{digest}"


def plan(decided: pl.DataFrame, account: str, portfolio: str, day: date, moment: datetime) -> pl.DataFrame:
    """The orders frame that turns what is held into what is wanted; every row `planned`.

    decided: ticker, side, action, quantity (after), held (before), reference_price, reason. A kept position sends
    nothing; a cut one sends what it loses as a partial close.
    """
    opening = pl.col("action") == "open"
    buying = (pl.col("side") == "long") == opening
    return _as_orders(
        decided.with_columns(
            (pl.col("quantity") - pl.col("held")).abs().alias("quantity"),
            pl.when(opening).then(pl.lit("open")).otherwise(pl.lit("close")).alias("leg"),
            pl.when(buying).then(pl.lit("buy")).otherwise(pl.lit("sell")).alias("side"),
        ).filter(pl.col("quantity") > 0),
        (account, portfolio, 0),
        day,
        moment,
    )


def _as_orders(rows: pl.DataFrame, identity: tuple[str, str, int], day: date, moment: datetime) -> pl.DataFrame:
    """Rows of ticker, side, leg, quantity, reference_price and reason as planned orders.

    identity: account, portfolio and revision, which go into the ids.
    """
    account, portfolio, revision = identity
    ids = [
        client_order_id(account, portfolio, ticker, leg, revision)
        for ticker, leg in rows.select("ticker", "leg").iter_rows()
    ]
    return schema.validate(
        rows.with_columns(
            pl.Series("client_order_id", ids, pl.String),
            portfolio_id=pl.lit(portfolio),
            date=pl.lit(day),
            order_type=pl.lit("market"),
            time_in_force=pl.lit("day"),
            state=pl.lit("planned"),
            broker_order_id=pl.lit(None, pl.String),
            filled_quantity=pl.lit(0.0),
            filled_average_price=pl.lit(None, pl.Float64),
            adjustment=pl.lit("none"),
            updated_at=pl.lit(moment).dt.cast_time_unit("ms"),
        )
        .select(list(schema.COLUMNS))
        .sort("client_order_id")
    )


def replacing(journalled: pl.DataFrame, planned: pl.DataFrame, portfolio: str) -> pl.DataFrame:
    """The planned orders, and those of a plan that was interrupted before it was binding: they are `dropped`."""
    left = journalled.filter(pl.col("portfolio_id") == portfolio).join(planned, on="client_order_id", how="anti")
    return pl.concat([planned, left.with_columns(state=pl.lit("dropped"), reason=pl.lit(REPLACED))])


def is_short_open() -> pl.Expr:
    """Rows that open a short."""
    return (pl.col("leg") == "open") & (pl.col("side") == "sell")


def is_long_open() -> pl.Expr:
    """Rows that open a long."""
    return (pl.col("leg") == "open") & (pl.col("side") == "buy")


def short_shortfall(orders: pl.DataFrame) -> float:
    """Dollars of new shorts that were planned and will not be had: refused, or canceled before they filled."""
    had = pl.when(pl.col("state").is_in(["planned", *LIVE_STATES])).then("quantity").otherwise("filled_quantity")
    missing = (pl.col("quantity") - had) * pl.col("reference_price")
    return float(orders.filter(is_short_open()).select(missing.sum()).item())


def cut_to_shorts(
    orders: pl.DataFrame, portfolio: pl.DataFrame, account: str, policy: Policy, moment: datetime
) -> pl.DataFrame:
    """The rows that change when the short side got less than planned: new longs cut, then held longs trimmed.

    orders: all of one portfolio, shorts sent, longs not yet. portfolio: its portfolios frame. The cut is made once:
    rows that carry its reason say that it is done, so that a restart does not cut again. Whole shares, rounded down for
    what is kept; a new long with no share left is `dropped`.
    """
    shortfall = short_shortfall(orders)
    if shortfall <= 0 or orders.get_column("reason").is_in([CUT]).any():
        return orders.clear()
    unsent = orders.filter(is_long_open(), pl.col("state") == "planned")
    value = float(unsent.select((pl.col("quantity") * pl.col("reference_price")).sum()).item())
    factor = max(1 - shortfall / value, 0.0) if value else 0.0
    trims = _trims(portfolio, shortfall - value, policy)
    planned = _as_orders(trims, (account, orders.item(0, "portfolio_id"), 1), orders.item(0, "date"), moment)
    return pl.concat([_cut(unsent, factor, moment), planned])


def _cut(longs: pl.DataFrame, factor: float, moment: datetime) -> pl.DataFrame:
    left = (pl.col("quantity") * factor).floor()
    return longs.with_columns(
        pl.when(left == 0).then(pl.lit("dropped")).otherwise("state").alias("state"),
        pl.when(left == 0).then("quantity").otherwise(left).alias("quantity"),
        reason=pl.lit(CUT),
        updated_at=pl.lit(moment).dt.cast_time_unit("ms"),
    )


def _trims(portfolio: pl.DataFrame, excess: float, policy: Policy) -> pl.DataFrame:
    """Partial closes of held longs worth `excess` dollars, when that is more than the tolerance; frozen ones stay."""
    held = portfolio.filter(pl.col("side") == "long", pl.col("action") == "hold")
    movable = held.filter(~pl.col("reason").is_in(FROZEN_REASONS))
    value = float(movable.get_column("dollar_amount").sum())
    needed = excess > policy.balance_tolerance * float(held.get_column("dollar_amount").sum())
    part = min(excess / value, 1.0) if needed and value else 0.0
    return movable.select(
        "ticker",
        "reference_price",
        pl.lit("sell").alias("side"),
        pl.lit("close").alias("leg"),
        pl.min_horizontal((pl.col("quantity") * part).ceil(), "quantity").alias("quantity"),
        pl.lit(CUT).alias("reason"),
    ).filter(pl.col("quantity") > 0)


def applied(portfolio: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """The portfolio with the quantities that the orders leave it: opens that were sent, holds less their trims."""
    alive = orders.filter(~pl.col("state").is_in(["rejected", "dropped"]))
    opened = alive.filter(pl.col("leg") == "open").group_by("ticker").agg(pl.col("quantity").sum().alias("opened"))
    trimmed = (
        alive.filter(pl.col("reason") == CUT, pl.col("leg") == "close")
        .group_by("ticker")
        .agg(pl.col("quantity").sum().alias("trimmed"))
    )
    lost = orders.filter(pl.col("leg") == "open", pl.col("state").is_in(["rejected", "dropped"]))
    quantity = (
        pl.when(pl.col("action") == "open")
        .then(pl.col("opened").fill_null(0.0))
        .when(pl.col("action") == "hold")
        .then((pl.col("quantity") - pl.col("trimmed").fill_null(0.0)).clip(lower_bound=0.0))
        .otherwise("quantity")
    )
    return (
        portfolio.join(opened, on="ticker", how="left", maintain_order="left")
        .join(trimmed, on="ticker", how="left", maintain_order="left")
        .join(lost.select("ticker", lost_reason="reason"), on="ticker", how="left", maintain_order="left")
        .with_columns(quantity.alias("quantity"), pl.coalesce("lost_reason", "reason").alias("reason"))
        .with_columns((pl.col("quantity") * pl.col("reference_price")).alias("dollar_amount"))
        .select(portfolio.columns)
    )
