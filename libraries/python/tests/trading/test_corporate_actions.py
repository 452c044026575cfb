"""Every kind of corporate action on held longs and shorts: what the broker shows afterwards is the fund's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import pytest

from internal.action_kinds import ActionKind
from internal.trading.broker_reports import BrokerPosition
from internal.trading.corporate_actions import CorporateAction as CoreAction
from internal.trading.enums import Leg, OrderState
from internal.trading.held_securities import HeldMemory, HeldSecurities, find_held
from internal.trading.limits import RiskLimits
from internal.trading.rebalancing import Rebalancer
from internal.venue.corporate_actions import CorporateAction, split_action
from libraries.python.tests.trading.actions_kit import (
    EFFECTIVE,
    FIRST,
    OPENING,
    STAYING,
    OtherActions,
    Scripted,
    gift,
    held_at_broker,
    merger,
    open_fund,
    play_session,
)
from libraries.python.tests.venue.venue_kit import ARRIVING, CONCERNED, DAYS, every_action

if TYPE_CHECKING:
    from internal.simulation.table_data import TableData


@pytest.mark.parametrize("sign", [1, -1])
def test_every_kind_leaves_nothing_foreign(sign: int) -> None:
    """All kinds at once: the fund owns all that the broker shows, also after a restart, and can close all of it."""
    names: tuple[str, ...] = (*CONCERNED, "BUYR")
    weights: Mapping[str, float] = dict.fromkeys(names, sign * 0.021)
    strategy = Scripted({OPENING: weights, DAYS[5]: {}})
    fund = open_fund(every_action(EFFECTIVE), (*CONCERNED, *ARRIVING))
    play_session(fund, Rebalancer(fund.ports, strategy, RiskLimits()))
    before = held_at_broker(fund)
    assert before == dict.fromkeys(sorted(weights), sign * 21.0)
    for _ in range(2):
        trader = Rebalancer(fund.ports, strategy, RiskLimits())
        play_session(fund, trader)
        assert not trader.reconcile().foreign
    after = held_at_broker(fund)
    assert after.keys() == {*STAYING, "UNIS", "UNIW", "RGTR", "SPIC", "NEW"}
    assert after["BUYR"] == sign * (21 + 6 + 7)  # 21 x 0.3333 and 21 / 3, whole shares
    trader = Rebalancer(fund.ports, strategy, RiskLimits())
    notes = trader.run(None).run.notes
    assert f"spin off of {sign * 21} SPI: {sign * 5:+} SPIC" in fund.journal.runs()[-2].notes
    assert f"name change of {sign * 21} OLD: now NEW" in fund.journal.runs()[-2].notes
    assert not any("SPIC" in note for note in notes)  # once
    assert {one.ticker: one.quantity for one in strategy.seen[-1].positions} == after
    play_session(fund, trader)
    play_session(fund, trader)
    assert held_at_broker(fund) == {}
    assert {OrderState.FILLED} == {order.state for order in fund.journal.orders()}


def test_a_renamed_position_stays_what_it_is() -> None:
    """Entry, age and id stay under the new ticker; the old one, used again, is a stranger's; splits are followed."""
    actions = [
        CorporateAction(ActionKind.NAME_CHANGE, "OLD", EFFECTIVE, new_ticker="NEW"),
        split_action("NEW", DAYS[4], Decimal(1), Decimal(3)),
        split_action("OLD", DAYS[5], Decimal(1), Decimal(2)),
    ]
    strategy = Scripted({OPENING: {"OLD": 0.0501}})
    fund = open_fund(actions, ("OLD", "NEW"))
    trader = Rebalancer(fund.ports, strategy, RiskLimits())
    for _ in range(4):
        play_session(fund, trader)
        assert not trader.reconcile().foreign
    first, last = strategy.seen[1].positions[0], strategy.seen[-1].positions[0]
    assert (first.ticker, last.ticker) == ("OLD", "NEW")
    assert (last.security_id, last.opened_date) == (first.security_id, first.opened_date)
    assert (first.quantity, last.quantity) == (50.0, 150.0)
    assert last.entry_price == pytest.approx(first.entry_price / 3)
    assert fund.journal.security_of("OLD") is None
    assert fund.journal.security_of("NEW") == first.security_id


