"""The best names of a ranking long, with all of the gross exposure."""

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
from internal.strategies.constructions.selection import pick_side
from internal.strategies.constructions.weighting import bounded_weights, equal_weights
from internal.trading.arrays import FloatArray
from internal.trading.enums import Side
from internal.trading.ranks import rank_names
from internal.trading.situation import Situation
from internal.trading.targets import Targets


def construct_long_only(
    situation: Situation, scores: FloatArray, rules: PortfolioRules, *, by_score: bool = False
) -> Targets:
    """The `names_per_side` best names, equal dollars each or by score. scores: [N], NaN for none.

    By score, names with a score above 0 are held alone, with dollars in proportion to it within `weight_spread`.
    A score that is the same for all names opens nothing and keeps what is held.
    """
    if (problem := find_ranking_problem(situation, scores)) is not None:
        return open_nothing(situation, scores, problem)
    allowed = np.where(scores > 0, scores, np.nan) if by_score else scores
    ranked, order, frozen = rank_names(situation, scores), rank_names(situation, allowed), frozen_holdings(situation)
    places, exit_rank = rules.names_per_side - len(frozen), rules.exit_rank(rules.names_per_side)
    picks = pick_side(situation, ranked, order, Side.LONG, places, exit_rank)
    weights = equal_weights(len(picks))
    if by_score:
        weights = bounded_weights(scores[[one.place for one in picks]], rules.weight_spread)
    holdings = size_picks(situation, picks, weights * rules.dollars_per_name(situation.capital, 1))
    group = Group([*frozen, *holdings], situation.capital * rules.gross_exposure, balanced=False)
    count = len(frozen) + len(picks)
    notes = [f"{count} of {rules.names_per_side} names: not enough candidates"] if count < rules.names_per_side else []
    return make_targets(situation, [group], rules.rebalance_threshold, explain_closes(situation, allowed), notes)
