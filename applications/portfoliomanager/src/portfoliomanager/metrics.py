"""Metrics: the book's size and value, orders and positions, runs by their end, and when each step last succeeded.

Knows Prometheus names and units (docs/reference/metrics.md lists them). Knows nothing of how the figures come about.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
from prometheus_client import Counter, Gauge

from internal.errors import InvalidRequestError
from internal.lake.lease import Lease, StandbyError
from internal.schemas.orders import STATES
from internal.telemetry import last_success_gauge
from portfoliomanager.ports import Journal, SuspendedAccountError

UNKNOWN = float("nan")  # of a gauge before its figure is known: no alert fires on it
RESULTS = ("success", "failure", "suspended", "standby")

NET_ASSET_VALUE = Gauge("portfolio_net_asset_value_dollars", "Net asset value at the last account snapshot")
GROSS_EXPOSURE = Gauge("portfolio_gross_exposure_ratio", "Long plus short market value over net asset value")
NET_EXPOSURE = Gauge("portfolio_net_exposure_ratio", "Long minus short market value over net asset value")
LEASE_HELD = Gauge("lease_held", "1 while this process holds the trader's lease")
LEASE_NUMBER = Gauge("lease_fencing_number", "The number of the lease that this process holds, or held last")
SLIPPAGE = Gauge("portfolio_order_slippage_dollars", "Fills against the close decided at, all so far; positive costs")
POSITIONS = Gauge("portfolio_positions", "Positions at the broker", ("side",))
ORDERS = Gauge("portfolio_orders", "Orders of the journal by state", ("state",))
REBALANCES = Counter("rebalances_total", "Runs of the rebalance by how they ended", ("result",))
PREDICTION_SUCCESS = last_success_gauge("portfolio_predictions", "When predictions were last made")
REBALANCE_SUCCESS = last_success_gauge("portfolio_rebalance", "When a portfolio was last built or answered")
RECONCILIATION_SUCCESS = last_success_gauge("portfolio_reconciliation", "When the broker was last asked about orders")
SNAPSHOT_GAUGES = {
    "net_asset_value": NET_ASSET_VALUE,
    "gross_exposure": GROSS_EXPOSURE,
    "net_exposure": NET_EXPOSURE,
    "slippage": SLIPPAGE,
}
for _gauge in (*SNAPSHOT_GAUGES.values(), PREDICTION_SUCCESS, REBALANCE_SUCCESS, RECONCILIATION_SUCCESS):
    _gauge.set(UNKNOWN)
for _result in RESULTS:
    REBALANCES.labels(_result)  # a counter that is there from the start shows its first increase


def show_book(journal: Journal) -> None:
    """Set the gauges from the journal's newest snapshot and its orders."""
    latest = journal.snapshots().tail(1)
    for column, gauge in SNAPSHOT_GAUGES.items():
        if not latest.is_empty():
            gauge.set(latest.item(0, column))
    counts = dict(journal.orders().group_by("state").agg(pl.len()).iter_rows())
    for state in STATES:
        ORDERS.labels(state).set(counts.get(state, 0))


def show_history(journal: Journal) -> None:
    """After a start: the book, and when the journal says that its steps last succeeded, by the market's clock."""
    show_book(journal)
    moved = [run.updated_at for run in journal.rebalances() if run.state != "planned"]
    asked = journal.snapshots().get_column("timestamp").to_list()
    for gauge, moments in ((REBALANCE_SUCCESS, moved), (RECONCILIATION_SUCCESS, asked)):
        if moments:
            gauge.set(max(moments).timestamp())


def show_positions(positions: pl.DataFrame) -> None:
    """Set the gauges from the broker's positions."""
    signs = positions.get_column("quantity").sign()
    POSITIONS.labels("long").set(int((signs > 0).sum()))
    POSITIONS.labels("short").set(int((signs < 0).sum()))


def watch_lease(lease: Lease) -> None:
    """Let the lease's gauges say at every scrape what is so then."""
    LEASE_HELD.set_function(lambda: float(lease.held()))
    LEASE_NUMBER.set_function(lambda: float(lease.number))


@contextmanager
def counted_rebalance() -> Iterator[None]:
    """Count how the run of the block ends; a question that was wrong is no run."""
    try:
        yield
    except InvalidRequestError:
        raise
    except StandbyError:
        REBALANCES.labels("standby").inc()
        raise
    except SuspendedAccountError:
        REBALANCES.labels("suspended").inc()
        raise
    except Exception:
        REBALANCES.labels("failure").inc()
        raise
    REBALANCES.labels("success").inc()
