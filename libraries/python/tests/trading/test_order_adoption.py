"""A journal that was lost, or restored from an older copy: own orders come back, and with them every entry."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import pytest

from internal.errors import ConflictError
from internal.simulation.drawn_strategy import DrawnStrategy
from internal.simulation.fund import SimulatedFund
from internal.simulation.world import World
from internal.trading.corporate_actions import list_splits
from internal.trading.enums import Action, Leg
from internal.trading.limits import RiskLimits
from internal.trading.memory_journal import MemoryJournal, MemoryPortfolios
from internal.trading.position_attribution import attribute_positions
from internal.trading.positions import Position
from internal.trading.rebalancing import Rebalancer
from internal.trading.strategy import StrategyRecord
from internal.venue.clock import Auction

SESSIONS = 7


@dataclass(frozen=True)
class Renamed(DrawnStrategy):
    """The same decisions under another name."""

    @property
    def record(self) -> StrategyRecord:
        """The name."""
        return StrategyRecord("renamed", "{}", "1")


STRATEGY, RENAMED = DrawnStrategy(3, 0.4), Renamed(3, 0.4)


@pytest.fixture(scope="module")
def world() -> World:
    """Sessions of 30 names with splits, halts and missing bars."""
    return World.make(5, sessions_played=SESSIONS + 1, tickers=30, events="splits")


def play(fund: SimulatedFund, sessions: int) -> None:
    """Decide, send and fill, session by session."""
    for _ in range(sessions):
        Rebalancer(fund.ports, STRATEGY, RiskLimits()).run(None)
        fund.move(Auction.OPEN)
        fund.move(Auction.CLOSE)
    Rebalancer(fund.ports, STRATEGY, RiskLimits()).reconcile()


def positions(world: World, fund: SimulatedFund, journal: MemoryJournal) -> Sequence[Position]:
    """The fund's own positions as a journal has them; nothing is foreign."""
    held: Mapping[str, float] = {one.ticker: one.quantity for one in fund.ports.broker.positions()}
    splits = list_splits(world.data.corporate_actions(world.days[0], fund.core.state.moment.date()))
    found = attribute_positions(held, {ticker: journal.fills(ticker) for ticker in held}, splits, {}, {})
    assert not found.foreign
    return found.positions


@pytest.mark.parametrize("copied", [None, *range(SESSIONS)])
def test_every_entry_comes_back(world: World, copied: int | None) -> None:
    """The journal is lost (None), or restored from a copy that was made after so many sessions."""
    fund, journal = world.open_fund(), MemoryJournal()
    if copied is not None:
        play(fund, copied)
        journal = deepcopy(fund.journal)
    play(fund, SESSIONS - (copied or 0))
    before = positions(world, fund, fund.journal)
    assert any(order.leg is Leg.ADD for one in before for order in fund.journal.fills(one.ticker))
    Rebalancer(replace(fund.ports, journal=journal), STRATEGY, RiskLimits()).recover()
    assert positions(world, fund, journal) == before
    assert not Rebalancer(replace(fund.ports, journal=journal), STRATEGY, RiskLimits()).reconcile().foreign


def test_portfolios_come_back_as_far_as_orders_say() -> None:
    """Portfolios and all but the first session's journal are lost: what was traded has the shares before and after."""
    fund = World.make(5, sessions_played=SESSIONS + 1, tickers=30).open_fund()
    play(fund, 1)
    journal, portfolios = deepcopy(fund.journal), MemoryPortfolios()
    play(fund, SESSIONS - 1)
    Rebalancer(replace(fund.ports, journal=journal, portfolios=portfolios), STRATEGY, RiskLimits()).recover()
    compared: set[Action] = set()
    for run in fund.journal.runs()[1:]:
        adopted, decided = portfolios.find(run.portfolio_id), fund.portfolios.find(run.portfolio_id)
        assert adopted is not None
        assert decided is not None
        before = {row.ticker: row for row in decided.rows}
        for row in adopted.rows:
            was = before[row.ticker]
            assert (row.action, row.held, row.quantity) == (was.action, was.held, was.quantity), (row, was)
            compared.add(row.action)
    assert compared == set(Action)


def test_orders_of_a_former_strategy_are_recognized(world: World) -> None:
    """Restored, and started with another strategy: the orders of each that the journal names come back under it."""
    fund = world.open_fund()
    play(fund, 2)
    journal = deepcopy(fund.journal)
    play(fund, 2)
    before = positions(world, fund, fund.journal)
    renamed = Rebalancer(replace(fund.ports, journal=journal), RENAMED, RiskLimits())
    assert not renamed.reconcile().foreign
    assert positions(world, fund, journal) == before
    assert fund.journal.first_run() == fund.journal.runs()[0]
    runs = [(run.portfolio_id, run.policy) for run in fund.journal.runs()]
    assert [(run.portfolio_id, run.policy) for run in journal.runs()] == runs
    assert renamed.run(None).run.policy == "renamed"


def test_nothing_is_decided_beside_unrecognized_open_orders(world: World) -> None:
    """The journal is lost, and another strategy starts: refused until the one that sent the orders adopts them."""
    fund = world.open_fund()
    sent = Rebalancer(fund.ports, STRATEGY, RiskLimits()).run(None)
    journal = MemoryJournal()
    ports = replace(fund.ports, journal=journal, portfolios=MemoryPortfolios())
    with pytest.raises(ConflictError, match="Start with that strategy and POST /reconciliations") as refused:
        Rebalancer(ports, RENAMED, RiskLimits()).run(None)
    assert all(order.client_order_id in refused.value.detail for order in sent.orders)
    assert (journal.runs(), journal.first_run()) == ([], None)
    assert len(fund.ports.broker.open_orders()) == len(sent.orders)
    Rebalancer(ports, STRATEGY, RiskLimits()).reconcile()
    assert Rebalancer(ports, RENAMED, RiskLimits()).run(None).run.portfolio_id == sent.run.portfolio_id
