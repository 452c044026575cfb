"""Rows of corporate actions follow the broker: only what it moved counts, and what it takes back is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import pytest

from internal.action_kinds import ActionKind
from internal.errors import UnavailableError
from internal.simulation.fund import SimulatedFund
from internal.trading.broker_reports import BrokerPosition
from internal.trading.corporate_actions import CorporateAction as CoreAction
from internal.trading.entries import EntryMemory
from internal.trading.enums import OrderState
from internal.trading.limits import RiskLimits
from internal.trading.optional_data import OptionalData
from internal.trading.own_holdings import find_own_holdings
from internal.trading.ports import TradingPorts
from internal.trading.rebalancing import Rebalancer
from internal.trading.share_movements import ShareMovement
from internal.venue.corporate_actions import CorporateAction, split_action
from internal.venue.orders import OrderRequest, OrderType, Side, TimeInForce
from libraries.python.tests.trading.actions_kit import (
    EFFECTIVE,
    OPENING,
    OtherActions,
    Scripted,
    gift,
    held_at_broker,
    merger,
    open_fund,
    play_session,
)
from libraries.python.tests.venue.venue_kit import DAYS

if TYPE_CHECKING:
    from internal.simulation.table_data import TableData
    from internal.trading.ports import Broker, MarketData

RENAME = CorporateAction(ActionKind.NAME_CHANGE, "OLD", EFFECTIVE, new_ticker="NEW")
SPIN_OFF = gift(ActionKind.SPIN_OFF, "SPI", EFFECTIVE, 4, "SPIC")
MERGER = merger("STK", "BUYR", 2, 1)
TICKERS = ("BUYR", "NEW", "OLD", "SPI", "SPIC", "STK")
WEIGHTS = {"OLD": 0.0201, "SPI": 0.0201, "STK": 0.0201}  # 20 shares each


@dataclass(frozen=True)
class OtherAccount:
    """A broker that shows other positions, and lists other movements of shares, than the venue."""

    inner: "Broker"
    shares: dict[str, float]
    moved: Sequence[ShareMovement]

    def positions(self) -> list[BrokerPosition]:
        """The shares at 100 dollars."""
        return [BrokerPosition(one, held, 100.0, 100.0, 100.0 * held, 0.0) for one, held in sorted(self.shares.items())]

    def share_movements(self, after: date) -> Sequence[ShareMovement]:
        """Those after the day."""
        return [one for one in self.moved if one.day > after]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - passes every other method on
        """The venue's own."""
        return getattr(self.inner, name)


def with_account(fund: SimulatedFund, shares: dict[str, float], moved: Sequence[ShareMovement]) -> TradingPorts:
    """The fund's ports on another account."""
    return replace(fund.ports, broker=cast("Broker", OtherAccount(fund.ports.broker, shares, moved)))


def with_actions(ports: TradingPorts, actions: Sequence[CoreAction]) -> TradingPorts:
    """The ports with other actions at the data service."""
    return replace(ports, data=OtherActions(cast("TableData", ports.data), actions))


def own_shares(ports: TradingPorts, *tickers: str) -> dict[str, float]:
    """What the journal explains of each ticker: signed shares of its fills."""
    return {one: sum(order.signed_filled_quantity for order in ports.journal.fills(one)) for one in tickers}


def trader_of(ports: TradingPorts) -> Rebalancer:
    """A fresh process that keeps what is held, and opened the names of WEIGHTS."""
    return Rebalancer(ports, Scripted({OPENING: WEIGHTS}), RiskLimits())


def played(*actions: CorporateAction, sessions: int) -> SimulatedFund:
    """A fund that opened WEIGHTS and went on for some sessions."""
    fund = open_fund(actions, TICKERS)
    for _ in range(sessions):
        play_session(fund, trader_of(fund.ports))
    return fund


