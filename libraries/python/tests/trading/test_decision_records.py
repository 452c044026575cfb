"""Records of decisions: each name has one outcome that the situation bears out, and a replay finds what differs."""

from dataclasses import replace
from datetime import date
from math import isfinite

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.errors import UnavailableError
from internal.simulation.world import World
from internal.trading.arming import digest_of
from internal.trading.assets import Refusals
from internal.trading.decision import decide
from internal.trading.decision_records import DecisionRecord, make_record
from internal.trading.enums import NameOutcome
from internal.trading.limits import RiskLimits
from internal.trading.reduce_only import keep_closes
from internal.trading.replay import WHOLE, replay_decision
from internal.trading.situation import Situation
from internal.trading.targets import Target, Targets
from libraries.python.tests.strategies.drawn_situations import situations
from libraries.python.tests.strategies.small_situations import make_situation
from libraries.python.tests.trading.test_limits import FREE, WEIGHTS, Fixed
from libraries.python.tests.trading.trading_state_kit import make_trader, open_holding_fund, play_session

PRICES = dict.fromkeys("ABCDEFG", 10.0)


def record_of(situation: Situation, strategy: Fixed, limits: RiskLimits, reduction: str | None) -> DecisionRecord:
    """What is stored with the decision."""
    decision = keep_closes(decide(situation, strategy, limits), reduction)
    return make_record("p", situation, decision, reduction, digest_of(strategy.record, "", limits))


@settings(max_examples=60, deadline=None)
@given(
    situation=situations(),
    values=st.lists(WEIGHTS, min_size=30, max_size=30),
    reduction=st.sampled_from([None, "the arming has ended"]),
)
def test_outcomes_and_replay(situation: Situation, values: list[float | None], reduction: str | None) -> None:
    """Every name once; what could not be opened says what is wrong with it; decided again, nothing differs."""
    rows = tuple(
        Target(ticker, weight, "wanted")
        for ticker, weight in zip(situation.tickers, values, strict=False)
        if weight is not None or ticker in situation.holdings
    )
    strategy, limits = Fixed(Targets(rows)), RiskLimits()
    record = record_of(situation, strategy, limits, reduction)
    assert [one.ticker for one in record.names] == sorted({*situation.tickers, *situation.holdings})
    for one in record.names:
        place = situation.find(one.ticker)
        price = float("nan") if place is None else situation.inputs.price[place]
        assert one.price == (price if isfinite(price) else None)
        assert one.is_eligible == (place is not None and situation.may_open[place])
        if one.outcome is NameOutcome.NOT_CHOSEN:
            assert one.is_eligible
        if one.outcome is NameOutcome.NOT_PRICED:
            assert one.price is None
        if one.outcome is NameOutcome.NOT_IN_UNIVERSE:
            assert place is not None
            assert not situation.inputs.liquid[place]
        assert (one.row is not None) == (one.outcome in {NameOutcome.OPENED, NameOutcome.KEPT, NameOutcome.CLOSED})
        assert (one.position is not None) <= (one.row is not None)
    replay = replay_decision(record, situation.inputs, strategy, limits)
    assert (replay.differences, replay.has_same_rules, replay.name_count) == ((), True, len(record.names))


def test_first_obstacle() -> None:
    """One name with each thing that keeps it out, and one that a limit cuts to nothing."""
    situation = make_situation(PRICES, capital=1000.0, blocked=frozenset("C"), unshortable=frozenset("D"))
    assets = replace(situation.assets, tradable=situation.assets.tradable - {"E"})
    situation = replace(
        situation, assets=assets, refused=Refusals({"A": "it is on the do-not-trade list"}, frozenset("A"))
    )
    rows = tuple(Target(one, weight, "wanted") for one, weight in {"A": 0.1, "B": 0.1, "D": -0.1, "F": 0.001}.items())
    record = record_of(situation, Fixed(Targets(rows)), FREE, None)
    found = {one.ticker: (one.outcome, one.reason) for one in record.names}
    assert found == {
        "A": (NameOutcome.REFUSED, "it is on the do-not-trade list"),
        "B": (NameOutcome.OPENED, "wanted"),
        "C": (NameOutcome.BLOCKED, NameOutcome.BLOCKED.words),
        "D": (NameOutcome.NOT_SHORTABLE, "it cannot be sold short"),
        "E": (NameOutcome.NOT_TRADABLE, "the broker does not trade it"),
        "F": (NameOutcome.TOO_SMALL, "its weight buys less than one share"),
        "G": (NameOutcome.NOT_CHOSEN, "the strategy preferred others"),
    }


