"""Sales by hand are counted in today's shares, with the splits alone that the broker and the data service agree on."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest

from internal.action_kinds import ActionKind
from internal.errors import UnavailableError
from internal.simulation.fund import SimulatedFund
from internal.trading.corporate_actions import CorporateAction as CoreAction
from internal.trading.entries import EntryMemory
from internal.trading.flatten_report import UNCLEAR
from internal.trading.hand_trades import RECORDS
from internal.trading.held_securities import find_held
from internal.trading.journal_differences import sum_missing_dollars
from internal.trading.limits import RiskLimits
from internal.trading.own_holdings import find_own_holdings
from internal.trading.ports import TradingPorts
from internal.trading.rebalancing import Rebalancer
from internal.trading.trading_state import StateCause, TradingState
from internal.venue.clock import Auction
from internal.venue.corporate_actions import split_action
from libraries.python.tests.trading.actions_kit import EFFECTIVE, OPENING, Scripted, held_at_broker, open_fund
from libraries.python.tests.trading.trading_state_kit import SlowOrders, set_state, trade_by_hand
from libraries.python.tests.venue.venue_kit import DAYS

WEIGHTS = {"FWD": 0.0201}  # 20 shares at 100 dollars


def play(fund: SimulatedFund, ports: TradingPorts, weights: Mapping[date, Mapping[str, float]]) -> None:
    """Decide, then open and close the next session, with a reconciliation after the close."""
    trader = trader_of(ports, weights)
    trader.run(None)
    fund.move(Auction.OPEN)
    fund.move(Auction.CLOSE)
    trader.reconcile()


def trader_of(ports: TradingPorts, weights: Mapping[date, Mapping[str, float]] | None = None) -> Rebalancer:
    """A process that keeps what is held."""
    return Rebalancer(ports, Scripted(weights or {}), RiskLimits())


def open_split_fund(old: int, new: int, by_hand: int = 0) -> SimulatedFund:
    """A fund with 20 shares, beside `by_hand` of somebody else, at the close of the session that split them."""
    fund = open_fund([split_action("FWD", EFFECTIVE, Decimal(old), Decimal(new))], ["FWD"])
    play(fund, fund.ports, {OPENING: WEIGHTS})
    if by_hand:
        trade_by_hand(fund, "FWD", Decimal(by_hand))
    for _ in range(2):
        play(fund, fund.ports, {})
    return fund


def own(fund: SimulatedFund) -> float:
    """The fund's shares."""
    return find_own_holdings(fund.ports, fund.ports.broker.moment(), EntryMemory()).shares.get("FWD", 0.0)


def test_a_late_sale_by_hand_after_a_split_is_seen() -> None:
    """Of 20 shares that are 40 now somebody sells 20 by an old order: as many are left as were opened, and 20 closed.

    20 that he buys later are his, and what flattening closes is the fund's 20.
    """
    fund = open_split_fund(1, 2)
    broker = SlowOrders(fund)
    trade_by_hand(fund, "FWD", Decimal(-20))
    play(fund, broker.ports, {})
    assert held_at_broker(fund) == {"FWD": 20}
    assert [row.signed_filled_quantity for row in fund.journal.of(RECORDS)] == [-20]
    trade_by_hand(fund, "FWD", Decimal(20))
    play(fund, broker.ports, {})
    assert (held_at_broker(fund), own(fund)) == ({"FWD": 40}, 20)


def test_a_split_is_no_difference() -> None:
    """The account has twice the shares that were filled: nobody traded.

    Old orders are asked for once by a process that does not know yet whether a trade waits for the split.
    """
    fund = open_split_fund(1, 2)
    broker = SlowOrders(fund)
    trader = trader_of(broker.ports)
    trader.reconcile()
    broker.asked.clear()
    trader.reconcile()
    assert all(moment > fund.ports.broker.moment() - timedelta(days=60) for moment in broker.asked)


def refuse_data(*_: object) -> Sequence[CoreAction]:
    """What every question to the data service gets."""
    raise UnavailableError("the data service does not answer")


