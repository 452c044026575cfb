"""Equal-weight long/short quantiles: the best names against the worst, half the gross exposure a side."""

from internal.strategies.constructions.rules import PortfolioRules
from internal.strategies.constructions.two_sides import construct_two_sides
from internal.strategies.constructions.weighting import equal_weights
from internal.trading.arrays import FloatArray
from internal.trading.situation import Situation
from internal.trading.targets import Targets


def construct_quantiles(situation: Situation, scores: FloatArray, rules: PortfolioRules) -> Targets:
    """The `names_per_side` best names long and as many of the worst short, equal dollars a name.

    scores: [N], NaN for none. Longs come from the better half of the ranking, shorts from the worse half. A score that
    is the same for all names opens nothing and keeps what is held.
    """
    return construct_two_sides(situation, scores, rules, lambda places: equal_weights(len(places)))