def test_reductions_and_cuts() -> None:
    """A name that a limit cuts to nothing, and one that a fund that only reduces does not open."""
    situation = make_situation(PRICES, capital=1000.0)
    strategy = Fixed(Targets((Target("B", 0.1, "wanted"),)))
    none_a_day = replace(FREE, orders_a_day=0)
    (cut,) = (one for one in record_of(situation, strategy, none_a_day, None).names if one.ticker == "B")
    assert (cut.outcome, cut.reason) == (NameOutcome.CUT, "wanted; cut to the limit: 0 orders a day")
    (reduced,) = (one for one in record_of(situation, strategy, FREE, "disarmed").names if one.ticker == "B")
    assert (reduced.outcome, reduced.reason) == (NameOutcome.REDUCED, "disarmed")


@pytest.mark.parametrize(
    ("price", "limits", "expected"),
    [
        (10.0, FREE, []),
        (12.5, FREE, [("B", "price", "10.0", "12.5"), ("B", "quantity", "10.0", "8.0")]),
        (10.0, replace(FREE, name_weight=0.05), [("B", "reason", "wanted", "cut"), ("B", "quantity", "10.0", "5.0")]),
    ],
    ids=["as it was", "a corrected price", "a tighter limit"],
)
def test_replay_names_what_differs(price: float, limits: RiskLimits, expected: list[tuple[str, str, str, str]]) -> None:
    """100 dollars of B are 10 shares at 10 and 8 at 12.50; 5 % of 1,000 dollars are 5."""
    situation = make_situation(PRICES, capital=1000.0)
    strategy = Fixed(Targets((Target("B", 0.1, "wanted"),)))
    record = record_of(situation, strategy, FREE, None)
    prices = np.where([one == "B" for one in situation.tickers], price, situation.inputs.price)
    replay = replay_decision(record, replace(situation.inputs, price=prices), strategy, limits)
    found = {(one.ticker, one.field): (one.then, one.now) for one in replay.differences}
    for ticker, field, then, now in expected:
        assert found[ticker, field][0] == then
        assert now in found[ticker, field][1]
    assert bool(found) is bool(expected)
    assert replay.has_same_rules is (limits == FREE)


def test_replay_names_what_is_missing() -> None:
    """A name that there are no longer bars of, as where the wrong version was read."""
    situation = make_situation(PRICES, capital=1000.0)
    strategy = Fixed(Targets(()))
    record = record_of(situation, strategy, FREE, None)
    fewer = make_situation(dict.fromkeys("ABCDEF", 10.0), capital=1000.0).inputs
    (difference,) = replay_decision(record, fewer, strategy, FREE).differences
    assert (difference.ticker, difference.field, difference.then, difference.now) == (
        "G",
        WHOLE,
        "not_chosen",
        "none",
    )


class RefusedRecords:
    """A store that takes no record."""

    def save(self, record: DecisionRecord) -> None:
        """Raises UnavailableError."""
        raise UnavailableError(f"the lake does not take {record.portfolio_id}")

    def find(self, portfolio_id: str, day: date) -> DecisionRecord | None:
        """None, of any portfolio."""
        del portfolio_id, day
        return None


def test_a_record_that_cannot_be_stored_never_stops_trading() -> None:
    """The session is decided and sent all the same, as without records, and a note says what is missing."""
    world = World.make(11, sessions_played=6, tickers=30)
    plain, refused = (open_holding_fund(world) for _ in range(2))
    for fund in (plain, refused):
        play_session(fund)
    without = make_trader(plain.ports).run(None)
    outcome = make_trader(replace(refused.ports, records=RefusedRecords())).run(None)
    assert [order.client_order_id for order in outcome.orders] == [order.client_order_id for order in without.orders]
    assert outcome.run.state is without.run.state
    (note,) = set(outcome.run.notes) - set(without.run.notes)
    assert note.startswith("the reasons of this decision were not stored, and it cannot be replayed: the lake")
