"""The example strategies on small histories: expected picks worked out by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from internal.dates import previous_session, sessions
from internal.strategies.history import History
from internal.strategies.loading import LoadedStrategy, load_strategy
from internal.strategies.schedule import WEEKLY
from internal.trading.day_inputs import BarHistory
from internal.trading.situation import Situation
from libraries.python.tests.strategies.small_situations import DAY, make_situation, shares

STRATEGIES = Path(__file__).parents[4] / "strategies"
CLASSES = {
    "equal_weight": "EqualWeight",
    "five_day_reversal": "FiveDayReversal",
    "forecast_width": "ForecastWidth",
    "low_volatility": "LowVolatility",
    "momentum": "Momentum",
    "ten_by_ten": "TenByTen",
}


def load(name: str, **parameters: str) -> LoadedStrategy:
    """An example with some parameters set."""
    return load_strategy(f"{STRATEGIES / name}.py:{CLASSES[name]}", parameters)


def with_closes(situation: Situation, closes: Mapping[str, Sequence[float]]) -> Situation:
    """The situation with these closes up to its day as the history."""
    close = np.array([closes[ticker] for ticker in situation.tickers]).T
    days = sessions(previous_session(DAY, len(close)), DAY)[-len(close) :]
    bars = BarHistory(days, close, close, close, close, np.full_like(close, 1e6))
    return replace(situation, inputs=replace(situation.inputs, load_history=lambda: bars))


def scores(strategy: LoadedStrategy, situation: Situation) -> dict[str, float]:
    """The scores by ticker, rounded."""
    found = strategy.strategy.scores(situation)
    return dict(zip(situation.tickers, [round(one, 6) for one in found.tolist()], strict=True))


def test_every_example_is_here() -> None:
    """Each file of the folder has a test below."""
    assert set(CLASSES) == {path.stem for path in STRATEGIES.glob("*.py")}


def test_five_day_reversal_by_hand() -> None:
    """A fell by 10 % and B by 5 %, C rose by 5 % and D by 10 %: A is bought and D sold short, 5,000 dollars."""
    last = {"A": 9.0, "B": 9.5, "C": 10.5, "D": 11.0}
    situation = make_situation(last, sectors=dict.fromkeys(last, "ENERGY"))
    situation = with_closes(situation, {name: [10.0, 1.0, 2.0, 3.0, 4.0, price] for name, price in last.items()})
    strategy = load("five_day_reversal", names_per_side="1")
    assert {"A": 0.1, "B": 0.05, "C": -0.05, "D": -0.1} == scores(strategy, situation)
    assert {"A": 555.0, "D": -454.0} == shares(strategy.decide(situation), situation)
    assert (strategy.strategy.schedule, strategy.needs.history_sessions) == (WEEKLY, 6)


def test_momentum_by_hand() -> None:
    """Of four sessions with one skipped: from 10 to 12, 11, 9 and 8; what the last session did does not count."""
    middle = {"A": 12.0, "B": 11.0, "C": 9.0, "D": 8.0}
    paths = {name: [10.0, 9.0, price, 5.0 if price > 10 else 20.0] for name, price in middle.items()}
    situation = with_closes(make_situation({name: path[-1] for name, path in paths.items()}), paths)
    strategy = load("momentum", sessions="3", skipped="1", names_per_side="1")
    assert {"A": 0.2, "B": 0.1, "C": -0.1, "D": -0.2} == scores(strategy, situation)
    assert {"A": 1000.0, "D": -250.0} == shares(strategy.decide(situation), situation)


def test_low_volatility_by_hand() -> None:
    """Steps of 1 %, 2 % and 4 %: scores in the ratio of 4 to 2 to 1; D never moved and has none."""
    sizes = {"A": 0.01, "B": 0.02, "C": 0.04, "D": 0.0}
    paths = {name: np.exp(size * np.array([0, 1, 0, 1, 0])).tolist() for name, size in sizes.items()}
    situation = with_closes(make_situation(dict.fromkeys(sizes, 10.0)), paths)
    found = load("low_volatility", sessions="4").strategy.scores(situation)
    assert found[:3] / found[2] == pytest.approx([4.0, 2.0, 1.0])
    assert np.isnan(found[3])
    chosen = shares(load("low_volatility", sessions="4", names_per_side="2").decide(situation), situation)
    assert {"A": 633.0, "B": 316.0} == chosen  # 9,500 dollars in the ratio of 2 to 1, at 10


def test_equal_weight_by_hand() -> None:
    """The two names with the largest dollar volume, 4,750 dollars each; what is held beside them is closed."""
    situation = make_situation({"A": 10.0, "B": 20.0, "C": 40.0}, held={"A": 5.0})
    strategy = load("equal_weight", names="2")
    targets = strategy.decide(situation)
    assert {"B": 237.5, "C": 118.75} == {ticker: round(one, 2) for ticker, one in shares(targets, situation).items()}
    assert strategy.needs.history_sessions == 0
    assert not strategy.needs.forecasts


def test_forecast_width_by_hand() -> None:
    """Medians of 2, 1, -1 and -2 % in bands of the same width: A is bought and D sold short."""
    medians = np.array([0.02, 0.01, -0.01, -0.02])
    bands = np.stack([medians - 0.05, medians, medians + 0.05], axis=1)
    situation = make_situation(dict.fromkeys("ABCD", 10.0), bands=bands)
    strategy = load("forecast_width", names_per_side="1")
    assert {"A": 0.2, "B": 0.1, "C": -0.1, "D": -0.2} == scores(strategy, situation)
    assert {"A": 500.0, "D": -500.0} == shares(strategy.decide(situation), situation)
    assert strategy.needs.forecasts


@pytest.mark.parametrize("name", ["five_day_reversal", "low_volatility", "momentum"])
def test_a_missing_bar_does_not_shift_the_sessions(name: str) -> None:
    """Scores over a whole history with missing bars are those of each window alone: a shift counts sessions."""
    parameters = {"sessions": "10"} | ({"skipped": "3"} if name == "momentum" else {})
    strategy = load(name, **parameters)
    generator, days = np.random.default_rng(3), sessions(previous_session(DAY, 40), DAY)
    close = 50 * np.exp(np.cumsum(generator.normal(0, 0.02, (len(days), 6)), axis=0))
    tickers = tuple("ABCDEF")
    frame = pl.DataFrame({"ticker": np.repeat(tickers, len(days)), "date": days * 6, "close": close.T.ravel()}).filter(
        pl.Series(generator.random(6 * len(days)) > 0.1)
    )
    whole = strategy.strategy.score_sessions(History(frame), days, tickers)
    length = strategy.needs.history_sessions
    for place in range(length, len(days)):
        window = frame.filter(pl.col("date").is_between(days[place - length + 1], days[place]))
        found = strategy.strategy.score_sessions(History(window), [days[place]], tickers)[0]
        assert np.allclose(found, whole[place], rtol=1e-9, equal_nan=True)
