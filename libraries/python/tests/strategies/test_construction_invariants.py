"""What holds of every construction for any situation: sides, frozen positions, flips, whole shares, repetition."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.strategies.constructions.catalogue import CONSTRUCTIONS
from internal.strategies.constructions.rules import PortfolioRules
from internal.strategies.strategy import Construction
from internal.trading.arrays import FloatArray
from internal.trading.situation import Situation
from internal.trading.targets import Targets
from libraries.python.tests.strategies.drawn_situations import situations
from libraries.python.tests.strategies.small_situations import DAY, make_situation, shares

RULES = PortfolioRules(names_per_side=4)
BY_RANK = [one for one in Construction if one not in {Construction.TEN_BY_TEN, Construction.OPTIMIZER}]
EQUAL_SIDED = [Construction.QUANTILES, Construction.SECTOR_NEUTRAL, Construction.INVERSE_VOLATILITY]
SCORES = st.lists(st.one_of(st.floats(-5, 5), st.just(np.nan), st.just(1.0)), min_size=30, max_size=30)


def construct(name: Construction, situation: Situation, scores: FloatArray) -> Targets:
    """The targets, with as many scores as the situation has names."""
    return CONSTRUCTIONS[name](situation, scores[: len(situation.tickers)], RULES)


def price_of(situation: Situation, ticker: str) -> float:
    """Dollars a share, of a position or of a name of the day."""
    if ticker in situation.holdings:
        return situation.price_of(situation.holdings[ticker])
    return float(situation.inputs.price[situation.tickers.index(ticker)])


def side_values(found: Mapping[str, float], situation: Situation) -> tuple[float, float]:
    """Dollars long and short."""
    values = [count * price_of(situation, ticker) for ticker, count in found.items()]
    return sum(one for one in values if one > 0), -sum(one for one in values if one < 0)


@pytest.mark.parametrize("name", BY_RANK)
@settings(max_examples=60, deadline=None)
@given(situation=situations(), values=SCORES)
def test_invariants(name: Construction, situation: Situation, values: list[float]) -> None:
    """One target a position, frozen ones untouched, no flip, whole shares, no more names than places."""
    scores = np.array(values)
    targets = construct(name, situation, scores)
    found, weights = shares(targets, situation), {row.ticker: row.weight for row in targets.rows}
    frozen = {one.ticker for one in situation.positions if situation.freezing_reason(one)}
    assert len(found) == len(targets.rows)
    assert set(situation.holdings) <= set(found)
    for row in targets.rows:
        place = situation.inputs.find(row.ticker)
        position = situation.holdings.get(row.ticker)
        assert row.reason
        assert row.locked == (row.ticker in frozen and weights[row.ticker] is None and not _opens_nothing(targets))
        if row.ticker in frozen:
            assert row.weight is None
        elif position is not None:
            assert found[row.ticker] * position.quantity >= 0
        else:
            assert place is not None
            assert (situation.may_open if found[row.ticker] > 0 else situation.may_short)[place]
            assert np.isfinite(scores[place])
        if row.weight is not None and position is None:
            assert found[row.ticker] % 1 == pytest.approx(0, abs=1e-5)
            assert found[row.ticker] != 0
    assert construct(name, situation, scores) == targets


def _opens_nothing(targets: Targets) -> bool:
    return any(note.startswith("nothing is opened") for note in targets.notes)


@pytest.mark.parametrize("name", EQUAL_SIDED)
@settings(max_examples=60, deadline=None)
@given(situation=situations(), values=SCORES)
def test_equal_sides(name: Construction, situation: Situation, values: list[float]) -> None:
    """Without frozen positions the sides of each group differ by less than its dearest share, and keep the gross."""
    situation = replace(situation, blocked=frozenset())
    scores = np.array(values)
    targets = construct(name, situation, scores)
    if _opens_nothing(targets) or any(situation.freezing_reason(one) for one in situation.positions):
        return
    found = {ticker: count for ticker, count in shares(targets, situation).items() if count}
    details = situation.details
    sectors = dict(zip(situation.tickers, details.sector, strict=True)) if details else {}
    by_group = name is Construction.SECTOR_NEUTRAL
    for group in {sectors.get(ticker) if by_group else None for ticker in found}:
        own = {ticker: count for ticker, count in found.items() if not by_group or sectors.get(ticker) == group}
        long, short = side_values(own, situation)
        assert abs(long - short) <= max(price_of(situation, ticker) for ticker in own) + 1e-6
    long, short = side_values(found, situation)
    assert max(long, short) <= situation.capital * RULES.gross_exposure / 2 * 1.05 + 1e-6


@pytest.mark.parametrize("name", BY_RANK)
@settings(max_examples=20, deadline=None)
@given(situation=situations(), values=SCORES, random=st.randoms(use_true_random=False))
def test_order_of_positions_never_decides(
    name: Construction, situation: Situation, values: list[float], random: Random
) -> None:
    """Positions in another order give the same targets."""
    shuffled = replace(situation, positions=tuple(random.sample(situation.positions, len(situation.positions))))
    first, second = (construct(name, one, np.array(values)) for one in (situation, shuffled))
    assert {row.ticker: row for row in first.rows} == {row.ticker: row for row in second.rows}


@pytest.mark.parametrize("name", list(Construction))
def test_a_constant_score_opens_nothing(name: Construction) -> None:
    """All scores alike: what is held stays, nothing is opened, and a note says why."""
    prices = {f"T{number}": 10.0 for number in range(8)}
    situation = make_situation(prices, held={"T3": 20.0, "T4": -20.0}, history_sessions=80)
    targets = construct(name, situation, np.ones(8))
    assert {"T3": 20.0, "T4": -20.0} == shares(targets, situation)
    assert targets.notes[0] == "nothing is opened: all 8 names have the same score, which ranks nothing"
    assert situation.day == DAY


@pytest.mark.parametrize("name", list(Construction))
@pytest.mark.parametrize("scored", [0, 1])
def test_too_few_scores_change_nothing(name: Construction, scored: int) -> None:
    """No name has a score, or one alone, as after a hole in the bars: what is held stays, and a note counts them."""
    prices = {f"T{number}": 10.0 for number in range(8)}
    situation = make_situation(prices, held={"T3": 20.0, "T4": -20.0}, history_sessions=80)
    targets = construct(name, situation, np.array([1.0] * scored + [np.nan] * (8 - scored)))
    assert {"T3": 20.0, "T4": -20.0} == shares(targets, situation)
    assert targets.notes[0] == f"nothing is opened: {scored} of 8 names have a score, too few to rank"


@pytest.mark.parametrize("name", [one for one in Construction if one is not Construction.TEN_BY_TEN])
def test_a_name_without_a_score_is_closed_where_others_have_one(name: Construction) -> None:
    """It is closed as soon as two names rank, also where they have the same score and nothing is opened."""
    prices = {f"T{number}": 10.0 for number in range(8)}
    sectors = dict.fromkeys(prices, "Energy")
    situation = make_situation(prices, held={"T3": 20.0}, sectors=sectors, history_sessions=80)
    for score in ([1.0, 1.0], [1.0, 2.0]):
        targets = construct(name, situation, np.array([*score, *[np.nan] * 6]))
        assert shares(targets, situation)["T3"] == 0
