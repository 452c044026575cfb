"""Positions of several entries: own shares and average entry price by hand, by the venue, and after a restart."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from math import prod, trunc
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.dates import next_session, previous_session
from internal.trading.entries import EntryMemory, list_entries
from internal.trading.enums import Action, Leg, OrderSide, OrderState, Side
from internal.trading.journal_index import JournalIndex
from internal.trading.order_planning import plan_orders
from internal.trading.orders import Order
from internal.trading.portfolio import Decision, PortfolioRow
from internal.trading.position_attribution import attribute_positions
from internal.trading.positions import Entry, Position
from internal.trading.splits import Split
from internal.venue.action_processing import apply_split
from internal.venue.corporate_actions import split_action
from internal.venue.margin_account import MarginAccount, apply_fill

FIRST, MOMENT = date(2024, 3, 15), datetime(2024, 3, 15, 20, tzinfo=UTC)
RATIOS = [(2, 1), (4, 1), (3, 2), (1, 2), (1, 3), (1, 10)]  # new shares for old ones


@dataclass(frozen=True)
class Session:
    """What happens in a session: a split before the open, then what becomes of one order."""

    split: tuple[int, int] | None
    wanted: int  # shares after the order; 0 closes
    is_long: bool  # the side, where the position is opened from flat
    filled: Fraction  # the part of the order that fills; the rest is canceled
    price: int  # cents


sessions_drawn = st.builds(
    Session,
    split=st.none() | st.sampled_from(RATIOS),
    wanted=st.integers(0, 300) | st.just(0),
    is_long=st.booleans(),
    filled=st.sampled_from([Fraction(1), Fraction(1), Fraction(1, 2), Fraction(0)]),
    price=st.integers(100, 20_000),
)


@dataclass
class Lots:
    """A position by hand: shares and price of every entry; a close takes the same part of each."""

    lots: list[tuple[Fraction, Fraction]] = field(default_factory=list[tuple[Fraction, Fraction]])
    opened: date | None = None

    @property
    def shares(self) -> Fraction:
        """Signed shares."""
        return sum((shares for shares, _ in self.lots), Fraction(0))

    @property
    def average(self) -> Fraction:
        """Dollars a share."""
        return sum((shares * price for shares, price in self.lots), Fraction(0)) / self.shares

    def split(self, new: int, old: int) -> None:
        """Whole shares after the split; the prices follow."""
        before = self.shares
        self._scale(Fraction(trunc(before * new / old)) / before if before else Fraction(0), Fraction(old, new))

    def fill(self, shares: Fraction, price: Fraction, day: date) -> None:
        """An entry, or a close of a part of all entries."""
        if not self.lots:
            self.opened = day
        if not self.shares or self.shares * shares > 0:
            self.lots.append((shares, price))
        else:
            self._scale((self.shares + shares) / self.shares, Fraction(1))

    def _scale(self, part: Fraction, price: Fraction) -> None:
        self.lots = [(shares * part, paid * price) for shares, paid in self.lots if part]


@dataclass
class Account:
    """The same events on the venue's account."""

    held: MarginAccount = field(default_factory=lambda: MarginAccount(Decimal(10**9), Decimal(10**9)))

    def split(self, new: int, old: int, day: date) -> None:
        """A split of A."""
        self.held, _ = apply_split(self.held, split_action("A", day, Decimal(old), Decimal(new)))

    def fill(self, shares: Fraction, cents: int) -> None:
        """A fill of A."""
        price = Decimal(cents) / 100
        self.held = apply_fill(self.held, "A", Decimal(int(shares)), price, price)


def plan_order(lots: Lots, one: Session, day: date) -> Order | None:
    """The order that the fund plans at the close of a day; None when it wants what it holds."""
    held = abs(lots.shares)
    side = (Side.LONG if one.is_long else Side.SHORT) if not held else Side.LONG if lots.shares > 0 else Side.SHORT
    action = Action.OPEN if not held else Action.HOLD if one.wanted else Action.CLOSE
    price = one.price / 100
    row = PortfolioRow("A", side, action, float(held), float(one.wanted), price, day, price, None, False, "")  # noqa: FBT003
    return next(iter(plan_orders(Decision((row,), ()), "account", f"p-{day}", day, MOMENT)), None)


def fill_order(order: Order, one: Session) -> tuple[Order, Fraction]:
    """The order at the end of its session, and its signed shares; it waited at the broker through a split."""
    new, old = one.split or (1, 1)
    quantity = Fraction(trunc(Fraction(order.quantity) * new / old))
    order = replace(order, quantity=float(quantity), reference_price=order.reference_price * old / new)
    shares = Fraction(trunc(quantity * one.filled))
    state = OrderState.FILLED if shares == order.quantity else OrderState.CANCELED
    price = one.price / 100 if shares else None
    filled = replace(order, state=state, filled_quantity=float(shares), filled_average_price=price)
    return filled, shares if order.side is OrderSide.BUY else -shares


def attribute(
    journal: JournalIndex, shares: Fraction, splits: Sequence[Split], memory: EntryMemory | None = None
) -> tuple[Position, ...]:
    """The fund's own positions; nothing is foreign."""
    held = {"A": float(shares)} if shares else {}
    factors = {entry: factor_of(entry.date, splits) for entry in list_entries(journal.fills("A"))}
    found = attribute_positions(held, {"A": journal.fills("A")}, splits, factors, {}, memory)
    assert not found.foreign
    return found.positions


def factor_of(day: date, splits: Sequence[Split]) -> float:
    """What takes a price of a day to today's terms."""
    return prod(1 / split.shares for split in splits if split.execution_date > day)


