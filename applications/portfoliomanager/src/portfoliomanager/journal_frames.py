"""The journal's rows as frames of the lake's tables, and back."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

import polars as pl

from internal.lake.tables import TABLES
from internal.performance import gross_exposure, net_exposure
from internal.schemas import orders as orders_schema
from internal.trading.enums import Adjustment, Leg, OrderSide, OrderState, RunState, TimeInForce
from internal.trading.orders import Order
from internal.trading.runs import RebalanceRun
from internal.trading.snapshots import Snapshot

MARKET = "market"  # the only type of order that the fund sends


def order_frame(orders: Iterable[Order]) -> pl.DataFrame:
    """Orders as rows of the table `orders`."""
    rows = [{**asdict(order), "order_type": MARKET} for order in orders]
    return pl.DataFrame(rows, schema=orders_schema.COLUMNS)


def read_orders(frame: pl.DataFrame) -> list[Order]:
    """The rows of the table `orders`; what older rows lack takes the row's own default."""
    return [
        Order(
            portfolio_id=row["portfolio_id"],
            date=row["date"],
            client_order_id=row["client_order_id"],
            ticker=row["ticker"],
            side=OrderSide(row["side"]),
            leg=Leg(row["leg"]),
            quantity=row["quantity"],
            reference_price=row["reference_price"],
            reason=row["reason"],
            updated_at=row["updated_at"],
            state=OrderState(row["state"]),
            adjustment=Adjustment(row["adjustment"] or Adjustment.NONE),
            time_in_force=TimeInForce(row["time_in_force"]),
            broker_order_id=row["broker_order_id"],
            filled_quantity=row["filled_quantity"],
            filled_average_price=row["filled_average_price"],
            security_id=row["security_id"],
            asset_id=row["asset_id"],
        )
        for row in frame.iter_rows(named=True)
    ]


def run_frame(runs: Iterable[RebalanceRun]) -> pl.DataFrame:
    """Runs as rows of the table `rebalances`."""
    rows = [{**asdict(run), "notes": json.dumps(run.notes)} for run in runs]
    return pl.DataFrame(rows, schema=TABLES["rebalances"].columns)


def read_runs(frame: pl.DataFrame) -> list[RebalanceRun]:
    """The rows of the table `rebalances`."""
    return [
        RebalanceRun(
            portfolio_id=row["portfolio_id"],
            date=row["date"],
            state=RunState(row["state"]),
            policy=row["policy"],
            model_version=row["model_version"],
            bars_version=row["bars_version"],
            notes=tuple(json.loads(row["notes"])),
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            lease_number=row["lease_number"],
            parameters=row["parameters"] or "",
            strategy_digest=row["strategy_digest"] or "",
            known_at=row["known_at"],
        )
        for row in frame.iter_rows(named=True)
    ]


def snapshot_frame(snapshots: Sequence[Snapshot]) -> pl.DataFrame:
    """Snapshots as rows of the table `account_snapshots`; exposures are fractions of net asset value."""
    return pl.DataFrame([_snapshot_row(one) for one in snapshots], schema=TABLES["account_snapshots"].columns)


def read_snapshots(frame: pl.DataFrame) -> list[Snapshot]:
    """The rows of the table `account_snapshots`."""
    return [Snapshot(**row) for row in frame.drop("date", "gross_exposure", "net_exposure").iter_rows(named=True)]


def _snapshot_row(one: Snapshot) -> dict[str, object]:
    values = (one.long_market_value, one.short_market_value, one.net_asset_value)
    return {
        **asdict(one),
        "date": one.timestamp.date(),
        "gross_exposure": gross_exposure(*values),
        "net_exposure": net_exposure(*values),
    }
