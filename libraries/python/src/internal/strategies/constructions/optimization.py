"""The optimiser's problem: what a portfolio is expected to earn, what trading it costs, and within which bounds."""

from dataclasses import dataclass, field

import numpy as np

from internal.strategies.constructions.risk_model import RiskModel, estimate_risk
from internal.strategies.constructions.rules import PortfolioRules
from internal.trading.arrays import FloatArray, IntArray
from internal.trading.ranks import rank_names
from internal.trading.situation import Situation

SESSIONS_A_YEAR = 252
LARGEST_SCORE = 3.0  # standard deviations; beyond them a score is an outlier


@dataclass(frozen=True, slots=True)
class OptimizerRules:
    """What `construct_optimized` maximises, and within which limits. Rates are fractions of dollars.

    Attributes:
        portfolio: Names, gross exposure and what keeps the portfolio from trading too often.
        information_coefficient: The correlation of scores and returns that the expected returns assume.
        horizon_sessions: Over which returns, risk and borrow are counted; costs of trading are paid once in it.
        risk_aversion: Of the variance over the horizon.
        cost: Half a spread and fees, of the dollars traded.
        impact: Coefficient of the square-root law: volatility a session x sqrt(shares / mean volume), of the dollars.
        borrow_rate: A year, of the dollars short, where the broker states none.
        name_multiple: Largest weight of a name, in equal weights.
        turnover: Dollars traded at most in one decision, in gross exposures.
        participation: Shares traded at most in one decision, of the mean volume a session.
        sector_tolerance: Net weight of a sector at most, of capital.
        beta_tolerance: Beta of the portfolio at most, long or short.
    """

    portfolio: PortfolioRules = field(default_factory=PortfolioRules)
    information_coefficient: float = 0.03
    horizon_sessions: int = 5
    risk_aversion: float = 10.0
    cost: float = 0.0005
    impact: float = 1.0
    borrow_rate: float = 0.003
    name_multiple: float = 2.0
    turnover: float = 1.0
    participation: float = 0.05
    sector_tolerance: float = 0.001
    beta_tolerance: float = 0.01


@dataclass(frozen=True, slots=True)
class Problem:
    """A convex problem over n names; weights are signed, of capital.

    Attributes:
        places: [n] in the day's arrays; frozen positions are among them, with equal bounds.
        expected: [n] returns over the horizon.
        risk: Covariance and betas, a session.
        held: [n] weights now.
        lowest: [n] bounds of the weights.
        highest: [n] bounds of the weights.
        impact: [n] cost of trading the weight d is impact x |d| ^ 1.5.
        borrow: [n] cost over the horizon of a weight of -1.
        sectors: [n] numbers of sectors; names without one share a number.
    """

    places: IntArray
    expected: FloatArray
    risk: RiskModel
    held: FloatArray
    lowest: FloatArray
    highest: FloatArray
    impact: FloatArray
    borrow: FloatArray
    sectors: IntArray


def pose_problem(situation: Situation, scores: FloatArray, rules: OptimizerRules) -> Problem:
    """The problem of a situation: all names with a rank, and the frozen positions that the day has a place for."""
    ranked = rank_names(situation, scores)
    frozen = [place for place in _frozen_places(situation) if place not in ranked]
    places = np.array(sorted([*ranked, *frozen]), dtype=np.int64)
    risk, held = estimate_risk(situation.bars, places), _held_weights(situation, places)
    lowest, highest = _bounds(situation, places, held, rules)
    fixed = np.isin(places, frozen)
    return Problem(
        places=places,
        expected=np.where(fixed, 0.0, _expected_returns(scores[places], risk.volatility, rules)),
        risk=risk,
        held=held,
        lowest=np.where(fixed, held, lowest),
        highest=np.where(fixed, held, highest),
        impact=_impact(situation, places, risk.volatility, rules),
        borrow=_borrow(situation, places, rules),
        sectors=number_sectors(situation, places),
    )


def _tickers(situation: Situation, places: IntArray) -> list[str]:
    numbers: list[int] = places.tolist()
    return [situation.tickers[place] for place in numbers]


def number_sectors(situation: Situation, places: IntArray) -> IntArray:
    """[n] a number for each sector; 0 for names without one."""
    if situation.details is None:
        return np.zeros(len(places), dtype=np.int64)
    numbers: list[int] = places.tolist()
    names = np.array([situation.details.sector[place] or "" for place in numbers], dtype=np.str_)
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _frozen_places(situation: Situation) -> list[int]:
    places = [situation.find(one.ticker) for one in situation.positions if situation.freezing_reason(one)]
    return [place for place in places if place is not None]


def _held_weights(situation: Situation, places: IntArray) -> FloatArray:
    positions = [situation.holdings.get(ticker) for ticker in _tickers(situation, places)]
    dollars = [one.quantity * situation.price_of(one) if one else 0.0 for one in positions]
    return np.array(dollars) / situation.capital


def _expected_returns(scores: FloatArray, volatility: FloatArray, rules: OptimizerRules) -> FloatArray:
    """Information coefficient x volatility x standardised score, over the horizon.

    Grinold, "Alpha is volatility times IC times score", Journal of Portfolio Management 20, 1994.
    """
    standard = (scores - np.nanmean(scores)) / np.nanstd(scores)
    bounded = np.clip(standard, -LARGEST_SCORE, LARGEST_SCORE)
    return rules.information_coefficient * volatility * np.sqrt(rules.horizon_sessions) * bounded


def _dollar_volume(situation: Situation, places: IntArray) -> FloatArray:
    """[n] dollars a session that are traded in the mean, in units of capital; 0 where it is not known."""
    volume = situation.inputs.mean_volume[places] * situation.inputs.last_price[places] / situation.capital
    return np.where(np.isfinite(volume), volume, 0.0)


def _bounds(
    situation: Situation, places: IntArray, held: FloatArray, rules: OptimizerRules
) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest weights: a name's limit, its participation, no flip through zero, what may be opened."""
    portfolio = rules.portfolio
    largest = rules.name_multiple * portfolio.dollars_per_name(1.0, 2)
    step = rules.participation * _dollar_volume(situation, places)
    may_long, may_short = situation.may_open[places] & (held >= 0), situation.may_short[places] & (held <= 0)
    highest = np.where(may_long, largest, np.maximum(held, 0.0))
    lowest = np.where(may_short, -largest, np.minimum(held, 0.0))
    return np.maximum(lowest, held - step).clip(max=held + step), np.minimum(highest, held + step).clip(min=held - step)


def _impact(situation: Situation, places: IntArray, volatility: FloatArray, rules: OptimizerRules) -> FloatArray:
    volume = _dollar_volume(situation, places)
    with np.errstate(divide="ignore"):
        return np.where(volume > 0, rules.impact * volatility / np.sqrt(volume), 0.0)


def _borrow(situation: Situation, places: IntArray, rules: OptimizerRules) -> FloatArray:
    known = situation.assets.borrow_rates
    rates = np.array([known.get(ticker, rules.borrow_rate) for ticker in _tickers(situation, places)])
    return rates * rules.horizon_sessions / SESSIONS_A_YEAR