def test_without_the_data_service_a_name_that_split_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """1 for 10 makes 2 of the fund's 20, and 20 of a person's 200, of which he sells ten while everything is closed.

    No share of the fund's was sold by hand, whatever the count before the split says; its 2 are closed.
    """
    fund = open_split_fund(10, 1, by_hand=200)
    assert (held_at_broker(fund), own(fund)) == ({"FWD": 22}, 2)
    trade_by_hand(fund, "FWD", Decimal(-10))
    fund.move(Auction.OPEN)
    set_state(fund.ports, TradingState.HALTED, StateCause.FLATTEN)
    with monkeypatch.context() as patch:
        patch.setattr(type(fund.ports.data), "corporate_actions", refuse_data)
        trader_of(fund.ports).reconcile()
        assert fund.journal.of(RECORDS) == []
    trader_of(fund.ports).reconcile()
    assert fund.journal.of(RECORDS) == []
    fund.move(Auction.CLOSE)
    fund.move(Auction.OPEN)
    assert held_at_broker(fund) == {"FWD": 10}


def test_without_the_data_service_a_name_without_split_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody sells the fund's 20 shares and buys 20: while everything is closed without data, those stay his."""
    fund = open_fund([], ["FWD"])
    play(fund, fund.ports, {OPENING: WEIGHTS})
    trade_by_hand(fund, "FWD", Decimal(-20))
    fund.move(Auction.OPEN)
    trade_by_hand(fund, "FWD", Decimal(20))
    fund.move(Auction.CLOSE)
    fund.move(Auction.OPEN)
    set_state(fund.ports, TradingState.HALTED, StateCause.FLATTEN)
    monkeypatch.setattr(type(fund.ports.data), "corporate_actions", refuse_data)
    trader_of(fund.ports).reconcile()
    assert [row.signed_filled_quantity for row in fund.journal.of(RECORDS)] == [-20]
    fund.move(Auction.CLOSE)
    fund.move(Auction.OPEN)
    assert held_at_broker(fund) == {"FWD": 20}


@pytest.mark.parametrize("is_stated", [True, False], ids=["the data service is first", "the broker is first"])
def test_a_sale_waits_until_both_know_the_split(monkeypatch: pytest.MonkeyPatch, *, is_stated: bool) -> None:
    """A person sells 20 of his own, beside the fund's 20, at a split that one side does not know yet: none is ours.

    The data service states a split that the broker has not made, or none where the broker has made one.
    """
    fund = open_split_fund(1, 2, by_hand=20) if not is_stated else open_split_fund(1, 1, by_hand=20)
    data = type(fund.ports.data)
    stated = [CoreAction(ActionKind.FORWARD_SPLIT, "FWD", EFFECTIVE, 1.0, 2.0)] if is_stated else []

    def state(_data: object, first: date, last: date) -> Sequence[CoreAction]:
        return [one for one in stated if first <= one.effective_date <= last]

    trade_by_hand(fund, "FWD", Decimal(-20))
    fund.move(Auction.OPEN)
    with monkeypatch.context() as patch:
        patch.setattr(data, "corporate_actions", state)
        trader_of(fund.ports).reconcile()
    trader_of(fund.ports).reconcile()
    assert fund.journal.of(RECORDS) == []


def test_what_is_missing_counts_in_the_shares_of_the_decision() -> None:
    """20 shares that are 40 now are gone without any order: 40 at the price of the last decision are missing."""
    fund = open_split_fund(1, 2)
    trader_of(fund.ports).run(None)
    (run,) = [one for one in fund.journal.runs() if one is fund.journal.last_run()]
    portfolio = fund.portfolios.find(run.portfolio_id)
    assert portfolio is not None
    (row,) = portfolio.rows
    found = sum_missing_dollars(fund.ports, [], find_held(fund.journal, []), {}, EntryMemory())
    assert found == pytest.approx(40 * row.reference_price)


def flatten(fund: SimulatedFund, trader: Rebalancer) -> list[float]:
    """Close everything that is the fund's; the shares of the orders that this sends."""
    set_state(fund.ports, TradingState.HALTED, StateCause.FLATTEN)
    trader.reconcile()
    return [order.quantity for order in fund.ports.broker.open_orders()]


@pytest.mark.parametrize("auction", Auction)
def test_a_sale_on_the_eve_of_a_split(auction: Auction, monkeypatch: pytest.MonkeyPatch) -> None:
    """20 of the fund's 20 are sold at the open or the close of the eve of 2 for 1; 20 bought later stay."""
    monkeypatch.setattr("internal.trading.broker_splits.NEW", timedelta(days=3))  # the market of the tests is short
    fund = open_fund([split_action("FWD", DAYS[4], Decimal(1), Decimal(2))], ["FWD"])
    trader = trader_of(fund.ports, {OPENING: WEIGHTS})
    play_with(trader, fund)
    play_with(trader, fund, sold_before=auction)
    play_with(trader, fund)
    trade_by_hand(fund, "FWD", Decimal(20))
    while fund.ports.broker.moment().day < 10:
        play_with(trader, fund)
    assert (held_at_broker(fund), own(fund)) == ({"FWD": 20}, 0)
    assert flatten(fund, trader) == []


