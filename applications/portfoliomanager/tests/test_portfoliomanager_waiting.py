"""Openings that wait for buying power are sent in their session, also where nothing says that it has opened."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from loaded_strategies import ten_by_ten

from applications.portfoliomanager.tests.operations_kit import no_data_service, no_opens
from internal.lake.store import Lake
from internal.modes import Mode
from internal.simulation.venue_activities import VenueActivities
from internal.simulation.venue_broker import VenueBroker
from internal.simulation.world import World
from internal.trading.broker_reports import Account
from internal.trading.enums import OrderState, RunState
from internal.trading.limits import RiskLimits
from internal.trading.rebalancing import Rebalancer
from internal.venue.clock import Auction
from portfoliomanager.account_books import AccountBooks
from portfoliomanager.adapters.lake_activities import LakeActivities
from portfoliomanager.notifications.announcer import Announcer
from portfoliomanager.notifications.outbox import NotificationOutbox
from portfoliomanager.operations import FundOperations
from portfoliomanager.undecided_session import UndecidedSessionFile

if TYPE_CHECKING:
    from portfoliomanager.forecasting import Champion
    from portfoliomanager.model_watch import ModelWatch
    from portfoliomanager.ports import ForecastStore

STRATEGY = ten_by_ten(names_per_side=3, same_day_lock=False)


def test_a_waiting_run_goes_on_at_the_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The second session exchanges everything without buying power; the fills of the closes give it."""
    fund, account = World.make(11, sessions_played=3, tickers=30).open_fund(), VenueBroker.account
    unused = cast("ForecastStore", None), cast("Champion", None), cast("ModelWatch", None)
    store = LakeActivities(Lake(str(tmp_path)))
    books = AccountBooks(fund.ports.broker, VenueActivities(fund.repository), store, fund.journal, fund.ports.data)
    rebalancer = Rebalancer(fund.ports, STRATEGY, RiskLimits())
    outbox = NotificationOutbox(tmp_path, [], Mode.SIMULATED)
    announcer = Announcer(outbox, fund.journal, books, no_data_service, no_opens, tmp_path)
    undecided = UndecidedSessionFile(tmp_path)
    operations = FundOperations(fund.ports.broker, *unused, fund.journal, books, rebalancer, announcer, undecided)
    rebalancer.run(None)
    fund.move(Auction.OPEN)
    fund.move(Auction.CLOSE)

    def without_power(broker: VenueBroker) -> Account:
        return replace(account(broker), buying_power=0.0)

    with monkeypatch.context() as patch:
        patch.setattr(VenueBroker, "account", without_power)
        run = rebalancer.run(None).run
    before = fund.journal.orders()
    operations.follow_open_orders()
    assert (run.state, fund.journal.orders()) == (RunState.WAITING, before)
    fund.move(Auction.OPEN)
    operations.follow_open_orders()
    assert fund.journal.run(run.portfolio_id) != run
    assert not any(order.state is OrderState.PLANNED for order in fund.journal.orders())
    view = books.view()
    assert (view.differences, view.unexplained) == ([], 0)
    assert {row.type for row in books.activities()} >= {"OPENING", "FILL"}
