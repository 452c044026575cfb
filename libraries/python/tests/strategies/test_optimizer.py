"""The optimiser: its answer beside SciPy's on a small problem, its limits on a large one, and its ways out."""

# SciPy ships no types:
# pyright: reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import sys
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from internal.errors import ConfigurationError
from internal.strategies.constructions.optimization import OptimizerRules, Problem, pose_problem
from internal.strategies.constructions.optimizer import SOLVER, construct_optimized
from internal.strategies.constructions.risk_model import estimate_risk
from internal.strategies.constructions.rules import PortfolioRules
from internal.trading.arrays import FloatArray
from internal.trading.situation import Situation
from libraries.python.tests.strategies.small_situations import dollars, make_bars, make_situation, shares

NAMES = tuple(f"T{number:02d}" for number in range(24))
SECTORS = {name: f"SECTOR {place % 3}" for place, name in enumerate(NAMES)}
RULES = OptimizerRules(PortfolioRules(names_per_side=4, rebalance_threshold=0.0))


def solve(problem: Problem, rules: OptimizerRules) -> FloatArray | None:
    """The solver's answer; imported here, because skfolio takes seconds and every worker collects this module."""
    weights: FloatArray | None = import_module(SOLVER).solve(problem, rules)
    return weights


def situation(**changes: Any) -> Situation:  # noqa: ANN401 - the arguments of make_situation
    """24 names of three sectors at 20 to 66 dollars, a million dollars, a year of bars."""
    prices = {name: 20.0 + 2 * place for place, name in enumerate(NAMES)}
    given: dict[str, Any] = {"sectors": SECTORS, "capital": 1e6, "history_sessions": 253}
    return make_situation(prices, **(given | changes))


def drawn_scores(seed: int = 0) -> FloatArray:
    """[N] of a standard normal distribution."""
    return np.random.default_rng(seed).normal(size=len(NAMES))


def utility(weights: FloatArray, problem: Problem, rules: OptimizerRules) -> float:
    """Expected return less risk, costs, impact and borrow, written out."""
    traded = np.abs(weights - problem.held)
    variance = weights @ (problem.risk.covariance * rules.horizon_sessions) @ weights
    return float(
        problem.expected @ weights
        - rules.risk_aversion * variance
        - rules.cost * traded.sum()
        - problem.impact @ traded**1.5
        - problem.borrow @ np.maximum(-weights, 0)
    )


def net_by_sector(weights: FloatArray, problem: Problem) -> FloatArray:
    """Net weight of each sector."""
    return np.bincount(problem.sectors, weights=weights)


def other_solver(problem: Problem, rules: OptimizerRules, start: FloatArray) -> float:
    """The utility that SciPy's SLSQP finds under the same constraints, from a start."""
    from scipy.optimize import minimize  # noqa: PLC0415 - one worker compares, all collect

    def loss(weights: FloatArray) -> float:
        return -1e4 * utility(weights, problem, rules)

    def net(weights: FloatArray) -> float:
        return float(weights.sum())

    def room(weights: FloatArray) -> FloatArray:
        """What each limit leaves; negative where it is broken."""
        sectors = rules.sector_tolerance - np.abs(net_by_sector(weights, problem))
        beta = rules.beta_tolerance - abs(float(problem.risk.betas @ weights))
        return np.array([*sectors, beta, 1.0 - np.abs(weights).sum()])

    found = minimize(
        loss,
        start,
        bounds=list(zip(problem.lowest, problem.highest, strict=True)),
        constraints=[{"type": "eq", "fun": net}, {"type": "ineq", "fun": room}],
        method="SLSQP",
    )
    return -float(found.fun) / 1e4