def play_with(trader: Rebalancer, fund: SimulatedFund, sold_before: Auction | None = None) -> None:
    """Decide and play a session, reconciled after each auction; 20 shares are sold by hand in one of them."""
    trader.run(None)
    for auction in (Auction.OPEN, Auction.CLOSE):
        if auction is sold_before:
            trade_by_hand(fund, "FWD", Decimal(-20))
        fund.move(auction)
        trader.reconcile()


def test_a_sale_in_the_session_of_the_opening_before_a_split() -> None:
    """20 of the fund's 20 are sold at the close of the session that opened them, which is the eve of 2 for 1."""
    fund = open_fund([split_action("FWD", EFFECTIVE, Decimal(1), Decimal(2))], ["FWD"])
    trader = trader_of(fund.ports, {OPENING: WEIGHTS})
    play_with(trader, fund, sold_before=Auction.CLOSE)
    play_with(trader, fund)
    trade_by_hand(fund, "FWD", Decimal(20))
    while fund.ports.broker.moment().day < 10:
        play_with(trader, fund)
    assert (held_at_broker(fund), own(fund)) == ({"FWD": 20}, 0)
    assert flatten(fund, trader) == []


def answer_nothing(*_: object) -> Sequence[CoreAction]:
    """The answer of a data service that has no split yet."""
    return ()


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_sale_that_waited_for_a_split_and_was_bought_back(
    is_restarted: bool,  # noqa: FBT001 - a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The fund's 40 are sold and 40 bought, while the data service has no split: these are not the fund's."""
    fund = open_split_fund(1, 2)
    trader = trader_of(fund.ports)
    with monkeypatch.context() as patch:
        patch.setattr(type(fund.ports.data), "corporate_actions", answer_nothing)
        trade_by_hand(fund, "FWD", Decimal(-40))
        play_with(trader, fund)
        play_with(trader, fund)
        trade_by_hand(fund, "FWD", Decimal(40))
        play_with(trader, fund)
        assert (held_at_broker(fund), fund.journal.of(RECORDS)) == ({"FWD": 40}, [])
    if is_restarted:
        trader = trader_of(fund.ports)
    trader.reconcile()
    assert own(fund) == 0
    assert flatten(fund, trader) == []


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_purchase_that_makes_up_for_a_split_that_nobody_has_stated(
    is_restarted: bool,  # noqa: FBT001 - a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """1 for 2 makes ten of the fund's 20; a person buys ten: the account has 20 again, of which ten are closed."""
    fund = open_fund([split_action("FWD", EFFECTIVE, Decimal(2), Decimal(1))], ["FWD"])
    monkeypatch.setattr(type(fund.ports.data), "corporate_actions", answer_nothing)
    trader = trader_of(fund.ports, {OPENING: WEIGHTS})
    for _ in range(3):
        play_with(trader, fund)
    assert held_at_broker(fund) == {"FWD": 10}
    trade_by_hand(fund, "FWD", Decimal(10))
    fund.move(Auction.OPEN)
    assert (held_at_broker(fund), own(fund)) == ({"FWD": 20}, 10)
    assert flatten(fund, trader_of(fund.ports) if is_restarted else trader) == [10]


def test_a_purchase_after_which_a_split_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """1 for 4 makes five of 20 and a person buys 15, which the broker does not list: on doubt nothing is closed."""
    fund = open_fund([split_action("FWD", EFFECTIVE, Decimal(4), Decimal(1))], ["FWD"])
    monkeypatch.setattr(type(fund.ports.data), "corporate_actions", answer_nothing)
    trader = trader_of(fund.ports, {OPENING: WEIGHTS})
    for _ in range(3):
        play_with(trader, fund)
    trade_by_hand(fund, "FWD", Decimal(15))
    fund.move(Auction.OPEN)
    monkeypatch.setattr(type(fund.ports.broker), "orders_since", answer_nothing)
    assert flatten(fund, trader_of(fund.ports)) == []
    (left,) = trader_of(fund.ports).report_flattening().still_open
    assert (left.quantity, left.reason) == (20, UNCLEAR)