@pytest.mark.parametrize("sessions", [0, 1], ids=["before the positions", "before the actions"])
def test_a_restored_broker_carries_an_action_out_again(sessions: int) -> None:
    """Its rows are taken back with what the broker lost, and written once more when it shows their result again."""
    actions = (RENAME, SPIN_OFF, MERGER)
    journal = played(*actions, sessions=3).journal
    assert held_at_broker(played(*actions, sessions=3)) == {"BUYR": 10.0, "NEW": 20.0, "SPI": 20.0, "SPIC": 5.0}
    restored = played(*actions, sessions=sessions)
    restored.journal = journal
    restored.ports = replace(restored.ports, journal=journal)
    trader_of(restored.ports).accept_broker_state()
    left = dict.fromkeys(WEIGHTS, 20.0 * sessions)
    assert own_shares(restored.ports, *WEIGHTS, "BUYR", "NEW", "SPIC") == left | {"BUYR": 0.0, "NEW": 0.0, "SPIC": 0.0}
    for _ in range(3):
        play_session(restored, trader_of(restored.ports))
        assert not trader_of(restored.ports).reconcile().foreign
    if sessions:
        expected = {"BUYR": 10.0, "NEW": 20.0, "SPI": 20.0, "SPIC": 5.0}
        assert own_shares(restored.ports, *expected) == held_at_broker(restored) == expected


@pytest.mark.parametrize(
    ("stated", "carried_out", "received"),
    [
        (
            gift(ActionKind.SPIN_OFF, "SPI", EFFECTIVE, 4, "BUYR"),
            gift(ActionKind.SPIN_OFF, "SPI", DAYS[5], 4, "BUYR"),
            5,
        ),
        (MERGER, CorporateAction(ActionKind.WORTHLESS_REMOVAL, "STK", EFFECTIVE), 0),
    ],
    ids=["a spin-off is late", "the old shares are gone and the new ones have not come"],
)
def test_shares_of_somebody_else_are_not_received(
    stated: CorporateAction, carried_out: CorporateAction, received: int
) -> None:
    """A person holds 30 of what the fund is to receive: the fund owns none of them before the broker brings its own."""
    fund = open_fund([carried_out], TICKERS)
    terms = CoreAction(stated.kind, stated.ticker, EFFECTIVE, float(stated.old_shares or 0), 1.0, "BUYR")
    ports = with_actions(fund.ports, [terms])
    fund.core.submit(
        OrderRequest("BUYR", Side.BUY, OrderType.MARKET, TimeInForce.DAY, Decimal(30), None, None, None, None)
    )
    for _ in range(3):
        play_session(fund, trader_of(ports))
        assert own_shares(ports, "BUYR") == {"BUYR": 0.0}
        assert [(one.ticker, one.quantity) for one in trader_of(ports).reconcile().foreign] == [("BUYR", 30.0)]
    for _ in range(2):
        play_session(fund, trader_of(ports))
    assert own_shares(ports, "BUYR") == {"BUYR": received}
    assert [(one.ticker, one.quantity) for one in trader_of(ports).reconcile().foreign] == [("BUYR", 30.0)]


BEFORE = {"OLD": 20.0, "SPI": 20.0, "STK": 20.0}
AFTER = {"BUYR": 10.0, "NEW": 20.0, "SPI": 20.0, "SPIC": 5.0}
OUT = [
    ShareMovement("STK", EFFECTIVE, -20.0),
    ShareMovement("BUYR", EFFECTIVE, 10.0),
    ShareMovement("SPIC", EFFECTIVE, 5),
]
BACK = [ShareMovement(one.ticker, DAYS[4], -one.shares) for one in OUT]


def test_a_withdrawn_action_is_taken_back_when_the_broker_takes_it_back() -> None:
    """While the account shows the action its rows stay, although nobody states it any more; then they go."""
    fund = played(RENAME, SPIN_OFF, MERGER, sessions=3)
    for account, moved, expected in ((AFTER, OUT, AFTER), (BEFORE, [*OUT, *BACK], BEFORE)):
        trader = Rebalancer(with_actions(with_account(fund, account, moved), []), Scripted({}), RiskLimits())
        assert not trader.reconcile().foreign
        assert own_shares(fund.ports, *expected) == expected
    dropped = [order for order in fund.journal.orders() if order.state is OrderState.DROPPED]
    assert {order.ticker for order in dropped} == {"BUYR", "NEW", "SPIC", "STK"}
    play_session(fund, trader_of(fund.ports))  # it is stated again, and the account shows it
    assert own_shares(fund.ports, *AFTER) == AFTER
    assert not trader_of(fund.ports).reconcile().foreign


