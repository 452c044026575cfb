"""Metrics: the book's size and value, orders by state, and when each step last succeeded.

Knows Prometheus names and units. Knows nothing of how the figures come about.
"""

import polars as pl
from prometheus_client import Gauge

from internal.schemas.orders import STATES
from internal.telemetry import last_success_gauge
from portfoliomanager.ports import Journal

NET_ASSET_VALUE = Gauge("portfolio_net_asset_value_dollars", "Net asset value at the last account snapshot")
GROSS_EXPOSURE = Gauge("portfolio_gross_exposure_ratio", "Long plus short market value over net asset value")
NET_EXPOSURE = Gauge("portfolio_net_exposure_ratio", "Long minus short market value over net asset value")
ORDERS = Gauge("portfolio_orders", "Orders of the journal by state", ("state",))
PREDICTION_SUCCESS = last_success_gauge("portfolio_predictions", "When predictions were last made")
REBALANCE_SUCCESS = last_success_gauge("portfolio_rebalance", "When a portfolio was last built or answered")
RECONCILIATION_SUCCESS = last_success_gauge("portfolio_reconciliation", "When the broker was last asked about orders")


def show_book(journal: Journal) -> None:
    """Set the gauges from the journal's newest snapshot and its orders."""
    latest = journal.snapshots().tail(1)
    for gauge, column in (
        (NET_ASSET_VALUE, "net_asset_value"),
        (GROSS_EXPOSURE, "gross_exposure"),
        (NET_EXPOSURE, "net_exposure"),
    ):
        if not latest.is_empty():
            gauge.set(latest.item(0, column))
    counts = dict(journal.orders().group_by("state").agg(pl.len()).iter_rows())
    for state in STATES:
        ORDERS.labels(state).set(counts.get(state, 0))
