"""The book that a ranking makes: its return session by session, its turnover and cost by hand, and what it bets on."""

from dataclasses import replace
from datetime import date, timedelta
from math import sqrt

import numpy as np
import polars as pl
import pytest

from internal.forecasting.quantiles import STEPS
from internal.forecasting.rank_evidence import RankEvidence
from models.evaluation_texts import format_after_costs, format_before_costs
from models.ranked_book import cost_a_side, make_scored_rows, measure_rank_evidence, measure_turnover, weigh
from models.traits import Trait, measure_bets, measure_traits
from models.truth import Truth

TICKERS, GROUP = 20, 2


def make_truth(session_returns: np.ndarray, folds: int = 1) -> Truth:
    """Truth of daily returns f64 [session, ticker]: the last seven sessions are no origins; dates in equal folds."""
    days, tickers = len(session_returns) - len(STEPS), session_returns.shape[1]
    ahead = np.stack([session_returns[1 + step : 1 + step + days] for step in range(len(STEPS))], axis=2)
    daily = ahead.reshape(days * tickers, len(STEPS))
    dates = pl.Series([date(2024, 1, 1) + timedelta(days=day) for day in range(days) for _ in range(tickers)])
    names = pl.Series([f"T{place:02}" for place in range(tickers)] * days)
    volatility = np.full(days * tickers, 0.02)
    sectors, number = pl.Series([None] * len(daily), dtype=pl.String), np.repeat(np.arange(folds), len(daily) // folds)
    return Truth(dates, np.log1p(daily).cumsum(axis=1), daily, volatility, sectors, number, names, {})


def forecast(scores: np.ndarray) -> np.ndarray:
    """Forecasts of equal width whose median has the order of scores f64 [session, ticker]."""
    median = 1e-3 * scores.reshape(-1, 1)
    simple = np.stack([median - 0.05, median, median + 0.05], axis=2)
    return np.log1p(np.repeat(simple, len(STEPS), axis=1))


def test_spread_is_that_of_a_book_played_session_by_session() -> None:
    """Seven books, one of which is replaced in each session: the sum of their returns, long less short."""
    generator = np.random.default_rng(1)
    returns, scores = generator.normal(0, 0.02, (37, TICKERS)), generator.normal(size=(30, TICKERS))
    played: list[float] = []
    for session in range(7, 31):  # the first session in which seven books are held, to the last
        books = [np.argsort(scores[origin]) for origin in range(session - 7, session)]
        played.append(
            sum(returns[session, book[-GROUP:]].mean() - returns[session, book[:GROUP]].mean() for book in books)
        )
    truth = make_truth(returns)
    found = measure_rank_evidence(truth, make_scored_rows(truth, forecast(scores)))
    assert found is not None
    assert found.ranks
    assert found.spread == pytest.approx(np.mean(played))
    assert 0.5 < found.spread_error / (np.std(played) / sqrt(len(played))) < 2
    assert found.spread_cost == pytest.approx(4 * measure_turnover(_weigh(truth, scores)) * cost_a_side(truth))


def _weigh(truth: Truth, scores: np.ndarray) -> pl.DataFrame:
    return weigh(make_scored_rows(truth, forecast(scores)))


@pytest.mark.parametrize("folds", [1, 2])
def test_turnover(folds: int) -> None:
    """Scores that stay are never traded, those that turn each week wholly; a fold begins a book of its own."""
    days = 28
    truth, still = make_truth(np.zeros((days + 7, TICKERS)), folds), np.tile(np.arange(TICKERS), (days, 1))
    turned = still * np.where(np.arange(days) // 7 % 2, 1, -1)[:, None]
    one_moved = still.copy()
    one_moved[7:14, [10, 19]] = still[7:14, [19, 10]]  # one of the best two is another one in the second week
    assert measure_turnover(_weigh(truth, still)) == 0
    assert measure_turnover(_weigh(truth, turned)) == 1
    moved = {1: 2 * 7 / (4 * 21), 2: 7 / (4 * 14)}[folds]  # in and out; with two folds, the way out is never seen
    assert measure_turnover(_weigh(truth, one_moved)) == pytest.approx(moved)
    short = make_truth(np.zeros((14, TICKERS)))
    assert measure_turnover(_weigh(short, still[:7])) == 1


def test_cost_by_hand() -> None:
    """A basis point, 2 % of volatility x the root of a thousandth, and half of the fee of 27.80 dollars a million."""
    assert cost_a_side(make_truth(np.zeros((9, TICKERS)))) == pytest.approx(1e-4 + 0.02 * sqrt(1e-3) + 27.8e-6 / 2)


def test_interval_of_noise_holds_no_return() -> None:
    """Scores that persist, returns of noise: the 95 % interval before costs has 0 in it about as often as it should."""
    inside = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        truth = make_truth(generator.normal(0, 0.02, (67, TICKERS)))
        scores = np.cumsum(generator.normal(size=(60, TICKERS)), axis=0)
        found = measure_rank_evidence(truth, make_scored_rows(truth, forecast(scores)))
        assert found is not None
        inside += abs(found.spread) <= 1.96 * found.spread_error
    assert inside >= 0.83 * 60  # three standard errors below 95 %, and short samples cover somewhat less


def test_a_book_that_knows_the_returns_is_enough_before_costs_eat_it() -> None:
    """The true week's return ranks: evidence; the same with 3 % of a basis point a session is eaten by the costs."""
    returns = np.random.default_rng(5).normal(0, 0.02, (67, TICKERS))
    for scale, enough in ((1.0, True), (3e-6 / 0.02, False)):
        truth = make_truth(scale * returns)
        scores = 10 * truth.cumulative[:, -1].reshape(60, TICKERS) / scale
        found = measure_rank_evidence(truth, make_scored_rows(truth, forecast(scores)))
        assert found is not None
        assert found.spread - 1.96 * found.spread_error > 0
        assert found.is_enough is enough


def test_a_forecast_of_volatility_does_not_rank() -> None:
    """Every ticker's median is the same multiple of its scale; medians of their own rank. Too few sessions: None."""
    scale = np.random.default_rng(2).lognormal(-3, 0.4, (30, TICKERS))
    truth = make_truth(np.random.default_rng(3).normal(0, 0.02, (37, TICKERS)))
    steps = np.repeat(scale.reshape(-1, 1), len(STEPS), axis=1)
    plain = steps[:, :, None] * np.array([-1.2, 0.05, 1.25])
    drawn = plain + np.random.default_rng(4).normal(0, 0.02, (len(plain), 1, 1))
    for forecasts, ranks in ((plain, False), (drawn, True)):
        found = measure_rank_evidence(truth, make_scored_rows(truth, forecasts))
        assert found is not None
        assert found.ranks is ranks
    few = make_truth(np.zeros((12, TICKERS)))
    assert measure_rank_evidence(few, make_scored_rows(few, forecast(np.zeros((5, TICKERS))))) is None


@pytest.mark.parametrize(("tickers", "is_judged"), [(2, False), (5, False), (6, True)])
def test_too_few_names_are_no_evidence(tickers: int, is_judged: bool) -> None:  # noqa: FBT001 - a case
    """The most volatile name earns most: up to five names may be in that order by chance, so that none is evidence."""
    scale = np.tile(np.linspace(0.02, 0.05, tickers), (60, 1))
    returns = np.random.default_rng(6).normal(0, 0.001, (67, tickers)) + np.linspace(0, 0.01, tickers)
    steps = np.repeat(scale.reshape(-1, 1), len(STEPS), axis=1)
    truth = make_truth(returns)
    found = measure_rank_evidence(truth, make_scored_rows(truth, steps[:, :, None] * np.array([-1.2, 0.05, 1.25])))
    assert (found is not None) is is_judged
    assert found is None or not found.is_enough


def test_bets() -> None:
    """The order of a trait is a correlation of 1, the opposite one of -1; an unknown trait is left out."""
    truth, score = make_truth(np.zeros((12, TICKERS))), np.tile(np.arange(TICKERS, dtype=float), 5)
    traits = {Trait.BETA: np.exp(score), Trait.SIZE: -score, Trait.VOLATILITY: np.full(len(score), np.nan)}
    known = replace(truth, traits=traits)
    found = measure_bets(known.dates, pl.Series(score), known.traits)
    assert found == pytest.approx({Trait.BETA: 1.0, Trait.SIZE: -1.0})


def test_traits_by_numpy() -> None:
    """Beta is the slope to the mean return of all tickers; later rows change no bit of any trait."""
    count, tickers, generator = 300, 4, np.random.default_rng(6)
    returns = generator.normal(0, 0.01, (count, 1)) * np.arange(1, 5) + generator.normal(0, 0.01, (count, tickers))
    days = [date(2023, 1, 1) + timedelta(days=day) for day in range(count)]
    frame = pl.concat(
        pl.DataFrame(
            {"date": days, "log_return": returns[:, place], "close": np.exp(returns[:, place].cumsum())}
        ).with_columns(ticker=pl.lit(f"T{place}"), segment=place, volume=pl.lit(100.0), volatility=pl.lit(0.02))
        for place in range(tickers)
    )
    origins = np.array([280 + count * place for place in range(tickers)])
    found = measure_traits(frame, origins)
    window = slice(281 - 252, 281)
    for place in range(tickers):
        own, market = returns[window, place], returns[window].mean(axis=1)
        assert found[Trait.BETA][place] == pytest.approx(np.polyfit(market, own, 1)[0])
        assert found[Trait.PAST_RETURN][place] == pytest.approx(returns[261:281, place].sum())
        closes = np.exp(returns[:, place].cumsum())
        assert found[Trait.SIZE][place] == pytest.approx(100 * closes[261:281].mean())
    later = pl.col("date") > days[280]
    poisoned = frame.with_columns(
        pl.when(later).then(9.9).otherwise(name).alias(name) for name in ("close", "log_return", "volume", "volatility")
    )
    again = measure_traits(poisoned, origins)
    assert all((again[trait] == found[trait]).all() for trait in Trait)
    assert np.isnan(measure_traits(frame, np.array([10]))[Trait.BETA]).all()


def test_texts() -> None:
    """A forecast that ranks shows what its book earned, 1 % less 0.3 % of costs; another one shows no figure."""
    ranked = RankEvidence(
        ranks=True, rank_correlation=0.05, rank_error=0.02, spread=0.01, spread_error=0.002, spread_cost=0.003
    )
    flat = replace(ranked, ranks=False)
    assert (format_before_costs(ranked), format_after_costs(ranked)) == ("+1.00", "+0.70 (+0.31 to +1.09)")
    assert (format_before_costs(flat), format_after_costs(flat)) == ("none", "none: it does not rank")
    assert format_before_costs(None) == format_after_costs(None) == "not measured"
