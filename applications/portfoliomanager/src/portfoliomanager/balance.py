"""Balance: dollars for every row of the book, both sides equal, then whole shares.

Knows rows of four kinds (frozen, kept, close, new), their prices and a target a side. Knows no forecast and no day.
"""

import numpy as np
import polars as pl

from portfoliomanager.policy import Policy

SIDES = ("long", "short")
ROUNDING = 1e-9  # a factor this close to 1 is 1: sums in another order must not cost a share


def size(rows: pl.DataFrame, net_asset_value: float, policy: Policy) -> pl.DataFrame:
    """The rows with `quantity`, the shares after the action.

    rows: kind, side, held (shares before), reference_price (dollars) and, for new names, volatility. Frozen rows keep
    every share; closed ones none; kept ones are only ever cut; new ones get whole shares (both sides: every order type
    of every broker takes them).
    """
    target = policy.side_target(net_asset_value)
    wanted = rows.sort("ticker").with_columns(_dollars_wanted(target, policy).alias("dollars"))
    scaled = _scale_sides(wanted, target, policy.balance_tolerance)
    return _even_out(_whole_shares(scaled), policy.balance_tolerance)


def side_values(rows: pl.DataFrame) -> tuple[float, float]:
    """Dollars long and short of rows with side, quantity and reference_price."""
    value = pl.col("quantity") * pl.col("reference_price")
    long_value, short_value = (float(rows.select(value.filter(pl.col("side") == side).sum()).item()) for side in SIDES)
    return long_value, short_value


def _dollars_wanted(target: float, policy: Policy) -> pl.Expr:
    """What each row would hold if its side stood alone: kept rows their value, new rows a share of what is left."""
    kind, value = pl.col("kind"), pl.col("held") * pl.col("reference_price")
    staying = pl.when(kind.is_in(["frozen", "kept"])).then(value).otherwise(0.0)
    raw = pl.when(kind == "new").then(1 / pl.col("volatility"))
    equal = raw.mean().over("side")
    weight = raw.clip(equal / policy.weight_spread, equal * policy.weight_spread)
    free = (target - staying.sum().over("side")).clip(lower_bound=0.0)
    new = (free * weight / weight.sum().over("side")).clip(upper_bound=policy.maximum_side_share * target)
    return pl.when(kind == "new").then(new).otherwise(staying)


def _scale_sides(rows: pl.DataFrame, target: float, tolerance: float) -> pl.DataFrame:
    """The rows with dollars cut: each side to its target, then the larger side to the smaller one.

    New names are cut before kept positions, and kept positions only when the difference exceeds the tolerance: a cut
    costs money, a small difference does not.
    """
    totals = {
        side: {
            kind: float(rows.filter(pl.col("side") == side, pl.col("kind") == kind).get_column("dollars").sum())
            for kind in ("frozen", "kept", "new")
        }
        for side in SIDES
    }
    for total in totals.values():
        _cut(total, target, tolerance)
    smaller = min(sum(total.values()) for total in totals.values())
    for total in totals.values():
        _cut(total, smaller, tolerance)
    cut = pl.DataFrame(
        [
            {"side": side, "kind": kind, "cut_total": dollars}
            for side, total in totals.items()
            for kind, dollars in total.items()
        ],
        schema={"side": pl.String, "kind": pl.String, "cut_total": pl.Float64},
    )
    full = pl.col("dollars").sum().over("side", "kind")
    factor = pl.when(full > 0).then(pl.col("cut_total") / full).otherwise(1.0).fill_null(1.0).clip(upper_bound=1.0)
    return (
        rows.join(cut, on=["side", "kind"], how="left", maintain_order="left")
        .with_columns(factor.alias("factor"))
        .with_columns(pl.col("dollars") * pl.col("factor"))
    )


def _cut(total: dict[str, float], limit: float, tolerance: float) -> None:
    """Cut one side's dollars to the limit in place: new names first, kept ones when they alone exceed it."""
    total["new"] = min(total["new"], max(limit - total["frozen"] - total["kept"], 0.0))
    if total["frozen"] + total["kept"] > limit * (1 + tolerance):
        total["kept"] = min(total["kept"], max(limit - total["frozen"], 0.0))


def _whole_shares(rows: pl.DataFrame) -> pl.DataFrame:
    """Shares from dollars: new and cut rows rounded down to whole ones, the others exactly what is held."""
    kind = pl.col("kind")
    return rows.with_columns(
        pl.when(kind == "close")
        .then(0.0)
        .when(kind == "new")
        .then((pl.col("dollars") / pl.col("reference_price")).floor())
        .when((kind == "kept") & (pl.col("factor") < 1 - ROUNDING))
        .then((pl.col("held") * pl.col("factor")).floor())
        .otherwise("held")
        .alias("quantity")
    )


def _even_out(rows: pl.DataFrame, tolerance: float) -> pl.DataFrame:
    """Take single shares off the larger side until both are within the tolerance: what rounding down left uneven.

    Each step takes shares off the largest adjustable row of the larger side (new ones first), so it ends: with equal
    sides, or with nothing left to take.
    """
    quantity = rows.get_column("quantity").to_numpy().astype(np.float64, copy=True)
    price = rows.get_column("reference_price").to_numpy()
    long = (rows.get_column("side") == "long").to_numpy()
    new, kept = ((rows.get_column("kind") == kind).to_numpy() for kind in ("new", "kept"))
    while True:
        value = quantity * price
        excess = float(value[long].sum() - value[~long].sum())
        if abs(excess) <= tolerance * max(float(value[long].sum()), float(value[~long].sum())):
            return rows.with_columns(pl.Series("quantity", quantity))
        adjustable = (long if excess > 0 else ~long) & (quantity > 0)
        choice = adjustable & new if (adjustable & new).any() else adjustable & kept
        if not choice.any():
            return rows.with_columns(pl.Series("quantity", quantity))
        largest = int(np.argmax(np.where(choice, value, -1.0)))
        step = max(np.floor(abs(excess) / (price[largest] * choice.sum())), 1.0)
        quantity[largest] = max(np.ceil(quantity[largest]) - step, 0.0)
