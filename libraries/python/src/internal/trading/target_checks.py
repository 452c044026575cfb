"""Checks of what a strategy answered: targets that cannot be meant are refused with a sentence that says why."""

from collections.abc import Iterable, Mapping
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, cast

import numpy as np

from internal.trading.situation import Situation
from internal.trading.strategy import StrategyError
from internal.trading.targets import Target, Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

HIGHEST_GROSS = 10.0  # times capital; no account allows it, so the weights are in another unit


def check_targets(answer: object, situation: Situation) -> Mapping[str, Target]:
    """The targets by ticker.

    Raises StrategyError: no Targets at all, a ticker twice or one that the day has nothing about, a weight that is no
    finite number, weights that add up to more than ten times the capital, or scores that are no float array of one
    value a name of the day (NaN for none).
    """
    if not isinstance(answer, Targets):
        raise StrategyError(f"the strategy answered {type(answer).__name__}: decide returns pocketsizefund.Targets")
    _check_scores(answer.scores, len(situation.tickers))
    wanted: dict[str, Target] = {}
    for target in cast("Iterable[object]", answer.rows):
        if not isinstance(target, Target):
            raise StrategyError(f"a row of the targets is {target!r}: give pocketsizefund.Target")
        if target.ticker in wanted:
            raise StrategyError(f"the strategy named {target.ticker} twice: give one target a name")
        _check_target(target, situation)
        wanted[target.ticker] = target
    gross = sum(abs(target.weight) for target in wanted.values() if target.weight is not None)
    if gross > HIGHEST_GROSS:
        raise StrategyError(
            f"the weights add up to {gross:g} times the capital: a weight is a fraction of it, 0.05 is 5 %"
        )
    return wanted


def _check_scores(scores: object, count: int) -> None:
    if scores is None:
        return
    found = type(scores).__name__
    if isinstance(scores, np.ndarray):
        array = cast("NDArray[np.generic]", scores)
        if array.shape == (count,) and np.issubdtype(array.dtype, np.floating):
            return
        found = f"an array of {array.dtype} of the shape {array.shape}"
    raise StrategyError(
        f"the scores of the targets are {found}: give a NumPy array of {count} floats, one for each of "
        "situation.tickers, NaN where a name has none"
    )


def _check_target(target: Target, situation: Situation) -> None:
    if situation.find(target.ticker) is None and target.ticker not in situation.holdings:
        raise StrategyError(
            f"the strategy named {target.ticker}, which has no bar up to {situation.day} and is not held: "
            "take names from situation.tickers"
        )
    if target.weight is not None and not _is_number(target.weight):
        raise StrategyError(f"the strategy gave {target.ticker} a weight of {target.weight}: give a finite number")


def _is_number(weight: object) -> bool:
    return isinstance(weight, Real) and isfinite(weight)
