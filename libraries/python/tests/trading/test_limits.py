"""Risk limits and checks of targets: what a strategy may ask for is cut, refused or left out, for any situation."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.dates import next_session
from internal.trading.assets import Assets
from internal.trading.decision import decide
from internal.trading.decision_records import describe_names
from internal.trading.enums import Action, Side
from internal.trading.limits import RiskLimits
from internal.trading.order_planning import plan_orders
from internal.trading.portfolio import Decision
from internal.trading.read_only import make_read_only
from internal.trading.situation import Situation
from internal.trading.strategy import DataNeeds, StrategyError, StrategyRecord
from internal.trading.targets import Target, Targets
from internal.trading.universe import Universe
from libraries.python.tests.strategies.drawn_situations import situations
from libraries.python.tests.strategies.small_situations import make_situation

LIMITS = RiskLimits(gross_exposure=1.2, net_exposure=0.4, name_weight=0.2, participation=0.0005)
FREE = RiskLimits(99.0, 99.0, 99.0, 1e9, sector_weight=99.0, order_size=99.0, turnover=99.0)
PRICES = dict.fromkeys("ABCD", 10.0)
MOMENT = datetime(2024, 3, 15, 21, tzinfo=UTC)


@dataclass(frozen=True)
class Fixed:
    """Answers the same targets on every day."""

    answer: Any
    record: StrategyRecord = field(default_factory=lambda: StrategyRecord("fixed", "{}", "0"))
    needs: DataNeeds = field(default_factory=lambda: DataNeeds(Universe(), 0, forecasts=False))

    def is_due(self, day: date) -> bool:
        """Every day."""
        del day
        return True

    def next_due(self, day: date) -> date:
        """The next session."""
        return next_session(day)

    def decide(self, situation: Situation) -> Any:  # noqa: ANN401 - wrong answers as well
        """The answer."""
        del situation
        return self.answer


def decided(situation: Situation, weights: dict[str, float | None], limits: RiskLimits = LIMITS) -> Decision:
    """The decision on these weights."""
    rows = tuple(Target(ticker, weight, "wanted") for ticker, weight in weights.items())
    return decide(situation, Fixed(Targets(rows)), limits)


def quantities(decision: Decision) -> dict[str, float]:
    """Shares after the action by ticker, negative when short."""
    return {row.ticker: row.quantity * (1 if row.side is Side.LONG else -1) for row in decision.rows}


WEIGHTS = st.one_of(st.floats(-0.6, 0.6), st.just(0.0), st.none())


@settings(max_examples=100, deadline=None)
@given(situation=situations(), values=st.lists(WEIGHTS, min_size=30, max_size=30))
def test_limits_hold_for_any_targets(situation: Situation, values: list[float | None]) -> None:
    """No increase goes above a limit, nothing falls below what is held, no flip, whole shares, reasons, repetition."""
    wanted = {
        ticker: weight
        for ticker, weight in zip(situation.tickers, values, strict=False)
        if weight is not None or ticker in situation.holdings
    }
    decision, free = decided(situation, wanted), decided(situation, wanted, FREE)
    unlimited = {row.ticker: row for row in free.rows}
    grown = [row for row in decision.rows if row.quantity > row.held]
    capital = situation.capital
    for row in decision.rows:
        before, position = unlimited[row.ticker], situation.holdings.get(row.ticker)
        assert min(before.quantity, before.held) <= row.quantity <= before.quantity
        assert row.quantity >= 0
        assert row.side is (position.side if position else before.side)
        if row.quantity != before.quantity:
            assert "; cut to the limit: " in row.reason
            assert row.ticker in decision.notes[-1]
    for row in grown:
        assert (row.quantity - row.held) % 1 == 0
        assert row.dollar_amount <= LIMITS.name_weight * capital + 1e-6
        assert row.quantity - row.held <= LIMITS.participation * 2e6 + 1e-6
    values_by_side = {side: sum(row.dollar_amount for row in decision.rows if row.side is side) for side in Side}
    if grown:
        assert sum(values_by_side.values()) <= LIMITS.gross_exposure * capital + 1e-6
    larger = max(Side, key=lambda side: values_by_side[side])
    if any(row.side is larger for row in grown):
        assert values_by_side[larger] - values_by_side[larger.opposite] <= LIMITS.net_exposure * capital + 1e-6
    assert decision == decided(situation, wanted)


def test_a_name_is_topped_up() -> None:
    """From 50 to 100 shares at 10 dollars of 10,000: the position stays the same one, with what was held."""
    (row,) = decided(make_situation(PRICES, held={"A": 50.0}), {"A": 0.1}).rows
    assert (row.action, row.held, row.quantity, row.reason) == (Action.HOLD, 50.0, 100.0, "wanted")


def test_a_fraction_stays_when_a_name_is_topped_up() -> None:
    """50.5 shares grow by 49 whole ones."""
    (row,) = decided(make_situation(PRICES, held={"A": 50.5}), {"A": 0.1}).rows
    assert row.quantity == 99.5


def test_the_other_side_waits() -> None:
    """A long whose target is short is closed; it is opened short by a later decision."""
    (row,) = decided(make_situation(PRICES, held={"A": 50.0}), {"A": -0.1}).rows
    assert (row.side, row.action, row.quantity) == (Side.LONG, Action.CLOSE, 0.0)


def test_each_limit_by_hand() -> None:
    """10,000 dollars at 10 a share: 20 % of a name are 200 shares, net 0.4 is 4,000 dollars."""
    limits = RiskLimits(participation=1.0, name_weight=0.2, net_exposure=0.4)
    found = decided(make_situation(PRICES), {"A": 0.5, "B": 0.3, "C": 0.3}, limits)
    assert sum(quantities(found).values()) <= 400
    assert all("20% of capital" in row.reason for row in found.rows)
    assert found.notes == ("cut by risk limits: A, B, C",)
    thin = decided(make_situation(PRICES), {"A": 0.1}, RiskLimits(participation=0.00002))
    assert quantities(thin) == {"A": 40.0}  # 2,000,000 shares x 0.00002


def test_a_position_above_its_limit_is_not_sold() -> None:
    """60 % of capital in A: it is kept, and a top-up is refused."""
    found = decided(make_situation(PRICES, held={"A": 600.0}), {"A": 0.7})
    assert quantities(found) == {"A": 600.0}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "the strategy answered NoneType: decide returns pocketsizefund.Targets"),
        ({"A": 0.1}, "the strategy answered dict"),
        (Targets(cast("Any", (("A", 0.1),))), r"a row of the targets is \('A', 0.1\)"),
        (Targets((Target("A", 0.1, "x"), Target("A", 0.2, "y"))), "named A twice"),
        (Targets((Target("ZZ", 0.1, "x"),)), "named ZZ, which has no bar up to 2024-03-15 and is not held"),
        (Targets((Target("A", float("nan"), "x"),)), "gave A a weight of nan: give a finite number"),
        (Targets((Target("A", float("-inf"), "x"),)), "gave A a weight of -inf"),
        (Targets((Target("A", cast("Any", "0.1"), "x"),)), "gave A a weight of 0.1"),
        (Targets(scores=cast("Any", [3.0, 2.0, 1.0])), "scores of the targets are list: give a NumPy array of"),
        (Targets(scores=cast("Any", "abc")), "scores of the targets are str: "),
        (
            Targets(scores=np.array([1.0, 2.0])),
            r"are an array of float64 of the shape \(2,\): .* situation.tickers, NaN",
        ),
        (Targets(scores=np.ones((len(PRICES), 1))), rf"of the shape \({len(PRICES)}, 1\): .* {len(PRICES)} floats"),
        (Targets(scores=cast("Any", np.array(["1"] * len(PRICES)))), "are an array of <U1 of the shape"),
        (Targets((Target("A", 50.0, "x"),)), "add up to 50 times the capital: a weight is a fraction of it"),
    ],
)
def test_wrong_targets(answer: object, said: str) -> None:
    """Each is refused with a sentence that says what to give."""
    with pytest.raises(StrategyError, match=said):
        decide(make_situation(PRICES), Fixed(answer), LIMITS)


def test_names_without_a_score() -> None:
    """NaN is no score, and no error: the name has no rank, and the others keep theirs."""
    situation = make_situation(PRICES)
    scores = np.full(len(situation.tickers), np.nan)
    scores[:2] = 1.0, 2.0
    decision = decide(situation, Fixed(Targets(scores=scores)), LIMITS)
    ranks = {one.ticker: one.rank for one in describe_names(situation, decision)}
    assert ranks == dict.fromkeys(situation.tickers) | {situation.tickers[0]: 2, situation.tickers[1]: 1}


def test_what_the_market_does_not_allow_is_left_out() -> None:
    """No price, not shortable, an open order: a note each, and the rest is decided."""
    situation = make_situation(PRICES, unshortable=frozenset({"B"}), blocked=frozenset({"C"}))
    situation.inputs.price[3] = np.nan
    found = decided(situation, {"A": 0.1, "B": -0.1, "C": 0.1, "D": 0.1})
    assert quantities(found) == {"A": 100.0}
    assert set(found.notes) == {
        "B is not opened: it cannot be sold short",
        "C is not opened: an order of it is open, somebody else holds it, or a corporate action has changed it since",
        "D is not opened: no price today",
    }


def test_what_cannot_be_opened_is_not_added_to() -> None:
    """A short that can no longer be borrowed and a long that is not tradable stay, with a note; the rest is decided."""
    prices, limits = dict.fromkeys("ABGH", 10.0), RiskLimits()
    held = {"A": 100.0, "B": 100.0, "G": -100.0, "H": -60.0}
    situation = make_situation(prices, held=held, unshortable=frozenset({"H"}))
    wanted: dict[str, float | None] = {"A": 0.1, "B": 0.1, "G": -0.1, "H": -0.2}
    found = decided(situation, wanted, limits)
    assert quantities(found) == held
    assert found.notes == ("H is not added to: it cannot be sold short",)
    assert plan_orders(found, "account", "p", situation.day, MOMENT) == []
    smaller = decided(situation, {**wanted, "H": -0.02}, limits)
    assert quantities(smaller) == {**held, "H": -20.0}
    untraded = replace(situation, assets=Assets(frozenset("BGH"), frozenset("GH")))
    assert decided(untraded, {**wanted, "A": 0.2}, limits).notes == ("A is not added to: the broker does not trade it",)


def test_a_strategy_cannot_change_what_it_is_given() -> None:
    """Every array refuses writing and reaches no later row; the fund's own arrays stay as they are."""
    situation = make_situation(PRICES, history_sessions=5)
    table = np.arange(12.0).reshape(3, 4)
    inputs = replace(situation.inputs, price=table[1], mean_volume=table[:2][0])
    sealed = make_read_only(replace(situation, inputs=inputs))
    arrays = [
        sealed.inputs.price, sealed.inputs.mean_volume, sealed.inputs.volatility, sealed.inputs.liquid,
        sealed.bars.close, sealed.bars.volume, sealed.may_open, sealed.may_short,
    ]  # fmt: skip
    for values in arrays:
        assert values.base is None
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1
    assert sealed.bars is sealed.bars
    assert make_read_only(sealed).inputs.price is sealed.inputs.price
    table[1, 0] = 99.0
    assert sealed.inputs.price[0] == 4.0
    with pytest.raises(TypeError):
        cast("Any", sealed.assets.borrow_rates)["A"] = 0.5


def test_a_position_has_an_age() -> None:
    """Opened five sessions before the day: five sessions old."""
    situation = make_situation(PRICES, held={"A": 1.0})
    assert situation.age_of(situation.holdings["A"]) == 5