@settings(max_examples=200, deadline=None)
@given(st.lists(sessions_drawn, min_size=1, max_size=12), st.randoms())
def test_entries_by_hand_and_by_the_venue(drawn: list[Session], random: Random) -> None:
    """Opens, top-ups, trims, closes, partial fills and splits: shares, average and start, also after a restart."""
    lots, account, journal, splits, day = Lots(), Account(), JournalIndex(), list[Split](), FIRST
    memory = EntryMemory()
    for one in drawn:
        order, day = plan_order(lots, one, day), next_session(day)
        if one.split is not None:
            splits.append(Split("A", day, one.split[0] / one.split[1]))
            account.split(*one.split, day)
            lots.split(*one.split)
        if order is not None:
            order, shares = fill_order(order, one)
            journal.add_orders([order])
            if shares:
                lots.fill(shares, Fraction(one.price, 100), day)
                account.fill(shares, one.price)
        positions = attribute(journal, lots.shares, splits, memory)
        again = JournalIndex()
        again.add_orders(random.sample(orders := list(journal.orders()), len(orders)))
        assert attribute(again, lots.shares, splits) == positions
        assert len(positions) == len(account.held.positions) == bool(lots.shares)
        for position, at_broker in zip(positions, account.held.positions.values(), strict=True):
            assert (position.quantity, position.opened_date) == (float(at_broker.quantity), lots.opened)
            assert position.entry_price == pytest.approx(float(lots.average), rel=1e-9)
            assert position.entry_price == pytest.approx(float(at_broker.average_entry_price), rel=1e-9, abs=1e-9)


def filled(leg: Leg, day: date, shares: float, price: float, side: OrderSide = OrderSide.BUY) -> Order:
    """A filled order of A that was decided on a day."""
    return Order(
        *("p", day, f"A-{leg}-0-{day}", "A", side, leg, shares, price, "", MOMENT),
        state=OrderState.FILLED,
        filled_quantity=shares,
        filled_average_price=price,
    )


DAYS = [FIRST, next_session(FIRST), next_session(next_session(FIRST))]


def test_memory_asks_for_new_entries_alone_until_an_event_changes_prices() -> None:
    """The second entry is new; a dividend changes the factor of the first, and with it that of all."""
    memory, fills = EntryMemory(), (filled(Leg.OPEN, DAYS[0], 100, 50.0), filled(Leg.ADD, DAYS[1], 50, 40.0))
    first, second = list_entries(fills)
    assert memory.list_unknown(fills[:1]) == [first]
    memory.average(fills[:1], [], {first: 1.0})
    assert memory.list_unknown(fills) == [first, second]
    memory.average(fills, [], {first: 1.0, second: 1.0})
    assert memory.list_unknown(fills) == [first]
    assert memory.list_changed(fills, {first: 1.0}) == []
    assert memory.list_changed(fills, {first: 0.98}) == [first, second]
    assert memory.average(fills, [], {first: 0.98, second: 0.98}).price == pytest.approx(7000 / 150 * 0.98)
    corrected = (replace(fills[0], filled_quantity=50.0), fills[1])
    assert memory.list_unknown(corrected) == [first, second]


def test_each_entry_takes_the_factor_of_its_own_session() -> None:
    """100 at 50 before a dividend of 2 %, 50 at 40 after it: (100 x 49 + 50 x 40) / 150 = 46."""
    fills = [filled(Leg.OPEN, DAYS[0], 100, 50.0), filled(Leg.ADD, DAYS[1], 50, 40.0)]
    factors = {Entry("A", DAYS[1]): 0.98, Entry("A", DAYS[2]): 1.0}
    found = attribute_positions({"A": 150}, {"A": fills}, [], factors, {})
    assert [(one.quantity, one.opened_date) for one in found.positions] == [(150, DAYS[1])]
    assert found.positions[0].entry_price == pytest.approx(46.0)


def test_a_position_that_somebody_sold_starts_anew_when_it_is_opened_again() -> None:
    """100 of the fund's were sold by hand; 30 that it opened later are all that it has, at their own price."""
    journal = JournalIndex()
    journal.add_orders([filled(Leg.OPEN, DAYS[0], 100, 50.0), filled(Leg.OPEN, DAYS[2], 30, 60.0)])
    found = attribute_positions({"A": 30}, {"A": journal.fills("A")}, [], {}, {})
    assert [(one.quantity, one.entry_price) for one in found.positions] == [(30, 60.0)]
    assert previous_session(found.positions[0].opened_date) == DAYS[2]
    assert not found.foreign


def test_a_top_up_of_what_somebody_bought_as_well() -> None:
    """The fund opened 100 and added 20, somebody else bought 30: 120 are the fund's."""
    fills = [filled(Leg.OPEN, DAYS[0], 100, 50.0), filled(Leg.ADD, DAYS[1], 20, 56.0)]
    found = attribute_positions({"A": 150}, {"A": fills}, [], {}, {})
    assert [(one.quantity, one.entry_price) for one in found.positions] == [(120, 51.0)]
    assert found.foreign == {"A": 30}


def test_a_close_of_the_session_that_opens_the_other_side_belongs_to_what_was_held() -> None:
    """A long is closed and a short opened in one session: the short alone is held."""
    journal = JournalIndex()
    sell = OrderSide.SELL
    journal.add_orders([filled(Leg.CLOSE, DAYS[1], 100, 55.0, sell), filled(Leg.OPEN, DAYS[0], 100, 50.0)])
    journal.add_orders([filled(Leg.OPEN, DAYS[1], 40, 54.0, sell), filled(Leg.ADD, DAYS[2], 10, 49.0, sell)])
    found = attribute_positions({"A": -50}, {"A": journal.fills("A")}, [], {}, {})
    assert [(one.quantity, one.entry_price, one.opened_date) for one in found.positions] == [(-50, 53.0, DAYS[2])]
