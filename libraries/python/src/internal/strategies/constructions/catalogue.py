"""The constructions by name, with the strategy's fields as their rules."""

from collections.abc import Callable, Mapping
from functools import partial

from internal.strategies.constructions.equal_sides import SizingRules
from internal.strategies.constructions.inverse_volatility import construct_inverse_volatility
from internal.strategies.constructions.long_only import construct_long_only
from internal.strategies.constructions.optimization import OptimizerRules
from internal.strategies.constructions.optimizer import construct_optimized
from internal.strategies.constructions.quantiles import construct_quantiles
from internal.strategies.constructions.rules import PortfolioRules
from internal.strategies.constructions.sector_neutral import construct_sector_neutral
from internal.strategies.constructions.ten_by_ten import TenByTenRules, construct_ten_by_ten
from internal.strategies.strategy import Construction, Strategy
from internal.trading.arrays import FloatArray
from internal.trading.situation import Situation
from internal.trading.targets import Targets

type Construct = Callable[[Situation, FloatArray, PortfolioRules], Targets]


def construct(strategy: Strategy, situation: Situation, scores: FloatArray) -> Targets:
    """The targets of the strategy's construction. scores: [N], NaN where there is none."""
    rules = PortfolioRules(
        strategy.names_per_side, strategy.gross_exposure, strategy.exit_band, strategy.rebalance_threshold
    )
    return CONSTRUCTIONS[strategy.construction](situation, scores, rules)


def _construct_ten_by_ten(situation: Situation, scores: FloatArray, rules: PortfolioRules) -> Targets:
    sizing = SizingRules(gross_exposure=rules.gross_exposure)
    return construct_ten_by_ten(situation, scores, TenByTenRules(rules.names_per_side, sizing=sizing))


def _construct_optimized(situation: Situation, scores: FloatArray, rules: PortfolioRules) -> Targets:
    return construct_optimized(situation, scores, OptimizerRules(rules))


CONSTRUCTIONS: Mapping[Construction, Construct] = {
    Construction.TEN_BY_TEN: _construct_ten_by_ten,
    Construction.QUANTILES: construct_quantiles,
    Construction.SECTOR_NEUTRAL: construct_sector_neutral,
    Construction.INVERSE_VOLATILITY: construct_inverse_volatility,
    Construction.LONG_ONLY: construct_long_only,
    Construction.LONG_ONLY_BY_SCORE: partial(construct_long_only, by_score=True),
    Construction.OPTIMIZER: _construct_optimized,
}