def test_the_answer_is_that_of_another_solver() -> None:
    """Utility of the weights beside SciPy's SLSQP started from them and from nothing: nothing better is found."""
    problem = pose_problem(situation(), drawn_scores(), RULES)
    weights = solve(problem, RULES)
    assert weights is not None
    for start in (weights, np.zeros(len(weights))):
        assert utility(weights, problem, RULES) >= other_solver(problem, RULES, start) - 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_limits_hold(seed: int) -> None:
    """Dollars, sectors and beta neutral; gross, name, turnover and participation inside their limits."""
    held = dict(zip(NAMES[:4], (3000.0, -2500.0, 2000.0, -3000.0), strict=True))
    start = situation(held=held)
    rules = replace(RULES, turnover=0.6, participation=0.0005)
    problem = pose_problem(start, drawn_scores(seed), rules)
    weights = solve(problem, rules)
    assert weights is not None
    assert weights.sum() == pytest.approx(0, abs=1e-6)
    assert np.abs(net_by_sector(weights, problem)).max() <= rules.sector_tolerance + 1e-6
    assert abs(problem.risk.betas @ weights) <= rules.beta_tolerance + 1e-6
    assert np.abs(weights).sum() <= 1.0 + 1e-6
    assert np.abs(weights - problem.held).sum() <= 0.6 + 1e-6
    step = 0.0005 * 2e6 * start.inputs.price / start.capital
    assert (np.abs(weights - problem.held) <= step + 1e-6).all()
    assert (weights * problem.held >= -1e-9).all()


def test_targets_are_neutral_in_whole_shares() -> None:
    """Each sector's sides differ by less than its dearest share, and the gross is what utility wants of it."""
    start = situation()
    targets = construct_optimized(start, drawn_scores(), RULES)
    found = shares(targets, start)
    price = dict(zip(start.tickers, start.inputs.price.tolist(), strict=True))
    for sector in set(SECTORS.values()):
        own = {name: count for name, count in found.items() if SECTORS[name] == sector}
        assert abs(sum(count * price[name] for name, count in own.items())) <= max(price[name] for name in own)
    long, short = dollars(targets, start)
    assert 0 < long + short <= 1.0e6
    assert all(count % 1 == pytest.approx(0, abs=1e-4) for count in found.values())


def test_dearer_trading_trades_less() -> None:
    """At a cost of 20 basis points less is held; at none and little risk aversion the gross limit is used."""
    start, scores = situation(), drawn_scores()
    bold = replace(RULES, impact=0.0, risk_aversion=1.0)
    gross = [sum(dollars(construct_optimized(start, scores, replace(bold, cost=one)), start)) for one in (0.0, 0.002)]
    assert gross[0] > 0.95e6
    assert gross[1] < 0.5 * gross[0]


def test_frozen_positions_stay_and_count() -> None:
    """A frozen long keeps its shares, and the rest is neutral with it."""
    start = situation(held={"T00": 2000.0}, blocked=frozenset({"T00"}))
    targets = construct_optimized(start, drawn_scores(), RULES)
    long, short = dollars(targets, start)
    assert shares(targets, start)["T00"] == 2000.0
    assert long == pytest.approx(short, abs=200)


def test_no_portfolio_meets_all_limits() -> None:
    """A frozen position larger than everything that may be traded: sector neutral instead, and the note says so."""
    start = situation(held={"T00": 40_000.0}, blocked=frozenset({"T00"}))
    targets = construct_optimized(start, drawn_scores(), RULES)
    assert targets.notes[0] == "no portfolio meets all limits of the optimiser: sector neutral instead"


def test_a_short_history_falls_back() -> None:
    """With 30 sessions nothing is known of how names move together; without sectors the quantiles decide."""
    targets = construct_optimized(situation(history_sessions=30, sectors=None), drawn_scores(), RULES)
    assert targets.notes[0] == "fewer than 60 sessions of returns: quantiles instead"


def test_without_skfolio_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is optional: choosing the optimiser without it is an error, not another portfolio."""
    monkeypatch.delitem(sys.modules, "internal.strategies.constructions.skfolio_solver", raising=False)
    monkeypatch.setitem(sys.modules, "skfolio", None)
    with pytest.raises(ConfigurationError, match=r"needs skfolio, which is not installed: run `uv pip install"):
        construct_optimized(situation(), drawn_scores(), RULES)


def test_betas_and_variances_by_hand() -> None:
    """Betas are regression slopes on the mean return; factors and the rest add up to the sample variances."""
    bars = make_bars(dict.fromkeys(NAMES, 10.0), 253)
    returns = bars.close[1:] / bars.close[:-1] - 1
    model = estimate_risk(bars, np.arange(len(NAMES)))
    market = returns.mean(axis=1)
    assert model.betas == pytest.approx([np.polyfit(market, returns[:, place], 1)[0] for place in range(len(NAMES))])
    assert np.diag(model.covariance) == pytest.approx(returns.var(axis=0, ddof=1))
    assert np.corrcoef(model.covariance.ravel(), np.cov(returns.T).ravel())[0, 1] > 0.9
