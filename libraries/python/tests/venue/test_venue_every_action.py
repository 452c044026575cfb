"""Every kind of corporate action on longs and shorts: hand calculations, and the books rebuilt from the movements."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.action_kinds import ActionKind
from internal.venue.action_processing import OpeningTerms, apply_action
from internal.venue.clock import Auction
from internal.venue.core import open_venue
from internal.venue.corporate_actions import CorporateAction
from internal.venue.history import ActivityType, Movement
from internal.venue.margin_account import MarginAccount, apply_fill
from internal.venue.money import cents
from internal.venue.orders import OrderRequest, OrderType, Side, TimeInForce
from internal.venue.repository import InMemoryRepository
from internal.venue.state import open_account
from libraries.python.tests.venue.venue_kit import ARRIVING, CONCERNED, every_action, hand_market

DAY = date(2025, 1, 3)
ACTIONS = every_action(DAY)
CASH = Decimal(100000)
TYPES = {  # Alpaca's types and sub-types, from its documentation of account activities
    ActionKind.FORWARD_SPLIT: ("SPLIT", "FSPLIT"),
    ActionKind.REVERSE_SPLIT: ("SPLIT", "RSPLIT"),
    ActionKind.UNIT_SPLIT: ("SPLIT", "USPLIT"),
    ActionKind.CASH_DIVIDEND: ("DIV", "CDIV"),
    ActionKind.STOCK_DIVIDEND: ("DIV", "SDIV"),
    ActionKind.RIGHTS_DISTRIBUTION: ("SPIN", None),
    ActionKind.SPIN_OFF: ("SPIN", None),
    ActionKind.CASH_MERGER: ("MA", "CMA"),
    ActionKind.STOCK_MERGER: ("MA", "SMA"),
    ActionKind.STOCK_AND_CASH_MERGER: ("MA", "SCMA"),
    ActionKind.REDEMPTION: ("REORG", None),
    ActionKind.WORTHLESS_REMOVAL: ("REORG", "WRM"),
    ActionKind.NAME_CHANGE: ("NC", "SNC"),
}


def holding(ticker: str, quantity: Decimal, price: str = "100", other: Decimal | None = None) -> MarginAccount:
    """An account with a position, and one in the acquirer where `other` is given."""
    account = MarginAccount(CASH, CASH)
    for name, shares in ((ticker, quantity), ("BUYR", other)):
        if shares:
            account = apply_fill(account, name, shares, Decimal(price), Decimal(price))
    return account


def terms(price: str | None = "100", *, fractionable: bool = True) -> OpeningTerms:
    """Every ticker opens at the price."""
    return OpeningTerms(lambda _: None if price is None else Decimal(price), lambda _: fractionable)


def find(kind: ActionKind) -> CorporateAction:
    """The kit's action of the kind."""
    return next(action for action in ACTIONS if action.kind is kind)


def rebuild(account: MarginAccount, movements: Sequence[Movement]) -> tuple[Decimal, dict[str, Decimal]]:
    """Cash and shares after the movements, as a reader of the activities computes them."""
    cash, shares = account.cash, {name: held.quantity for name, held in account.positions.items()}
    for one in movements:
        cash += one.net_amount
        if one.kind.moves_shares and one.ticker is not None and one.quantity is not None:
            shares[one.ticker] = shares.get(one.ticker, Decimal(0)) + one.quantity
    return cash, {name: quantity for name, quantity in shares.items() if quantity}


@given(
    st.sampled_from(ACTIONS),
    st.decimals(-500, 500, places=3).filter(bool),
    st.none() | st.decimals(-300, 300, places=0).filter(bool),
    st.sampled_from([None, "0.01", "61.2345", "4000"]),
    st.booleans(),
)
def test_books_are_rebuilt_from_the_movements(
    action: CorporateAction,
    quantity: Decimal,
    other: Decimal | None,
    price: str | None,
    fractionable: bool,  # noqa: FBT001 - hypothesis gives it by position
) -> None:
    """Before plus activities is after, to the cent and to the fraction of a share; what a non-fractional gets is whole.

    Each movement has the type under which Alpaca lists it.
    """
    before = holding(action.ticker, quantity, other=other)
    after, movements = apply_action(before, action, terms(price, fractionable=fractionable))
    assert rebuild(before, movements) == (after.cash, {name: one.quantity for name, one in after.positions.items()})
    shares = [one for one in movements if one.activity_type is not ActivityType.CASH_IN_LIEU]
    assert all(TYPES[action.kind] == (one.activity_type.value, one.activity_sub_type) for one in shares)
    assert movements or cents(quantity * (action.cash_amount or 0)) == 0  # a dividend of less than half a cent
    arriving = [one.quantity for one in shares if one.ticker in ARRIVING and one.quantity is not None]
    assert fractionable or all(one == int(one) for one in arriving)
    assert all(one * quantity >= 0 for one in arriving)  # shorts owe what longs receive


