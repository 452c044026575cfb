"""The books of an account that changes while they are opened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from loaded_strategies import ten_by_ten

from internal.action_kinds import ActionKind
from internal.errors import UnavailableError
from internal.lake.store import Lake
from internal.simulation.fund import SimulatedFund
from internal.simulation.venue_activities import VenueActivities
from internal.simulation.world import World
from internal.trading.broker_reports import BrokerPosition
from internal.trading.enums import OrderSide
from internal.trading.limits import RiskLimits
from internal.trading.rebalancing import Rebalancer
from internal.venue.clock import Auction
from internal.venue.money import ZERO, cents
from internal.venue.orders import OrderChanges, OrderRequest, OrderType, Side, TimeInForce
from libraries.python.tests.trading.actions_kit import EFFECTIVE, OPENING, Scripted, gift, open_fund, play_session
from portfoliomanager.account_books import AccountBooks
from portfoliomanager.adapters.lake_activities import LakeActivities

if TYPE_CHECKING:
    from internal.trading.ports import Broker


@dataclass
class Changing:
    """A broker at which something happens before each answer about positions."""

    inner: "Broker"
    happen: Callable[[], object]

    def positions(self) -> Sequence[BrokerPosition]:
        """All positions, after it has happened."""
        self.happen()
        return self.inner.positions()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - passes every other method on
        """The venue's own."""
        return getattr(self.inner, name)


def open_books(fund: SimulatedFund, folder: Path, happen: Callable[[], object]) -> AccountBooks:
    """Books in a lake of their own, on the changing broker."""
    broker = cast("Broker", Changing(fund.ports.broker, happen))
    return AccountBooks(
        broker, VenueActivities(fund.repository), LakeActivities(Lake(str(folder))), fund.journal, fund.ports.data
    )


def test_fills_between_two_questions_count_once(tmp_path: Path) -> None:
    """The orders fill after the activities were read and before the positions are: they are no opening balance."""
    fund = World.make(11, sessions_played=4, tickers=30).open_fund()
    Rebalancer(fund.ports, ten_by_ten(names_per_side=3), RiskLimits()).run(None)
    left = [Auction.OPEN, Auction.CLOSE]
    books = open_books(fund, tmp_path, lambda: left and fund.move(left.pop(0)))
    books.record()
    books.record()
    assert fund.ports.broker.positions()
    assert books.view().differences == []
    assert [row.ticker for row in books.activities() if row.type == "OPENING"] == [None]


def test_an_account_that_never_rests_opens_no_books(tmp_path: Path) -> None:
    """A deposit comes with every answer: nothing is stored, and the next step opens them."""
    fund = World.make(11, sessions_played=4, tickers=30).open_fund()
    books = open_books(fund, tmp_path, lambda: fund.core.transfer_cash(Decimal(1)))
    with pytest.raises(UnavailableError, match="opened at the next step"):
        books.record()
    assert books.activities() == ()


def test_an_order_that_a_person_changed_is_the_funds(tmp_path: Path) -> None:
    """Under CAPITAL: a long is changed twice and fills as what it became; the purchase of 7 others is the only flow."""
    fund = World.make(11, sessions_played=4, tickers=30).open_fund()
    trader = Rebalancer(fund.ports, ten_by_ten(names_per_side=3), RiskLimits())
    order = next(one for one in trader.run(None).orders if one.side is OrderSide.BUY)
    changed = fund.core.replace(str(order.broker_order_id), OrderChanges(Decimal(order.quantity) - 1, None, None, None))
    fund.core.replace(changed.id, OrderChanges(Decimal(order.quantity) - 2, None, None, None))
    theirs = OrderRequest(order.ticker, Side.BUY, OrderType.MARKET, TimeInForce.DAY, Decimal(7), None, None, None, None)
    other = fund.core.submit(theirs)
    store = LakeActivities(Lake(str(tmp_path)))
    books = AccountBooks(
        fund.ports.broker, VenueActivities(fund.repository), store, fund.journal, fund.ports.data, others=True
    )
    books.record()
    fund.move(Auction.OPEN)
    books.record()
    bought = [row for row in books.activities() if row.order_id == other.id]
    assert [flow.amount for flow in books.flows()] == [float(row.net_amount) for row in bought]
    assert len(bought) == 1


def test_the_basis_of_a_spin_off_is_divided(tmp_path: Path) -> None:
    """20 shares cost 2,000; a share for 4 comes, and both close at 100: 5 take a fifth of what was paid."""
    spin_off = gift(ActionKind.SPIN_OFF, "SPI", EFFECTIVE, 4, "SPIC")
    fund = open_fund([spin_off], ("SPI", "SPIC"))
    trader = Rebalancer(fund.ports, Scripted({OPENING: {"SPI": 0.0201}}), RiskLimits())
    books = open_books(fund, tmp_path, lambda: None)
    books.record()
    for _ in range(3):
        play_session(fund, trader)
    books.record()
    paid = sum(books.keep().basis.values(), ZERO)
    assert books.keep().basis == {"SPI": paid - cents(paid / 5), "SPIC": cents(paid / 5)}
    assert (books.view().differences, books.view().books.notes) == ([], ())
