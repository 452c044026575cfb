"""Long/short quantiles in which calm names get more dollars than wild ones, so that each adds about as much risk."""

from internal.strategies.constructions.rules import PortfolioRules
from internal.strategies.constructions.two_sides import construct_two_sides
from internal.strategies.constructions.weighting import inverse_volatility_weights
from internal.trading.arrays import FloatArray, IntArray
from internal.trading.situation import Situation
from internal.trading.targets import Targets


def construct_inverse_volatility(situation: Situation, scores: FloatArray, rules: PortfolioRules) -> Targets:
    """As `construct_quantiles`, with dollars within a side by one over realized volatility, within `weight_spread`.

    scores: [N], NaN for none. Volatility is `situation.inputs.volatility`, of daily log returns over the lookback.
    """

    def weigh(places: IntArray) -> FloatArray:
        return inverse_volatility_weights(situation.inputs.volatility[places], rules.weight_spread)

    return construct_two_sides(situation, scores, rules, weigh)