@pytest.mark.parametrize(
    "correction",
    [
        CoreAction(ActionKind.STOCK_MERGER, "STK", EFFECTIVE, 1.0, 0.5, "BUYR"),
        CoreAction(ActionKind.STOCK_AND_CASH_MERGER, "STK", DAYS[4], 1.0, 0.5, "BUYR", cash_amount=0.01),
    ],
    ids=["a day earlier", "another kind"],
)
def test_a_corrected_merger_is_recorded_once(correction: CoreAction) -> None:
    """50 shares become 25 of BUYR; the vendor corrects day or kind afterwards: the fund owns 25 of what is held."""
    merger = CorporateAction(ActionKind.STOCK_MERGER, "STK", DAYS[4], Decimal(1), Decimal("0.5"), "BUYR")
    fund = open_fund([merger], ("STK", "BUYR"))
    trader = Rebalancer(fund.ports, Scripted({OPENING: {"STK": 0.0501}}), RiskLimits())
    for _ in range(3):
        play_session(fund, trader)
    assert held_at_broker(fund) == {"BUYR": 25.0}
    corrected = replace(fund.ports, data=OtherActions(cast("TableData", fund.ports.data), [correction]))
    Rebalancer(corrected, Scripted({}), RiskLimits()).reconcile()
    assert sum(order.signed_filled_quantity for order in fund.journal.fills("BUYR")) == 25


def test_the_broker_is_late() -> None:
    """The name change is known and the broker has not carried it out: the position stays, nothing is foreign."""
    strategy = Scripted({OPENING: {"OLD": 0.0501}})
    late = CoreAction(ActionKind.NAME_CHANGE, "OLD", FIRST, new_ticker="NEW")
    fund = open_fund([], ("OLD", "NEW"))
    data = cast("TableData", fund.ports.data)
    trader = Rebalancer(replace(fund.ports, data=OtherActions(data, [late])), strategy, RiskLimits())
    play_session(fund, trader)
    play_session(fund, trader)
    assert not trader.reconcile().foreign
    assert [one.ticker for one in strategy.seen[-1].positions] == ["OLD"]


def test_a_position_is_found_by_the_brokers_asset() -> None:
    """The broker renames before anybody says so: the asset is the same, and so is the position."""
    fund = open_fund([], ("OLD", "NEW"))
    trader = Rebalancer(fund.ports, Scripted({OPENING: {"OLD": 0.0501}}), RiskLimits())
    play_session(fund, trader)
    journal = fund.journal
    journal.save_orders([replace(order, asset_id="asset-1") for order in journal.orders()])
    at_broker = [
        BrokerPosition("NEW", 50.0, 100.0, 100.0, 5_000.0, 0.0, "asset-1"),
        BrokerPosition("OLD", 50.0, 100.0, 100.0, 5_000.0, 0.0, "asset-2"),  # another company's, used again
    ]
    held = find_held(journal, at_broker)
    assert list(held) == ["NEW"]
    assert {order.ticker for order in held["NEW"].fills} == {"NEW"}