@given(st.sampled_from(ACTIONS), st.integers(1, 500))
def test_a_short_is_the_mirror_of_a_long(action: CorporateAction, quantity: int) -> None:
    """Cash and shares of a short change by the opposite of a long's."""
    changes: list[tuple[Decimal, dict[str, Decimal]]] = []
    for sign in (1, -1):
        before = holding(action.ticker, Decimal(sign * quantity))
        after, _ = apply_action(before, action, terms())
        shares = {name: sign * one.quantity for name, one in after.positions.items()}
        changes.append((sign * (after.cash - before.cash), shares))
    assert changes[0] == changes[1]


@pytest.mark.parametrize(
    ("kind", "cash", "shares"),
    [
        (ActionKind.FORWARD_SPLIT, "0", {"FWD": "15"}),
        (ActionKind.REVERSE_SPLIT, "300.00", {"REV": "1"}),  # 10 / 7 = 1 + 3/7, which is 3 old shares of 100
        (ActionKind.UNIT_SPLIT, "0", {"UNIS": "10", "UNIW": "5"}),
        (ActionKind.CASH_DIVIDEND, "3.33", {"DIV": "10"}),
        (ActionKind.STOCK_DIVIDEND, "47.62", {"STD": "10"}),  # half a share at 100 / 1.05 = 95.238
        (ActionKind.RIGHTS_DISTRIBUTION, "10.00", {"RGT": "10", "RGTR": "3"}),  # a third of a right at 30
        (ActionKind.SPIN_OFF, "15.00", {"SPI": "10", "SPIC": "2"}),  # half a share at 30
        (ActionKind.CASH_MERGER, "1013.70", {}),
        (ActionKind.STOCK_MERGER, "9.99", {"BUYR": "3"}),  # 0.333 of a share at 30
        (ActionKind.STOCK_AND_CASH_MERGER, "109.90", {"BUYR": "3"}),  # 99.90 and a third of a share at 30
        (ActionKind.REDEMPTION, "250.12", {}),  # 250.125, half to even
        (ActionKind.WORTHLESS_REMOVAL, "0", {}),
        (ActionKind.NAME_CHANGE, "0", {"NEW": "10"}),
    ],
)
def test_ten_shares_by_hand(kind: ActionKind, cash: str, shares: dict[str, str]) -> None:
    """Ten shares bought at 100, new shares at 30 where an action gives some."""
    before = holding(find(kind).ticker, Decimal(10))
    after, _ = apply_action(before, find(kind), terms("30"))
    assert Decimal(cash) == after.cash - before.cash
    assert {name: Decimal(text) for name, text in shares.items()} == {
        name: one.quantity for name, one in after.positions.items()
    }


def test_cost_follows_the_value_of_a_spin_off() -> None:
    """4 shares at 100 and 1 new one: at opening prices of 90 and 40 40 of the cost of 400 move."""
    before = holding("SPI", Decimal(4))
    prices = {"SPI": Decimal(90), "SPIC": Decimal(40)}
    after, _ = apply_action(before, find(ActionKind.SPIN_OFF), OpeningTerms(prices.get, lambda _: True))
    parent, child = after.positions["SPI"], after.positions["SPIC"]
    assert (Decimal(90), Decimal(40)) == (parent.average_entry_price, child.average_entry_price)
    assert (Decimal(360), Decimal(40)) == (parent.market_value, child.market_value)
    assert before.equity == after.equity


def test_a_long_target_cancels_a_short_acquirer() -> None:
    """30 shares of the target become 9.999 of the acquirer, of which 9 are short: nothing but cash is left."""
    before = holding("STK", Decimal(30), other=Decimal(-9))
    after, movements = apply_action(before, find(ActionKind.STOCK_MERGER), terms("200"))
    assert {} == after.positions
    assert Decimal("199.80") == after.cash - before.cash == movements[-1].net_amount


def test_nothing_happens_to_who_does_not_hold_it() -> None:
    """No movement, the same account."""
    before = holding("AAA", Decimal(10))
    for action in ACTIONS:
        assert (before, []) == apply_action(before, action, terms())


def test_orders_of_a_ticker_that_ends_are_canceled() -> None:
    """Open orders of merged, redeemed, removed and renamed tickers end; others work on, in new shares after a split."""
    market = hand_market([*CONCERNED, *ARRIVING], actions=every_action(DAY))
    core = open_venue(market, InMemoryRepository(), open_account(market, CASH))
    for step in core.steps_to(core.next_stop(Auction.CLOSE)):
        core.step(step)
    for ticker in CONCERNED:
        limit = OrderRequest(
            ticker, Side.BUY, OrderType.LIMIT, TimeInForce.GTC, Decimal(14), None, Decimal(10), None, None
        )
        core.submit(limit)
    for step in core.steps_to(core.next_stop(Auction.OPEN)):
        core.step(step)
    left = {order.ticker: (order.quantity, order.limit_price) for order in core.state.open_orders.values()}
    same = (Decimal(14), Decimal(10))
    assert left == {
        "DIV": same,
        "RGT": same,
        "SPI": same,
        "FWD": (Decimal(21), Decimal("6.66")),  # 3 for 2
        "REV": (Decimal(2), Decimal(70)),  # 1 for 7
        "STD": (Decimal(14), Decimal("9.52")),  # 14.7 in whole shares, at 10 / 1.05
    }
