"""The constructions that turn scores into targets, with their rules, for strategies that call one themselves.

Each is a function of a situation, scores [N] (NaN where there is none) and its rules, and gives Targets.
"""

from internal.strategies.constructions.equal_sides import SizingRules
from internal.strategies.constructions.inverse_volatility import construct_inverse_volatility
from internal.strategies.constructions.long_only import construct_long_only
from internal.strategies.constructions.optimization import OptimizerRules
from internal.strategies.constructions.optimizer import construct_optimized
from internal.strategies.constructions.portfolio import open_nothing
from internal.strategies.constructions.quantiles import construct_quantiles
from internal.strategies.constructions.ranking import find_forecast_problem, find_ranking_problem
from internal.strategies.constructions.rules import PortfolioRules
from internal.strategies.constructions.sector_neutral import construct_sector_neutral
from internal.strategies.constructions.ten_by_ten import TenByTenRules, construct_ten_by_ten

__all__ = [
    "OptimizerRules",
    "PortfolioRules",
    "SizingRules",
    "TenByTenRules",
    "construct_inverse_volatility",
    "construct_long_only",
    "construct_optimized",
    "construct_quantiles",
    "construct_sector_neutral",
    "construct_ten_by_ten",
    "find_forecast_problem",
    "find_ranking_problem",
    "open_nothing",
]
