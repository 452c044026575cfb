"""The best names of a ranking long and the worst short, with weights within each side."""

from collections.abc import Callable

import numpy as np

from internal.strategies.constructions.portfolio import (
    Group,
    explain_closes,
    frozen_holdings,
    make_targets,
    open_nothing,
    size_picks,
)
from internal.strategies.constructions.ranking import find_ranking_problem
from internal.strategies.constructions.rules import PortfolioRules
from internal.strategies.constructions.selection import Pick, pick_side
from internal.strategies.constructions.sizing import Holding
from internal.trading.arrays import FloatArray, IntArray
from internal.trading.enums import Side
from internal.trading.ranks import rank_names
from internal.trading.situation import Situation
from internal.trading.targets import Targets

type Weighting = Callable[[IntArray], FloatArray]
"""From places in the day's arrays to weights with a mean of 1."""


def construct_two_sides(situation: Situation, scores: FloatArray, rules: PortfolioRules, weigh: Weighting) -> Targets:
    """The `names_per_side` best names long and as many of the worst short. scores: [N], NaN for none."""
    if (problem := find_ranking_problem(situation, scores)) is not None:
        return open_nothing(situation, scores, problem)
    frozen = frozen_holdings(situation)
    picks = _pick_names(situation, rank_names(situation, scores), frozen, rules)
    holdings, notes = list(frozen), list[str]()
    for side in Side:
        own = [one for one in picks if one.side is side]
        weights = weigh(np.array([one.place for one in own], dtype=np.int64))
        holdings += size_picks(situation, own, weights * rules.dollars_per_name(situation.capital, len(Side)))
        count = len(own) + sum(one.side is side for one in frozen)
        if count < rules.names_per_side:
            notes.append(f"{count} of {rules.names_per_side} {side} names: not enough candidates")
    group = Group(holdings, situation.capital * rules.gross_exposure / len(Side))
    return make_targets(situation, [group], rules.rebalance_threshold, explain_closes(situation, scores), notes)


def _pick_names(situation: Situation, ranked: list[int], frozen: list[Holding], rules: PortfolioRules) -> list[Pick]:
    """Longs from the better half of the ranking, shorts from the worse half; a frozen position takes up a place."""
    half, exit_rank = len(ranked) // 2, rules.exit_rank(rules.names_per_side)
    picks: list[Pick] = []
    for side, order in ((Side.LONG, ranked[:half]), (Side.SHORT, ranked[::-1][:half])):
        places = rules.names_per_side - sum(one.side is side for one in frozen)
        picks += pick_side(situation, ranked, order, side, places, exit_rank)
    return picks
