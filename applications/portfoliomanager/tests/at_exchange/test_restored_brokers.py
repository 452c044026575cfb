"""A journal or a broker that was restored to an older state, or lost: nothing is sent before both agree."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alpaca.trading.enums import OrderSide as AlpacaSide

from applications.portfoliomanager.tests.at_exchange.faults_kit import NARROW, exposures, trade_by_hand
from applications.portfoliomanager.tests.portfoliomanager_kit import FAST, Make, World, wire
from fund.backup import write_backup
from fund.folder import FundFolder
from fund.restore import restore_backup
from internal.http.datamanager_client import DatamanagerClient
from internal.lake.lease import Lease
from internal.lake.store import Lake
from internal.trading.broker_history import BrokerHistoryError
from internal.trading.enums import Leg, OrderState
from internal.trading.limits import RiskLimits
from internal.trading.rebalancing import Rebalancer
from internal.trading.send_permission import TradingHaltedError
from internal.trading.state_changes import change_state
from internal.trading.trading_state import StateCause, TradingState
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.lake_journal import LakeJournal


def test_restored_backup_waits_and_adopts_own_orders(  # noqa: PLR0913, PLR0917 - fixtures
    world: World, broker: AlpacaBroker, store: DatamanagerClient, lease: Lease, make: Make, tmp_path: Path
) -> None:
    """Yesterday's backup comes back while the broker has today's orders.

    Nothing is sent before a person resumes; then the orders are the fund's again, each once.
    """
    world.store_predictions(world.session(), width=NARROW)
    make().run(None)
    world.play_session()
    make().reconcile()
    backup, home = tmp_path / "fund.tar.gz", FundFolder(tmp_path / "restored")
    write_backup(FundFolder(tmp_path), backup, datetime.now(UTC))
    world.store_predictions(world.session(), width=NARROW)
    lost = make().run(None)
    before = len(world.orders())
    restore_backup(backup, home, datetime(2026, 11, 28, tzinfo=UTC), replace=False)
    journal = LakeJournal(Lake(str(home.lake)))

    def make_restored() -> Rebalancer:
        return Rebalancer(wire(broker, store, journal, lease), FAST, RiskLimits())

    assert journal.trading_state().cause is StateCause.RESTORE
    assert journal.run(lost.run.portfolio_id) is None
    with pytest.raises(TradingHaltedError, match="restored from a backup"):
        make_restored().run(None)
    make_restored().recover()
    assert len(world.orders()) == before
    assert {order.client_order_id for order in lost.orders} == {
        order.client_order_id for order in journal.of(lost.run.portfolio_id)
    }
    change_state(journal, TradingState.ACTIVE, "ada", StateCause.OWNER, "reconciled", datetime.now(UTC))
    again = make_restored().run(None)
    assert (again.run.portfolio_id, list(again.foreign)) == (lost.run.portfolio_id, [])
    assert "restored" in again.run.notes[-1]
    assert len(world.orders()) == before
    world.play_session()
    assert not make_restored().reconcile().foreign
    world.store_predictions(world.session(), width=NARROW)
    following = make_restored().run(None)
    opened = {order.ticker for order in again.orders if order.leg is Leg.OPEN}
    assert opened == {order.ticker for order in following.orders if order.leg is Leg.CLOSE}
    assert not following.foreign
    assert exposures(broker)[0] == pytest.approx(0.6, abs=0.06)  # three names of at most a fifth of a side each
    assert journal.order_counts()[OrderState.UNRESOLVED] == 0


def test_lost_journal_adopts_what_explains_the_account(
    world: World, make: Make, broker: AlpacaBroker, tmp_path: Path
) -> None:
    """The whole journal is lost: positions that own orders explain are the fund's, others stay foreign."""
    world.store_predictions(world.session(), width=NARROW)
    first = make().run(None)
    stranger = max(broker.assets().tradable - {order.ticker for order in first.orders})
    trade_by_hand(world, stranger, AlpacaSide.BUY, 3)
    world.play_session()
    for table in ("orders", "rebalances", "account_snapshots"):
        shutil.rmtree(tmp_path / "lake" / table)
    make().recover()
    assert [stranger] == [item.ticker for item in make().reconcile().foreign]
    assert [stranger] == [item.ticker for item in make().report_foreign()]
    world.store_predictions(world.session(), width=NARROW)
    following = make().run(None)
    assert {order.ticker for order in first.orders} == {o.ticker for o in following.orders if o.leg is Leg.CLOSE}


def test_restored_broker_halts_the_fund(world: World, journal: LakeJournal, make: Make, tmp_path: Path) -> None:
    """The exchange is restored to before the run: nothing is sent until its owner accepts it, then trading goes on."""
    world.store_predictions(world.session())
    state = world.folder / "exchange"
    world.exchange.stop()
    shutil.copytree(state, tmp_path / "older")
    world.exchange.start()
    make().run(None)
    world.move("next_open")
    make().reconcile()
    assert {OrderState.FILLED: 6} == journal.order_counts()
    world.exchange.kill()
    shutil.rmtree(state)
    shutil.copytree(tmp_path / "older", state)
    world.exchange.start()
    before = len(world.orders())
    for work in (make().reconcile, make().recover):
        with pytest.raises(BrokerHistoryError, match="accept_broker_state"):
            work()
    assert {OrderState.FILLED: 6} == journal.order_counts()
    world.play_session()  # the clock has passed the last snapshot: the orders are still missing
    with pytest.raises(BrokerHistoryError, match="lost 6 orders"):
        make().reconcile()
    make().accept_broker_state()
    make().reconcile()
    assert {OrderState.DROPPED: 6} == journal.order_counts()
    assert journal.slippage() == 0
    world.store_predictions(world.session())
    assert len(make().run(None).orders) == 6
    assert len(world.orders()) == before + 6
