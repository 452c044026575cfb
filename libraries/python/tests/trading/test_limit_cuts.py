"""The limits on sectors, beta, sizes, counts, prices and data: worked out by hand, and for any targets."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.dates import previous_session, sessions
from internal.trading.day_inputs import Forecasts
from internal.trading.day_table import BarTable, compute_day_table
from internal.trading.enums import Side
from internal.trading.limit_kinds import LimitKind
from internal.trading.limits import RiskLimits
from internal.trading.portfolio import Decision
from internal.trading.situation import Situation
from internal.trading.universe import Universe
from libraries.python.tests.strategies.drawn_situations import situations
from libraries.python.tests.strategies.small_situations import DAY, make_situation
from libraries.python.tests.trading.test_limits import decided, quantities

PRICES = dict.fromkeys("ABCD", 10.0)  # of 10,000 dollars a weight of 0.1 is 100 shares
WIDE = RiskLimits(gross_exposure=4.0, net_exposure=4.0, name_weight=4.0, participation=1.0, order_size=4.0)


def kinds(decision: Decision) -> set[LimitKind]:
    """The limits that cut something."""
    return {cut.limit for cut in decision.cuts}


def test_a_sector_by_hand() -> None:
    """40 % of capital in a sector: two of its names of 30 % each become 20 %, the other sector keeps its 30 %."""
    situation = make_situation(PRICES, sectors={"A": "ENERGY", "B": "ENERGY", "C": "UTILITIES"})
    found = decided(situation, {"A": 0.3, "B": -0.3, "C": 0.3, "D": 0.3}, replace(WIDE, sector_weight=0.4))
    assert quantities(found) == {"A": 200.0, "B": -200.0, "C": 300.0, "D": 300.0}
    assert kinds(found) == {LimitKind.SECTOR_WEIGHT}
    assert "40% of capital in ENERGY" in found.rows[0].reason


def test_beta_by_hand() -> None:
    """Longs of beta 2 and 1 of 30 % each are a beta of 0.9; a limit of 0.45 halves both; a short hedges."""
    situation = make_situation(PRICES)
    betas = replace(situation.inputs, beta=np.array([2.0, 1.0, 1.0, np.nan]))
    situation, limits = replace(situation, inputs=betas), replace(WIDE, beta=0.45)
    assert quantities(decided(situation, {"A": 0.3, "B": 0.3}, limits)) == {"A": 150.0, "B": 150.0}
    hedged = decided(situation, {"A": 0.3, "B": 0.3, "D": -0.45}, limits)  # an unknown beta counts as 1
    assert quantities(hedged) == {"A": 300.0, "B": 300.0, "D": -450.0}
    assert quantities(decided(situation, {"A": -0.3, "B": -0.3}, limits)) == {"A": -150.0, "B": -150.0}


def test_order_size_and_turnover_by_hand() -> None:
    """What is held is no part of an order; openings of half the capital are scaled together."""
    held = make_situation(PRICES, held={"A": 300.0})
    assert quantities(decided(held, {"A": 0.6}, replace(WIDE, order_size=0.1))) == {"A": 400.0}
    found = decided(held, {"A": 0.6, "B": 0.3, "C": -0.4}, replace(WIDE, turnover=0.5))
    assert quantities(found) == {"A": 450.0, "B": 150.0, "C": -200.0}
    assert kinds(found) == {LimitKind.TURNOVER}


def test_the_count_of_orders_by_hand() -> None:
    """Of three orders a day the close goes first, then the two largest openings."""
    situation = make_situation(PRICES, held={"A": 300.0})
    found = decided(situation, {"A": 0.0, "B": 0.1, "C": 0.3, "D": -0.2}, replace(WIDE, orders_a_day=3))
    assert quantities(found) == {"A": 0.0, "C": 300.0, "D": -200.0}
    assert kinds(found) == {LimitKind.ORDERS_A_DAY}


def test_a_price_far_from_the_last_one() -> None:
    """A close of half the one before, or of half again as much, is not bought; the rest is."""
    situation = make_situation(PRICES, held={"B": 10.0})
    moved = replace(situation.inputs, previous_price=np.array([20.0, 6.6, 10.0, np.nan]))
    found = decided(replace(situation, inputs=moved), {"A": 0.1, "B": 0.1, "C": 0.1, "D": 0.1}, WIDE)
    assert quantities(found) == {"B": 10.0, "C": 100.0, "D": 100.0}
    assert kinds(found) == {LimitKind.PRICE_COLLAR}


def test_a_day_that_is_not_whole_opens_nothing() -> None:
    """Three of four names with a bar are fewer than 80 %; two of four with a forecast are half, which is enough."""
    situation = make_situation(PRICES, held={"B": 10.0})
    late = replace(situation.inputs, missing_sessions=np.array([0, 0, 0, 1]))
    found = decided(replace(situation, inputs=late), {"A": 0.1, "B": 0.1}, WIDE)
    assert (quantities(found), kinds(found)) == ({"B": 10.0}, {LimitKind.CURRENT_BARS})
    gone = replace(situation.inputs, missing_sessions=np.array([0, 0, 0, 2]))
    assert quantities(decided(replace(situation, inputs=gone), {"A": 0.1}, WIDE)) == {"A": 100.0, "B": 0.0}
    forecasts = Forecasts(np.array([1]), np.array([0.1, 0.5, 0.9]), np.zeros((4, 1, 3)))
    for known, wanted in ((2, {"A": 100.0, "B": 0.0}), (1, {"B": 0.0})):
        bands = np.where(np.arange(4)[:, None] < known, [[-0.1, 0.0, 0.1]], np.nan)
        inputs = replace(situation.inputs, forecasts=forecasts, bands=bands)
        assert quantities(decided(replace(situation, inputs=inputs), {"A": 0.1}, WIDE)) == wanted


def test_journal_and_broker_disagree_by_hand() -> None:
    """Of 10,000 dollars a tenth may be missing at the broker; a dollar more, and nothing is opened or added to."""
    situation = make_situation(PRICES, held={"B": 10.0})
    allowed = 0.1 * situation.capital
    for missing, wanted in ((allowed, {"A": 100.0, "B": 10.0}), (allowed + 1, {"B": 10.0})):
        found = decided(replace(situation, missing_dollars=missing), {"A": 0.1, "B": None}, WIDE)
        assert quantities(found) == wanted
    assert kinds(found) == {LimitKind.JOURNAL_DIFFERENCE}
    assert found.notes == ("cut by risk limits: A",)


FRACTIONS = st.floats(0.01, 1.0)
DRAWN_LIMITS = st.builds(
    RiskLimits,
    gross_exposure=st.floats(0.1, 2),
    net_exposure=st.floats(0.01, 1),
    name_weight=FRACTIONS,
    participation=st.sampled_from([0.0001, 0.1]),
    sector_weight=FRACTIONS,
    beta=st.floats(0.01, 1.5),
    order_size=FRACTIONS,
    orders_a_day=st.integers(0, 40),
    turnover=st.floats(0.01, 2),
    current_bars=st.just(0.5),
)


@st.composite
def known_situations(draw: st.DrawFn) -> Situation:
    """A situation with betas of either sign and the closes of the day before."""
    situation = draw(situations())
    count = len(situation.tickers)
    each = st.lists(st.sampled_from([-0.5, 0.3, 1.0, 1.8, np.nan]), min_size=count, max_size=count)
    moves = st.lists(st.sampled_from([0.3, 0.9, 1.0, 1.1, 3.0, np.nan]), min_size=count, max_size=count)
    inputs = situation.inputs
    return replace(
        situation,
        inputs=replace(
            inputs, beta=np.array(draw(each)), previous_price=inputs.last_price * np.array(draw(moves)) + 0.0
        ),
    )


@settings(max_examples=100, deadline=None)
@given(known_situations(), st.lists(st.floats(-0.3, 0.3), min_size=30, max_size=30), DRAWN_LIMITS)
def test_every_limit_holds_for_any_targets(situation: Situation, values: list[float], limits: RiskLimits) -> None:
    """Where something grows, no limit that it counts towards is exceeded; nothing falls below what is held."""
    wanted: dict[str, float | None] = dict(zip(situation.tickers, values, strict=False))
    decision, inputs, capital = decided(situation, wanted, limits), situation.inputs, situation.capital
    grown = [row for row in decision.rows if row.quantity > row.held]
    orders = [row for row in decision.rows if row.quantity != row.held]
    added = {row.ticker: (row.quantity - row.held) * row.reference_price for row in grown}
    assert sum(added.values()) <= limits.turnover * capital + 1e-6
    assert not grown or len(orders) <= limits.orders_a_day
    sectors, beta = defaultdict[str | None, float](float), 0.0
    sector_of = dict(zip(inputs.tickers, situation.details.sector, strict=True)) if situation.details else {}
    moves = {
        row.ticker: (-1 if row.side is Side.SHORT else 1) * float(np.nan_to_num(inputs.beta[place], nan=1.0))
        for row in decision.rows
        if inputs.beta is not None and (place := inputs.find(row.ticker)) is not None
    }
    for row in decision.rows:
        sectors[sector_of.get(row.ticker)] += row.dollar_amount
        beta += moves.get(row.ticker, 1.0) * row.dollar_amount
    for row in grown:
        place = inputs.find(row.ticker)
        assert place is not None
        assert added[row.ticker] <= limits.order_size * capital + 1e-6
        assert inputs.previous_price is not None
        before = inputs.previous_price[place]
        assert np.isnan(before) or abs(row.reference_price / before - 1) < limits.price_collar
        if (sector := sector_of.get(row.ticker)) is not None:
            assert sectors[sector] <= limits.sector_weight * capital + 1e-6
        if moves[row.ticker] * beta > 0:
            assert abs(beta) <= limits.beta * capital + 1e-6


@pytest.mark.parametrize("count", [31, 60])
def test_beta_of_the_day_table(count: int) -> None:
    """Against a regression by NumPy on the mean return of all names, over the last 30 returns."""
    days = sessions(previous_session(DAY, count), DAY)[-count:]
    steps = np.random.default_rng(3).normal(0, 0.02, (count, 5)) * np.array([1, 2, 3, 1, 1])
    close = 50 * np.exp(np.cumsum(steps, axis=0))
    bars = BarTable(days, tuple("ABCDE"), close, np.ones_like(close))
    table = compute_day_table(bars, count - 1, count - 1, Universe())
    returns = np.diff(np.log(close), axis=0)[-30:]
    market = returns.mean(axis=1)
    expected = [np.polyfit(market, returns[:, name], 1)[0] for name in range(5)]
    assert table.beta[0] == pytest.approx(expected, abs=1e-6)
    assert table.previous_price[0] == pytest.approx(close[-2])
