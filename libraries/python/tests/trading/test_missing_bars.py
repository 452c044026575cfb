"""A held name without bars: it is worth what the broker says, an alert is raised, and the book does not grow."""

from dataclasses import replace

import numpy as np
import pytest
from loaded_strategies import ten_by_ten

from internal.dates import previous_session
from internal.trading.broker_reports import BrokerPosition
from internal.trading.decision import decide
from internal.trading.enums import Action, Side
from internal.trading.limits import RiskLimits
from internal.trading.portfolio import Decision
from internal.trading.positions import Position
from internal.trading.situation import Situation
from libraries.python.tests.strategies.small_situations import DAY, make_situation

STRATEGY = ten_by_ten(names_per_side=3)
PRICES = {f"T{number:02}": 20.0 + number for number in range(20)} | {"HALT": 100.0}
CAPITAL = 100_000.0


def halted_situation(sessions: int, *, tradable: bool = True, held: dict[str, float] | None = None) -> Situation:
    """500 shares bought at 100, which the broker values at 0.01, without a bar for so many sessions; maybe more."""
    medians = np.linspace(0.02, -0.02, len(PRICES))
    bands = np.stack([medians - 0.1, medians, medians + 0.1], axis=1)
    situation = make_situation(PRICES, held=held, bands=bands, capital=CAPITAL)
    inputs, place = situation.inputs, situation.inputs.find("HALT")
    missing = np.zeros(len(PRICES), dtype=np.int64)
    missing[place] = sessions
    hidden = np.arange(len(PRICES)) == place
    halted = Position("HALT", 500.0, previous_session(DAY, sessions + 3), 100.0, None, broker_price=0.01)
    return replace(
        situation,
        inputs=replace(
            inputs,
            price=np.where(hidden, np.nan, inputs.price),
            last_price=np.where(hidden, np.nan, inputs.last_price),
            liquid=inputs.liquid & ~hidden,
            missing_sessions=missing,
        ),
        positions=(halted, *situation.positions),
        assets=situation.assets if tradable else replace(situation.assets, tradable=frozenset(PRICES) - {"HALT"}),
    )


def side_dollars(decision: Decision) -> list[float]:
    """Dollars long and short."""
    return [sum(row.dollar_amount for row in decision.rows if row.side is side) for side in Side]


def test_a_halted_long_is_worth_what_the_broker_says() -> None:
    """500 shares at 0.01 are 5 dollars, not the 50,000 that were paid: the sides are equal in what is there."""
    situation = halted_situation(31, tradable=False)
    assert situation.price_of(situation.positions[0]) == pytest.approx(0.01)
    decision = decide(situation, STRATEGY, RiskLimits(missing_sessions=32))
    long, short = side_dollars(decision)
    assert long == pytest.approx(short, rel=0.06)
    assert long > 10_000
    halted = next(row for row in decision.rows if row.ticker == "HALT")
    assert (halted.quantity, halted.dollar_amount, halted.frozen) == (500.0, pytest.approx(5.0), True)


@pytest.mark.parametrize(("sessions", "grows"), [(4, True), (5, False), (31, False)])
def test_the_book_does_not_grow(sessions: int, grows: bool) -> None:  # noqa: FBT001 - a case of the table
    """From the fifth session without a bar nothing is added to the 5 + 2,000 dollars that are held; a note says why."""
    situation = halted_situation(sessions, tradable=False, held={"T00": 100.0})
    decision = decide(situation, STRATEGY, RiskLimits())
    assert (sum(side_dollars(decision)) > 2_005) is grows
    assert (
        any(f"HALT has had no bar for {sessions} sessions: worth 5.00 dollars" in one for one in decision.notes)
        is not grows
    )


@pytest.mark.parametrize(("sessions", "action"), [(4, Action.HOLD), (5, Action.CLOSE)])
def test_it_is_closed_where_the_broker_trades_it(sessions: int, action: Action) -> None:
    """From the fifth session on a close is sent, at the broker's value."""
    decision = decide(halted_situation(sessions), STRATEGY, RiskLimits())
    row = next(row for row in decision.rows if row.ticker == "HALT")
    assert (row.action, row.held, row.reference_price) == (action, 500.0, 0.01)


def test_what_the_broker_values_a_share_at() -> None:
    """The market value over the shares, for a short too; else the last price; nothing where there is no value."""
    position = BrokerPosition("A", -200.0, 10.0, 8.0, -1_500.0, 0.0)
    assert position.share_value == 7.5
    assert replace(position, market_value=None).share_value == 8.0
    assert replace(position, market_value=0.0, current_price=0.0).share_value is None
