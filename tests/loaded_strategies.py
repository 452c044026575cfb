"""Strategies of the folder `strategies/`, loaded for tests and benchmarks."""

import json
from pathlib import Path

from internal.strategies.loading import LoadedStrategy, load_strategy

STRATEGIES = Path(__file__).parents[1] / "strategies"
TEN_BY_TEN = f"{STRATEGIES / 'ten_by_ten.py'}:TenByTen"


def ten_by_ten(**parameters: float | bool) -> LoadedStrategy:
    """The fund's own strategy with some parameters set."""
    texts = {name: json.dumps(value) for name, value in parameters.items()}
    return load_strategy(TEN_BY_TEN, texts)
