"""Metrics: the account's value and exposure, orders and positions, runs by their end, and when each step succeeded.

docs/reference/metrics.md lists their names and units.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import partial

from prometheus_client import Counter, Gauge

from internal.errors import FundError, InvalidRequestError
from internal.lake.lease import Lease, StandbyError
from internal.modes import Mode
from internal.performance import gross_exposure, net_exposure
from internal.telemetry import last_success_gauge
from internal.trading.broker_reports import BrokerPosition
from internal.trading.enums import OrderState, RunState, Side
from internal.trading.limit_kinds import LimitCut, LimitKind
from internal.trading.performance import PerformanceReport
from internal.trading.ports import SuspendedAccountError
from internal.trading.snapshots import Snapshot
from internal.trading.strategy import StrategyError
from internal.trading.trading_state import TradingState
from portfoliomanager.ports import FundJournal, UpdateFeed

UNKNOWN = float("nan")  # of a gauge before its figure is known: no alert fires on it
RESULTS = ("success", "failure", "strategy_failed", "suspended", "standby")

NET_ASSET_VALUE = Gauge("portfolio_net_asset_value_dollars", "Net asset value at the last account snapshot")
GROSS_EXPOSURE = Gauge("portfolio_gross_exposure_ratio", "Long plus short market value over net asset value")
NET_EXPOSURE = Gauge("portfolio_net_exposure_ratio", "Long minus short market value over net asset value")
TRADING_MODE = Gauge("trading_mode", "1 for what is at stake: simulated, paper or live money", ("mode",))
LEASE_HELD = Gauge("lease_held", "1 while this process holds the trader's lease")
LEASE_NUMBER = Gauge("lease_fencing_number", "The number of the lease that this process holds, or held last")
UPDATES_CONNECTED = Gauge("portfolio_trade_updates_connected", "1 while the broker's stream of order updates is open")
SLIPPAGE = Gauge("portfolio_order_slippage_dollars", "Fills against the close decided at, all so far; positive costs")
RETURN = Gauge("portfolio_return_ratio", "Time-weighted return since the first account snapshot")
DRAWDOWN = Gauge("portfolio_maximum_drawdown_ratio", "Largest fall of the time-weighted return from an earlier peak")
BOOKS_DIFFERENCES = Gauge("portfolio_books_differences", "Differences between the books and the broker")
POSITIONS = Gauge("portfolio_positions", "Positions at the broker", ("side",))
POSITIONS_WITHOUT_BARS = Gauge("portfolio_positions_without_bars", "Own positions that had no bar for five sessions")
TRADING_STATE = Gauge("trading_state", "1 for the trading state in force, 0 for the others", ("state",))
ORDERS = Gauge("portfolio_orders", "Orders of the journal by state", ("state",))
REBALANCES = Counter("rebalances_total", "Runs of the rebalance by how they ended", ("result",))
LIMIT_REFUSALS = Counter("limit_refusals_total", "Increases cut and orders not sent, by the limit", ("limit",))
PREDICTION_SUCCESS = last_success_gauge("portfolio_predictions", "When predictions were last made")
REBALANCE_SUCCESS = last_success_gauge("portfolio_rebalance", "When a portfolio was last built or answered")
RECONCILIATION_SUCCESS = last_success_gauge("portfolio_reconciliation", "When the broker was last asked about orders")
for _gauge in (NET_ASSET_VALUE, GROSS_EXPOSURE, NET_EXPOSURE, SLIPPAGE, RETURN, DRAWDOWN, BOOKS_DIFFERENCES):
    _gauge.set(UNKNOWN)
for _gauge in (PREDICTION_SUCCESS, REBALANCE_SUCCESS, RECONCILIATION_SUCCESS):
    _gauge.set(UNKNOWN)
for _result in RESULTS:
    REBALANCES.labels(_result)  # a counter that is there from the start shows its first increase

for _limit in LimitKind:
    LIMIT_REFUSALS.labels(_limit)


def count_cuts(cuts: Iterable[LimitCut]) -> None:
    """Count what limits have cut."""
    for cut in cuts:
        LIMIT_REFUSALS.labels(cut.limit).inc()


def show_journal(journal: FundJournal) -> None:
    """Set the gauges from the journal's newest snapshot and its orders."""
    if (latest := journal.last_snapshot()) is not None:
        _show_snapshot(latest)
    counts = journal.order_counts()
    for state in OrderState:
        ORDERS.labels(state).set(counts.get(state, 0))


def show_history(journal: FundJournal) -> None:
    """After a start: the journal, and when it says that its steps last succeeded, by the market's clock."""
    show_journal(journal)
    sent = [run.updated_at for run in journal.runs() if run.state is not RunState.PLANNED]
    if sent:
        REBALANCE_SUCCESS.set(max(sent).timestamp())
    if (latest := journal.last_snapshot()) is not None:
        RECONCILIATION_SUCCESS.set(latest.timestamp.timestamp())


def show_positions(positions: Iterable[BrokerPosition]) -> None:
    """Set the gauges from the broker's positions."""
    quantities = [position.quantity for position in positions]
    POSITIONS.labels(Side.LONG).set(sum(quantity > 0 for quantity in quantities))
    POSITIONS.labels(Side.SHORT).set(sum(quantity < 0 for quantity in quantities))


def show_performance(report: PerformanceReport) -> None:
    """Set the gauges from the report of all snapshots; without one they stay unknown."""
    if report.points:
        RETURN.set(report.total_return)
        DRAWDOWN.set(report.maximum_drawdown)


def show_books(differences: int) -> None:
    """Set the gauge from the comparison of the books with the broker."""
    BOOKS_DIFFERENCES.set(differences)


def _show_snapshot(latest: Snapshot) -> None:
    values = latest.long_market_value, latest.short_market_value, latest.net_asset_value
    NET_ASSET_VALUE.set(latest.net_asset_value)
    GROSS_EXPOSURE.set(gross_exposure(*values))
    NET_EXPOSURE.set(net_exposure(*values))
    SLIPPAGE.set(latest.slippage)


def watch_lease(lease: Lease) -> None:
    """Let the lease's gauges read it at every scrape."""
    LEASE_HELD.set_function(lambda: float(lease.held()))
    LEASE_NUMBER.set_function(lambda: float(lease.number))


def show_mode(mode: Mode) -> None:
    """Set the gauge of what is at stake at the broker."""
    for one in Mode:
        TRADING_MODE.labels(one).set(float(one is mode))


def watch_trading_state(journal: FundJournal) -> None:
    """Let the gauges of the trading state read it at every scrape; unknown while the store does not answer."""

    def is_in_force(state: TradingState) -> float:
        try:
            return float(journal.trading_state().state is state)
        except FundError:
            return UNKNOWN

    for state in TradingState:
        TRADING_STATE.labels(state).set_function(partial(is_in_force, state))


def watch_updates(updates: UpdateFeed) -> None:
    """Let the gauge of the broker's stream read it at every scrape."""
    UPDATES_CONNECTED.set_function(lambda: float(updates.is_connected))


@contextmanager
def count_rebalance() -> Generator[None]:
    """Count how the run of the block ends; a request that was refused as invalid is no run."""
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
    except StrategyError:
        REBALANCES.labels("strategy_failed").inc()
        raise
    except Exception:
        REBALANCES.labels("failure").inc()
        raise
    REBALANCES.labels("success").inc()