def test_the_shares_of_a_person_stay_when_an_action_is_withdrawn() -> None:
    """A person holds 30 of the spun-off name: the broker takes 5 of the 35 back, and the fund owns none of the rest."""
    fund = played(SPIN_OFF, sessions=3)
    account = with_account(fund, {**BEFORE, "SPIC": 30.0}, [OUT[2], BACK[2]])
    trader = Rebalancer(with_actions(account, []), Scripted({}), RiskLimits())
    assert [(one.ticker, one.quantity) for one in trader.reconcile().foreign] == [("SPIC", 30.0)]


def test_corrected_terms_correct_the_row() -> None:
    """A share for 4 becomes a share for 2: 5 more come, and the fund owns 10 once the broker has brought them."""
    fund = played(SPIN_OFF, sessions=3)
    corrected = CoreAction(ActionKind.SPIN_OFF, "SPI", EFFECTIVE, 2.0, 1.0, "SPIC")
    late = ShareMovement("SPIC", DAYS[4], 5.0)
    for moved, own in (([OUT[2]], 5.0), ([OUT[2], late], 10.0)):
        ports = with_actions(with_account(fund, {**BEFORE, "SPIC": own}, moved), [corrected])
        assert not trader_of(ports).reconcile().foreign
        assert own_shares(ports, "SPIC") == {"SPIC": own}


def test_rounded_terms_of_a_split() -> None:
    """3 for 1 backwards, stated as 1 to 0.3333: 21 shares are 7, and none of them is foreign."""
    split = split_action("STK", EFFECTIVE, Decimal(3), Decimal(1))
    fund = open_fund([split], TICKERS)
    stated = with_actions(fund.ports, [CoreAction(ActionKind.REVERSE_SPLIT, "STK", EFFECTIVE, 1.0, 0.3333)])
    trader = Rebalancer(stated, Scripted({OPENING: {"STK": 0.0211}}), RiskLimits())
    for _ in range(3):
        play_session(fund, trader)
        assert not trader.reconcile().foreign
    assert held_at_broker(fund) == {"STK": 7.0}


@pytest.mark.parametrize(
    ("old", "new", "ratio"),
    [
        *((1.0, 0.3333, 1 / 3), (1.0, 0.6667, 2 / 3), (1.0, 0.142857, 1 / 7), (1.0, 1.3333, 4 / 3), (3.0, 1.0, 1 / 3)),
        *((1.0, 0.0667, 1 / 15), (1.0, 0.01, 0.01), (1.0, 0.0025, 1 / 400), (1.0, 1.05, 1.05), (100.0, 103.0, 1.03)),
        *((1.0, 1.6129, 1.6129), (1.0, 20.0, 20.0)),
    ],
)
def test_ratios_of_splits(old: float, new: float, ratio: float) -> None:
    """Rounded thirds, sixths and sevenths are exact; what is exact, or no fraction of small numbers, stays."""
    assert CoreAction(ActionKind.FORWARD_SPLIT, "X", EFFECTIVE, old, new).ratio == ratio


def test_a_stock_dividend_of_another_security_keeps_the_position() -> None:
    """It is a gift beside the position, and no split of it."""
    other = CoreAction(ActionKind.STOCK_DIVIDEND, "X", EFFECTIVE, 10.0, 1.0, "Y")
    assert (other.ratio, other.deliveries, other.is_recorded) == (1.0, [("Y", 0.1)], True)
    own = CoreAction(ActionKind.STOCK_DIVIDEND, "X", EFFECTIVE, 10.0, 1.0)
    assert (own.ratio, own.deliveries, own.is_recorded) == (1.1, [], False)


def doubled(ticker: str, day: date, added: float) -> ShareMovement:
    """The broker's list of a split."""
    return ShareMovement(ticker, day, added, is_split=True)