def test_held_securities_are_remembered_until_a_fill_or_a_name_changes() -> None:
    """The remembered answer is the one that the journal gives, after every kind of write that can change it."""
    fund = open_fund([], ("OLD", "NEW"))
    play_session(fund, Rebalancer(fund.ports, Scripted({OPENING: {"OLD": 0.0501}}), RiskLimits()))
    (filled,) = fund.journal.orders()
    later = replace(filled, client_order_id="later", date=filled.date + timedelta(days=1), leg=Leg.ADD)
    writes = [
        replace(later, state=OrderState.PLANNED, filled_quantity=0.0),  # changes nothing
        later,
        replace(filled, asset_id="asset-1"),
        replace(later, client_order_id="renamed", ticker="NEW"),
        replace(later, client_order_id="other", ticker="OLD", security_id="another", leg=Leg.OPEN),
        replace(later, filled_quantity=0.0),  # the broker was restored
    ]
    at_broker = [BrokerPosition(name, 50.0, 100.0, 100.0, 5_000.0, 0.0, "asset-1") for name in ("NEW", "OLD")]
    memory, answers = HeldMemory(), list[HeldSecurities]()
    for write in writes:
        fund.journal.save_orders([write])
        for positions in (at_broker, at_broker[1:]):
            answers.append(memory.find(fund.journal, positions))
            assert answers[-1] == find_held(fund.journal, positions)
    assert len({tuple(sorted(answer.fills.items())) for answer in answers}) > 4
    assert memory.find(fund.journal, at_broker[1:]) is answers[-1]


TWICE: Mapping[str, tuple[Sequence[CorporateAction], Mapping[date, Mapping[str, float]], Mapping[str, float]]] = {
    "an acquirer is acquired": (  # 21 x 2 = 42, then 42 / 2
        [merger("AAA", "BBB", 1, 2), merger("BBB", "CCC", 2, 1)],
        {OPENING: {"AAA": 0.021}},
        {"CCC": 21.0},
    ),
    "an acquirer is renamed": (  # 42 of its own, less 21 that the short of the target owes
        [merger("STK", "OLD", 1, 1), CorporateAction(ActionKind.NAME_CHANGE, "OLD", EFFECTIVE, new_ticker="NEW")],
        {OPENING: {"OLD": 0.042, "STK": -0.021}},
        {"NEW": 21.0},
    ),
    "a stranger that acquires is renamed": (
        [merger("STK", "OLD", 1, 1), CorporateAction(ActionKind.NAME_CHANGE, "OLD", EFFECTIVE, new_ticker="NEW")],
        {OPENING: {"STK": -0.021}},
        {"NEW": -21.0},
    ),
    "rights of split shares": (  # 21 x 3 / 2 = 31 and cash, a right for each
        [
            split_action("RGT", EFFECTIVE, Decimal(2), Decimal(3)),
            gift(ActionKind.RIGHTS_DISTRIBUTION, "RGT", EFFECTIVE, 1, "RGTR"),
        ],
        {OPENING: {"RGT": 0.021}},
        {"RGT": 31.0, "RGTR": 31.0},
    ),
    "shares of a name that was closed after a split": (  # 21 x 2 are closed; then 21 / 3 come
        [
            split_action("BUYR", EFFECTIVE, Decimal(1), Decimal(2)),
            gift(ActionKind.SPIN_OFF, "SPI", DAYS[5], 3, "BUYR"),
        ],
        {OPENING: {"BUYR": 0.021, "SPI": 0.021}, EFFECTIVE: {"SPI": 0.021}},
        {"BUYR": 7.0, "SPI": 21.0},
    ),
    "shares of a name that is opened on that day": (  # 40 are bought, 21 / 3 are owed
        [merger("STK", "BUYR", 3, 1)],
        {OPENING: {"STK": -0.021}, FIRST: {"STK": -0.021, "BUYR": 0.0401}},
        {"BUYR": 33.0},
    ),
}


@pytest.mark.parametrize("case", TWICE)
def test_actions_and_fills_of_one_name(case: str) -> None:
    """What meets in a name on one day, or after a split of it, is counted as the broker counts it."""
    actions, weights, expected = TWICE[case]
    fund = open_fund(actions, ("AAA", "BBB", "BUYR", "CCC", "NEW", "OLD", "RGT", "RGTR", "SPI", "STK"))
    trader = Rebalancer(fund.ports, Scripted(weights), RiskLimits())
    for _ in range(4):
        play_session(fund, trader)
        assert not trader.reconcile().foreign
    assert held_at_broker(fund) == expected
