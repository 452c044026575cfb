"""Solves the optimiser's problem with skfolio's `MeanRisk`: mean-variance utility under linear constraints."""

# skfolio, scikit-learn and CVXPY have no complete types: their names and results are unknown to the checker
# pyright: reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

import cvxpy as cp
import numpy as np
from skfolio import RiskMeasure
from skfolio.exceptions import OptimizationError
from skfolio.optimization import MeanRisk, ObjectiveFunction
from skfolio.prior import BasePrior, FactorModel, ReturnDistribution

from internal.strategies.constructions.optimization import OptimizerRules, Problem
from internal.trading.arrays import FloatArray

PRECISION = {"tol_gap_abs": 1e-7, "tol_gap_rel": 1e-6, "tol_feas": 1e-7}  # of weights: a cent of 100,000 dollars


class GivenDistribution(BasePrior):
    """A prior whose distribution is given, not estimated."""

    def __init__(self, distribution: ReturnDistribution) -> None:
        self.distribution = distribution

    def fit(self, X: object, y: object = None, **_options: object) -> "GivenDistribution":  # noqa: N803 - scikit-learn's name
        """Nothing is left to estimate."""
        del X, y
        self.return_distribution_ = self.distribution
        return self


def solve(problem: Problem, rules: OptimizerRules) -> FloatArray | None:
    """[n] weights; None when no portfolio meets all constraints."""
    gross = rules.portfolio.gross_exposure
    distribution = _distribution(problem, rules.horizon_sessions)
    left, right = _neutrality(problem, rules)

    def costs(weights: cp.Variable) -> cp.Expression:
        """What utility loses by impact and borrow."""
        traded = cp.abs(weights - problem.held)
        return -cp.sum(cp.multiply(problem.impact, cp.power(traded, 1.5))) - problem.borrow @ cp.neg(weights)

    def limits(weights: cp.Variable) -> list[cp.Constraint]:
        """The turnover of the whole portfolio."""
        return [cp.norm1(weights - problem.held) <= rules.turnover * gross]

    model = MeanRisk(
        objective_function=ObjectiveFunction.MAXIMIZE_UTILITY,
        risk_measure=RiskMeasure.VARIANCE,
        risk_aversion=rules.risk_aversion,
        prior_estimator=GivenDistribution(distribution),
        min_weights=problem.lowest,
        max_weights=problem.highest,
        budget=0.0,
        max_long=gross / 2,
        max_short=gross / 2,
        transaction_costs=rules.cost,
        previous_weights=problem.held,
        left_inequality=left,
        right_inequality=right,
        add_objective=costs,
        add_constraints=limits,
        solver_params=PRECISION,
    )
    try:
        model.fit(distribution.returns)
    except OptimizationError:
        return None
    return np.asarray(model.weights_, dtype=np.float64)


def _neutrality(problem: Problem, rules: OptimizerRules) -> tuple[FloatArray, FloatArray]:
    """Rows a, b of a . w <= b: each sector's net weight and the beta, from both sides."""
    sectors = np.eye(problem.sectors.max() + 1)[problem.sectors].T
    rows = np.vstack([sectors, problem.risk.betas])
    bounds = np.append(np.full(len(sectors), rules.sector_tolerance), rules.beta_tolerance)
    return np.vstack([rows, -rows]), np.append(bounds, bounds)


def _distribution(problem: Problem, sessions: int) -> ReturnDistribution:
    """Expected returns and covariance over the horizon; its factors keep the solver's matrices small."""
    risk, count = problem.risk, problem.risk.loadings.shape[1]
    factors = FactorModel(
        observations=np.array(["horizon"]),
        asset_names=problem.places.astype(str),
        factor_names=np.arange(count).astype(str),
        factor_families=None,
        loading_matrix=risk.loadings,
        exposures=None,
        factor_covariance=np.eye(count) * sessions,
        factor_mu=np.zeros(count),
        factor_returns=None,
        idio_covariance=risk.specific * sessions,
        idio_mu=None,
        idio_returns=None,
        idio_variances=None,
    )
    return ReturnDistribution(
        mu=problem.expected,
        covariance=risk.covariance * sessions,
        returns=problem.expected[None, :].repeat(2, axis=0),
        factor_model=factors,
    )
