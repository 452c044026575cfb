"""Another strategy after a restart: a session is decided once for the account, by whichever strategy came first."""

import pytest
from loaded_strategies import ten_by_ten

from internal.simulation.fund import SimulatedFund
from internal.simulation.world import World
from internal.strategies.loading import LoadedStrategy, load_strategy
from internal.trading.enums import OrderState, RunState
from internal.trading.limits import RiskLimits
from internal.trading.memory_journal import MemoryJournal
from internal.trading.rebalancing import Rebalancer
from internal.trading.strategy import StrategyError
from internal.venue.clock import Auction

FORMER = ten_by_ten(names_per_side=3, same_day_lock=False)
LONGS = """
from pocketsizefund import Situation, Strategy, Targets


class OtherNames(Strategy):
    history_sessions = 1

    def decide(self, situation: Situation) -> Targets:
        return Targets.of(dict.fromkeys(situation.tickers[:2], 0.05), "the first names")


class Failing(Strategy):
    history_sessions = 1

    def decide(self, situation: Situation) -> Targets:
        return Targets.of({"ABC": 1 / len(situation.positions)}, "a division by zero while nothing is held")


class Leaving(Strategy):
    history_sessions = 1

    def decide(self, situation: Situation) -> Targets:
        raise SystemExit(3)
"""


@pytest.fixture(scope="module")
def world() -> World:
    """Two sessions of 30 names."""
    return World.make(11, sessions_played=2, tickers=30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file with the other strategies."""
    path = tmp_path_factory.mktemp("strategies") / "others.py"
    path.write_text(LONGS)
    return str(path)


def run(fund: SimulatedFund, strategy: LoadedStrategy) -> str:
    """The portfolio of the last closed session, as a process that has just started answers."""
    return Rebalancer(fund.ports, strategy, RiskLimits()).run(None).run.portfolio_id


def sent(fund: SimulatedFund) -> set[str]:
    """The ids of all orders that the broker has."""
    return {
        order.client_order_id for order in fund.ports.broker.orders_since(fund.core.state.moment.replace(year=2000))
    }


def end_session(fund: SimulatedFund) -> None:
    """Play the session after the decision."""
    fund.move(Auction.OPEN)
    fund.move(Auction.CLOSE)


def test_a_decided_session_is_not_traded_again(world: World, folder: str) -> None:
    """Started again with another strategy: the session keeps its portfolio; the next one is decided by the other."""
    fund, other = world.open_fund(), load_strategy(f"{folder}:OtherNames")
    decided = run(fund, FORMER)
    orders = sent(fund)
    assert orders
    assert run(fund, other) == decided
    assert sent(fund) == orders
    end_session(fund)
    following = run(fund, other)
    assert run(fund, FORMER) == following != decided
    records = [(one.policy, one.strategy_digest, one.parameters) for one in fund.journal.runs()]
    assert records == [(one.record.name, one.record.digest, one.record.parameters) for one in (FORMER, other)]


def test_an_interrupted_run_goes_on_as_planned(world: World, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between its plan and its orders: the other strategy's process sends what was planned, and nothing else."""
    fund, other, undisturbed = world.open_fund(), load_strategy(f"{folder}:OtherNames"), world.open_fund()
    with monkeypatch.context() as patch:
        patch.setattr(type(fund.ports.broker), "submit", _die)
        with pytest.raises(KeyboardInterrupt):
            run(fund, FORMER)
    assert (len(sent(fund)), fund.journal.open_runs()[0].state) == (0, RunState.PLANNED)
    assert run(fund, other) == run(undisturbed, FORMER)
    assert sent(fund) == sent(undisturbed)


def test_a_plan_without_its_run_does_not_bind(world: World, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before the plan was bound: the other strategy decides, and the former one's orders are never sent."""
    fund, other = world.open_fund(), load_strategy(f"{folder}:OtherNames")
    with monkeypatch.context() as patch:
        patch.setattr(MemoryJournal, "save_runs", _die)
        with pytest.raises(KeyboardInterrupt):
            run(fund, FORMER)
    planned = {order.client_order_id for order in fund.journal.orders()}
    decided = run(fund, other)
    assert planned
    assert not planned & sent(fund)
    assert run(fund, FORMER) == decided
    end_session(fund)
    Rebalancer(fund.ports, other, RiskLimits()).reconcile()
    assert {order.state for order in fund.journal.orders() if order.client_order_id in planned} == {OrderState.DROPPED}


@pytest.mark.parametrize(("name", "error"), [("Failing", "ZeroDivisionError"), ("Leaving", "SystemExit: 3")])
def test_a_failing_strategy_leaves_nothing(world: World, folder: str, name: str, error: str) -> None:
    """The error shows the line of the strategy's file, and none of the library's; nothing is planned or sent."""
    fund = world.open_fund()
    with pytest.raises(StrategyError, match=error) as failed:
        run(fund, load_strategy(f"{folder}:{name}"))
    assert f'File "{folder}", line' in failed.value.detail
    assert "internal/" not in failed.value.detail
    assert (fund.journal.runs(), fund.journal.orders(), sent(fund)) == ([], [], set())
    assert run(fund, load_strategy(f"{folder}:OtherNames"))  # repaired, the session is decided


def _die(*_: object) -> None:
    raise KeyboardInterrupt
