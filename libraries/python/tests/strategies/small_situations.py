"""Small situations for tests of constructions: prices and scores by ticker, positions in shares."""

from collections.abc import Mapping
from datetime import date

import numpy as np

from internal.dates import previous_session, sessions
from internal.trading.arrays import FloatArray
from internal.trading.assets import Assets
from internal.trading.day_inputs import BarHistory, DayInputs, Details
from internal.trading.positions import Position
from internal.trading.situation import Situation
from internal.trading.targets import Targets

DAY = date(2024, 3, 15)
CAPITAL = 10_000.0


def make_bars(prices: Mapping[str, float], count: int, seed: int = 1) -> BarHistory:
    """`count` sessions up to DAY that end at the prices: a market that all share, and each name's own steps."""
    generator, days = np.random.default_rng(seed), sessions(previous_session(DAY, count), DAY)[-count:]
    steps = generator.normal(0, 0.015, (count, len(prices))) + generator.normal(0, 0.01, (count, 1))
    path = np.cumsum(steps, axis=0)
    close = np.exp(path - path[-1]) * np.array([prices[ticker] for ticker in sorted(prices)])
    return BarHistory(days, close, close * 1.01, close * 0.99, close, np.full_like(close, 2e6))


def make_situation(  # noqa: PLR0913 - each argument is one thing that a test varies
    prices: Mapping[str, float],
    *,
    held: Mapping[str, float] | None = None,
    sectors: Mapping[str, str] | None = None,
    volatility: Mapping[str, float] | None = None,
    unshortable: frozenset[str] = frozenset(),
    blocked: frozenset[str] = frozenset(),
    bands: FloatArray | None = None,
    capital: float = CAPITAL,
    history_sessions: int = 0,
) -> Situation:
    """All names liquid, tradable and shortable but for the named ones; positions were opened five sessions ago."""
    tickers = tuple(sorted(prices))
    price = np.array([prices[ticker] for ticker in tickers])
    known = dict.fromkeys(tickers, 0.02) | dict(volatility or {})
    details = Details(
        tuple((sectors or {}).get(one) for one in tickers), (None,) * len(tickers), (None,) * len(tickers)
    )
    inputs = DayInputs(
        day=DAY,
        tickers=tickers,
        price=price,
        last_price=price,
        liquid=np.ones(len(tickers), dtype=bool),
        volatility=np.array([known[ticker] for ticker in tickers]),
        bands=np.full((len(tickers), 3), np.nan) if bands is None else bands,
        model_version="",
        bars_version=1,
        mean_volume=np.full(len(tickers), 2e6),
        load_history=(lambda: make_bars(prices, history_sessions)) if history_sessions else None,
        details=details if sectors else None,
    )
    opened = previous_session(DAY, 5)
    positions = tuple(Position(one, shares, opened, prices.get(one, 1.0), None) for one, shares in (held or {}).items())
    assets = Assets(frozenset(tickers), frozenset(tickers) - unshortable)
    return Situation(inputs, capital, positions, assets, blocked)


def make_scores(situation: Situation, scores: Mapping[str, float]) -> FloatArray:
    """[N] the scores, NaN for other names."""
    return np.array([scores.get(ticker, np.nan) for ticker in situation.tickers])


def shares(targets: Targets, situation: Situation) -> dict[str, float]:
    """Signed shares after the targets by ticker; closed and kept positions included."""
    return {row.ticker: _shares(row.ticker, row.weight, situation) for row in targets.rows}


def _shares(ticker: str, weight: float | None, situation: Situation) -> float:
    if weight is None:
        return situation.holdings[ticker].quantity
    place = situation.inputs.find(ticker)
    assert place is not None
    return round(weight * situation.capital / float(situation.inputs.price[place]), 6)


def dollars(targets: Targets, situation: Situation) -> tuple[float, float]:
    """Dollars long and short after the targets."""
    values = [
        count * situation.price_of(situation.holdings[ticker])
        if ticker in situation.holdings
        else count * float(situation.inputs.price[situation.inputs.find(ticker) or 0])
        for ticker, count in shares(targets, situation).items()
    ]
    return sum(one for one in values if one > 0), -sum(one for one in values if one < 0)
