"""Performance: value over time, drawdown, and what trading has cost.

Knows snapshots, orders and the broker's cost rows as frames. Knows no broker and no lake.
"""

from typing import Any

import polars as pl

from internal.performance import maximum_drawdown

POINT_COLUMNS = ("timestamp", "net_asset_value", "cash", "gross_exposure", "net_exposure", "slippage", "fees", "borrow")


def realized_cost(orders: pl.DataFrame, costs: pl.DataFrame) -> dict[str, float]:
    """Dollars paid so far: slippage, fees, borrow; positive is a cost.

    Slippage is the implementation shortfall of what was filled: fill price against the close that the decision was
    taken at, so it holds the move from that close to the fill as well as the market's own impact.
    """
    direction = pl.when(pl.col("side") == "buy").then(1.0).otherwise(-1.0)
    shortfall = direction * (pl.col("filled_average_price") - pl.col("reference_price")) * pl.col("filled_quantity")
    kind = dict(costs.group_by("kind").agg(pl.col("amount").sum()).iter_rows())
    return {
        "slippage": float(orders.select(shortfall.sum()).item()),
        "fees": float(kind.get("fees", 0.0)),
        "borrow": float(kind.get("borrow", 0.0)),
    }


def report(snapshots: pl.DataFrame) -> dict[str, Any]:
    """The answer of GET /performance from account snapshots, oldest first.

    `return` is last over first net asset value minus 1; `maximum_drawdown` the largest fall from an earlier peak, as a
    positive fraction of that peak.
    """
    ordered = snapshots.sort("timestamp")
    if ordered.is_empty():
        cost = {"slippage": 0.0, "fees": 0.0, "borrow": 0.0}
        return {"points": [], "return": 0.0, "maximum_drawdown": 0.0, "realized_cost": cost}
    values = ordered.get_column("net_asset_value").to_numpy()
    figures = {"return": float(values[-1] / values[0] - 1), "maximum_drawdown": maximum_drawdown(values)}
    cost = ordered.select("slippage", "fees", "borrow").row(-1, named=True)
    return {"points": ordered.select(list(POINT_COLUMNS)).to_dicts(), **figures, "realized_cost": cost}
