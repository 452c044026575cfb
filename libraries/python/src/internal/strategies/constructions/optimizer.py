"""Mean-variance optimisation with costs: neutral in dollars, sectors and beta, within limits of names and trading."""

from collections.abc import Sequence
from importlib import import_module

import numpy as np

from internal.errors import ConfigurationError
from internal.strategies.constructions.optimization import OptimizerRules, Problem, pose_problem
from internal.strategies.constructions.portfolio import (
    Group,
    explain_closes,
    frozen_holdings,
    make_holding,
    make_targets,
    open_nothing,
)
from internal.strategies.constructions.quantiles import construct_quantiles
from internal.strategies.constructions.ranking import find_ranking_problem
from internal.strategies.constructions.risk_model import FEWEST_RETURNS
from internal.strategies.constructions.sector_neutral import construct_sector_neutral
from internal.strategies.constructions.sizing import Holding
from internal.trading.arrays import FloatArray
from internal.trading.enums import Side
from internal.trading.ranks import rank_names
from internal.trading.situation import Situation
from internal.trading.targets import Targets

DUST = 0.1  # equal weights; a smaller position is not worth its orders
SOLVER = "internal.strategies.constructions.skfolio_solver"


def construct_optimized(situation: Situation, scores: FloatArray, rules: OptimizerRules) -> Targets:
    """The portfolio that maximises expected return less risk, costs, impact and borrow. scores: [N], NaN for none.

    Needs bars: `history_sessions` of at least 61. Positions that are closed because they have no score are outside
    the turnover limit. Where no portfolio meets all limits, the sector-neutral construction decides (equal-weight
    quantiles where no sector is known), and a note says so.

    Raises ConfigurationError when skfolio is not installed.
    """
    if (problem := find_ranking_problem(situation, scores)) is not None:
        return open_nothing(situation, scores, problem)
    if len(situation.bars.days) <= FEWEST_RETURNS:
        return _fall_back(situation, scores, rules, f"fewer than {FEWEST_RETURNS} sessions of returns")
    if not situation.capital * rules.portfolio.names_per_side or len(rank_names(situation, scores)) < len(Side):
        return construct_quantiles(situation, scores, rules.portfolio)
    posed = pose_problem(situation, scores, rules)
    weights = _solve(posed, rules)
    if weights is None:
        return _fall_back(situation, scores, rules, "no portfolio meets all limits of the optimiser")
    groups = _size_sectors(situation, posed, weights, rules)
    return make_targets(
        situation,
        groups,
        rules.portfolio.rebalance_threshold,
        explain_closes(situation, scores),
        _notes(weights, rules),
    )


def _solve(problem: Problem, rules: OptimizerRules) -> FloatArray | None:
    try:
        solver = import_module(SOLVER)
    except ImportError as error:
        raise ConfigurationError(
            f"the construction optimizer needs {error.name}, which is not installed: run "
            "`uv pip install 'skfolio>=1.12'`, or choose another construction"
        ) from error
    return solver.solve(problem, rules)


def _fall_back(situation: Situation, scores: FloatArray, rules: OptimizerRules, why: str) -> Targets:
    """Another construction's targets, with a note that says why."""
    knows_sectors = situation.details is not None and any(situation.details.sector)
    construct, name = (
        (construct_sector_neutral, "sector neutral") if knows_sectors else (construct_quantiles, "quantiles")
    )
    targets = construct(situation, scores, rules.portfolio)
    return Targets(targets.rows, (f"{why}: {name} instead", *targets.notes))


def _size_sectors(situation: Situation, posed: Problem, weights: FloatArray, rules: OptimizerRules) -> list[Group]:
    """The names of each sector with equal sides; positions that are frozen as they are."""
    smallest = DUST * rules.portfolio.dollars_per_name(1.0, len(Side))
    frozen = {one.ticker: one for one in frozen_holdings(situation)}
    sectors: dict[int, list[Holding]] = {}
    numbers: list[int] = posed.places.tolist()
    for place, weight, sector in zip(numbers, weights.tolist(), posed.sectors.tolist(), strict=True):
        ticker = situation.tickers[place]
        if (held := frozen.pop(ticker, None)) is not None:
            sectors.setdefault(sector, []).append(held)
        elif abs(weight) >= smallest:
            side = Side.LONG if weight > 0 else Side.SHORT
            dollars, reason = abs(weight) * situation.capital, f"optimal weight {weight:+.2%}"
            sectors.setdefault(sector, []).append(make_holding(situation, place, side, dollars, reason))
    groups = [Group(holdings, _larger_side(holdings)) for _, holdings in sorted(sectors.items())]
    return [*groups, Group(list(frozen.values()), 0.0, balanced=False)]


def _larger_side(holdings: Sequence[Holding]) -> float:
    return max(sum(one.dollars for one in holdings if one.side is side) for side in Side)


def _notes(weights: FloatArray, rules: OptimizerRules) -> list[str]:
    gross, wanted = float(np.abs(weights).sum()), rules.portfolio.gross_exposure
    return (
        [f"gross exposure of {gross:.2f} where {wanted:g} is allowed: more is not worth its cost"]
        if gross < 0.9 * wanted
        else []
    )
