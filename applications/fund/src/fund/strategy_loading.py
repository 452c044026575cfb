"""Loads the strategy that a fund trades, which takes the libraries that the strategy needs."""

from fund.strategy_choice import StrategyChoice
from internal.strategies.assignments import split_assignments
from internal.strategies.loading import LoadedStrategy, load_strategy


def load_choice(choice: StrategyChoice) -> LoadedStrategy:
    """The strategy. Raises ConfigurationError, which says what is wrong with file, class or parameters."""
    return load_strategy(choice.address, split_assignments(choice.parameters))
