"""The constructions by name."""

from internal.strategies.constructions.equal_sides import SizingRules
from internal.strategies.constructions.ten_by_ten import TenByTenRules, construct_ten_by_ten
from internal.strategies.strategy import Construction, Strategy
from internal.trading.rows import FloatArray, Situation
from internal.trading.targets import Targets


def construct(strategy: Strategy, situation: Situation, scores: FloatArray) -> Targets:
    """The targets of the strategy's construction."""
    match strategy.construction:
        case Construction.TEN_BY_TEN:
            sizing = SizingRules(gross_exposure=strategy.gross_exposure)
            return construct_ten_by_ten(situation, scores, TenByTenRules(strategy.names_per_side, sizing=sizing))
        case _:
            raise NotImplementedError(strategy.construction)
