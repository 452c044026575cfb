"""The constructions that turn scores into targets, with their rules, for strategies that call one themselves."""

from internal.strategies.constructions.equal_sides import SizingRules
from internal.strategies.constructions.ten_by_ten import TenByTenRules, construct_ten_by_ten

__all__ = ["SizingRules", "TenByTenRules", "construct_ten_by_ten"]
