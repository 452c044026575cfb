"""Situations drawn by hypothesis: positions on both sides, some frozen, some outside the universe or in no sector."""

import numpy as np
from hypothesis import strategies as st

from internal.trading.situation import Situation
from libraries.python.tests.strategies.small_situations import make_situation

SECTORS = ("ENERGY", "HEALTH CARE", "UTILITIES")


@st.composite
def situations(draw: st.DrawFn, history_sessions: int = 0) -> Situation:
    """Any mix of names with prices from 2 to 900 dollars, rich or poor."""
    count = draw(st.integers(1, 30))
    prices = {f"T{number:02d}": round(draw(st.floats(2, 900)), 2) for number in range(count)}
    name = st.sampled_from(sorted(prices))
    held = {
        ticker: draw(st.sampled_from([1, -1])) * (draw(st.integers(1, 400)) + draw(st.sampled_from([0.0, 0.5])))
        for ticker in draw(st.lists(name, unique=True, max_size=12))
    }
    situation = make_situation(
        prices,
        held=held,
        sectors={ticker: draw(st.sampled_from(SECTORS)) for ticker in draw(st.sets(name))} or None,
        volatility={ticker: draw(st.sampled_from([0.005, 0.02, 0.08, np.nan])) for ticker in prices},
        unshortable=frozenset(draw(st.sets(name))),
        blocked=frozenset(draw(st.sets(name, max_size=3))),
        capital=draw(st.sampled_from([0.0, 900.0, 50_000.0, 3_000_000.0])),
        history_sessions=history_sessions,
    )
    price = situation.inputs.price
    price[draw(st.lists(st.integers(0, count - 1), max_size=2))] = np.nan
    return situation