@pytest.mark.parametrize("stated", [True, False], ids=["the data service is first", "the broker is first"])
def test_a_split_counts_when_the_broker_has_carried_it_out(*, stated: bool) -> None:
    """A person holds 20 beside the fund's 20: two for one makes 40 of each, when it is stated and carried out."""
    fund = played(sessions=2)
    split = [CoreAction(ActionKind.FORWARD_SPLIT, "STK", EFFECTIVE, 1.0, 2.0)] if stated else []
    kept = {"OLD": 20.0, "SPI": 20.0}
    for moved, own, at_broker in (([], 20.0, 40.0), ([doubled("STK", EFFECTIVE, 40.0)], 40.0, 80.0)):
        ports = with_actions(with_account(fund, {**kept, "STK": at_broker}, moved), split)
        foreign = Rebalancer(ports, Scripted({}), RiskLimits()).reconcile().foreign
        assert [(one.ticker, one.quantity) for one in foreign] == [("STK", at_broker - own)]


def test_a_split_beside_somebody_s_shares_who_traded_since() -> None:
    """Two for one makes 40 of the fund's 20 and 40 of the owner's 20, who buys ten more after it."""
    fund = played(sessions=3)
    fund.core.submit(
        OrderRequest("STK", Side.BUY, OrderType.MARKET, TimeInForce.DAY, Decimal(10), None, None, None, None)
    )
    play_session(fund, trader_of(fund.ports))
    moved = [doubled("STK", EFFECTIVE, 40.0)]
    ports = with_actions(with_account(fund, {"OLD": 20.0, "SPI": 20.0, "STK": 90.0}, moved), [])
    foreign = Rebalancer(ports, Scripted({}), RiskLimits()).report_foreign()
    assert [(one.ticker, one.quantity) for one in foreign] == [("STK", 50.0)]


class NoData:
    """A data service that does not answer."""

    def corporate_actions(self, *_: object) -> Sequence[CoreAction]:
        """Fail."""
        raise UnavailableError("the data service does not answer")


def test_without_the_data_service_the_broker_shows_the_split() -> None:
    """What is closed then is the fund's part after the split."""
    account = with_account(played(sessions=2), {"STK": 80.0}, [doubled("STK", EFFECTIVE, 40.0)])
    ports = replace(account, data=OptionalData(cast("MarketData", NoData())))
    assert find_own_holdings(ports, ports.broker.moment(), EntryMemory()).shares == {"STK": 40.0}


def test_a_name_whose_split_is_late_is_not_traded() -> None:
    """The prices are of new shares and the account counts old ones: the name stays as it is."""
    fund = played(sessions=2)
    split = CoreAction(ActionKind.FORWARD_SPLIT, "STK", EFFECTIVE, 1.0, 2.0)
    strategy = Scripted({EFFECTIVE: {}})
    outcome = Rebalancer(with_actions(fund.ports, [split]), strategy, RiskLimits()).run(None)
    assert strategy.seen[-1].blocked == {"STK"}
    assert {order.ticker for order in outcome.orders} == {"OLD", "SPI"}


@pytest.mark.parametrize(
    ("at_broker", "added", "own"),
    [
        *((40.0, 20.0, 40.0), (30.0, 10.0, 30.0), (10.0, -10.0, 10.0), (6.0, -14.0, 6.0)),
        *((5.0, -15.0, 5.0), (11.0, -33.0, 5.0)),
        *((83.0, 40.0, 20.0), (45.0, 25.0, 20.0)),
    ],
    ids=[
        "2 for 1",
        "3 for 2",
        "1 for 2",
        "1 for 3 and cash",
        "2 for 7 and cash",
        "1 for 4 of 44",
        "somebody bought since",
        "somebody sold since",
    ],
)
def test_splits_that_nobody_has_stated(at_broker: float, added: float, own: float) -> None:
    """The ratio is that of the broker's counts; where they show none, what is more than the fund's stays foreign."""
    fund = played(sessions=3)
    account = {"OLD": 20.0, "SPI": 20.0, "STK": at_broker}
    ports = with_actions(with_account(fund, account, [doubled("STK", EFFECTIVE, added)]), [])
    foreign = Rebalancer(ports, Scripted({}), RiskLimits()).reconcile().foreign
    assert sum(one.quantity for one in foreign) == at_broker - own
    strategy = Scripted({})
    Rebalancer(ports, strategy, RiskLimits()).run(None)
    assert {one.ticker: one.quantity for one in strategy.seen[-1].positions}["STK"] == own
