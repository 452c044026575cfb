"""How simulated prices move: one vectorised step a session, over all tickers at once.

Sessions are numbers here, not dates. Prices leave in whole cents, so that the same seed gives the same bytes.

The model: log return = market beta x market + sector beta x sector + own part. Each of these is a GARCH(1,1) process
with Student t shocks (Bollerslev 1987), split into an overnight gap and an intraday move. High and low are drawn from
the exact law of a Brownian bridge's extremes between open and close, volume is lognormal, persistent and rises with
the size of the move. A volatility regime multiplies the moves of some sessions and leaves the GARCH processes alone.
"""

from typing import Literal

import numpy as np

from internal.venue.market.industries import SECTORS
from internal.venue.market.path import DividendEvent, Path, SplitEvent, empty_path
from internal.venue.market.universe import BoolArray, FloatArray, IntArray, Universe

type Signal = Literal["none", "momentum"]

MARKET_VOLATILITY, SECTOR_VOLATILITY = 0.14 / np.sqrt(252.0), 0.09 / np.sqrt(252.0)
ANNUAL_DRIFT = 0.06
SHOCK_WEIGHT, PERSISTENCE, VARIANCE_CAP = 0.07, 0.91, 16.0
OVERNIGHT_SHARE, DEGREES_OF_FREEDOM = 0.2, 5.0
MOMENTUM_WINDOW, MOMENTUM_STRENGTH, MOMENTUM_CLIP = 5, 0.06, 2.0
DIVIDEND_PERIOD, DECLARATION_LEAD = 63, 15
HALT_CHANCE, LONGEST_HALT = 4e-4, 3
SPLIT_ABOVE, REVERSE_SPLIT_BELOW, SPLIT_CHANCE = 250.0, 3.0, 0.025
LOWEST_LOG_PRICE, HIGHEST_LOG_PRICE = np.log(0.2), np.log(5000.0)


def simulate(universe: Universe, seed: np.random.SeedSequence, multipliers: FloatArray, signal: Signal) -> Path:
    """Play every session in order. The draws depend neither on the signal nor on the multipliers.

    Args:
        universe: The companies.
        seed: Of the draws.
        multipliers: What the volatility of each session is multiplied by, f64 [session].
        signal: What is planted; `none` is the same noise without it.
    """
    session_count = len(multipliers)
    path = empty_path(session_count, len(universe.listings))
    state = _State(universe, np.random.default_rng(seed), signal, multipliers)
    for session in range(session_count):
        state.apply_dividends(session, path)
        state.apply_splits(session, path)
        state.trade(session, path)
    return path


class _State:
    """What one session hands to the next: prices, variances, trailing own returns, halts."""

    def __init__(
        self, universe: Universe, random: np.random.Generator, signal: Signal, multipliers: FloatArray
    ) -> None:
        count = len(universe.listings)
        factors = np.array([MARKET_VOLATILITY, *[SECTOR_VOLATILITY] * len(SECTORS)])
        self.universe, self.random, self.multipliers = universe, random, multipliers
        self.strength = MOMENTUM_STRENGTH if signal == "momentum" else 0.0
        self.long_run = np.concatenate([factors, universe.daily_volatility]) ** 2  # [market, sectors, tickers]
        self.variance = self.long_run.copy()
        self.log_price = universe.log_price.copy()
        self.log_volume = universe.log_volume.copy()
        self.activity = np.zeros(count)
        self.own_returns = np.zeros((MOMENTUM_WINDOW, count))
        self.halted_until = np.zeros(count, dtype=np.int64)
        self.pending_gap = np.zeros(count)

    def active(self, session: int) -> BoolArray:
        return (self.universe.first <= session) & (session < self.universe.last)

    def apply_dividends(self, session: int, path: Path) -> None:
        """Take the dividend out of the price of every ticker that goes ex before this session's open."""
        declared = session - DECLARATION_LEAD
        due = (session - self.universe.dividend_phase) % DIVIDEND_PERIOD == 0
        payers = np.flatnonzero(due & (self.universe.dividend_yield > 0) & self.active(session))
        if declared < 0 or payers.size == 0:
            return
        payers = payers[path.volume[declared, payers] > 0]
        quarterly = self.universe.dividend_yield[payers] / 4.0
        cents = np.maximum(1, np.rint(quarterly * path.close[declared, payers])).astype(np.int64)
        self.log_price[payers] += np.log1p(-np.minimum(cents / 100.0 / np.exp(self.log_price[payers]), 0.5))
        path.dividends.extend(
            DividendEvent(session, declared, int(ticker), int(amount))
            for ticker, amount in zip(payers, cents, strict=True)
        )

    def apply_splits(self, session: int, path: Path) -> None:
        """Split what has grown dear and reverse-split what has grown cheap, never with a dividend declared."""
        draws = self.random.random((2, self.log_price.size))
        declared = (self.universe.dividend_phase - session) % DIVIDEND_PERIOD <= DECLARATION_LEAD
        free = self.active(session) & (self.universe.first < session) & ~(declared & (self.universe.dividend_yield > 0))
        price = np.exp(self.log_price)
        extreme = (price > SPLIT_ABOVE) | (price < REVERSE_SPLIT_BELOW)
        for ticker in np.flatnonzero(free & extreme & (draws[0] < SPLIT_CHANCE)):
            split_from, split_to = _split_terms(price[ticker], draws[1, ticker])
            self.log_price[ticker] += np.log(split_from / split_to)
            self.log_volume[ticker] += np.log(split_to / split_from)
            path.splits.append(SplitEvent(session, int(ticker), split_from, split_to))

    def trade(self, session: int, path: Path) -> None:
        """Draw the session's overnight and intraday moves, write the bars, carry the state on."""
        overnight, intraday, spread = self._moves(self.multipliers[session])
        active = self.active(session)
        halted = self._halts(session, active)
        gap = self.pending_gap + overnight
        opened = self.log_price + gap
        closed = np.clip(opened + intraday, LOWEST_LOG_PRICE, HIGHEST_LOG_PRICE)
        self._write_prices(path, session, active & ~halted, (opened, closed, spread))
        self._write_volume(path, session, active & ~halted, np.abs(overnight + intraday) / np.sqrt(spread))
        self.pending_gap = np.where(halted & active, gap + intraday, 0.0)
        self.log_price = np.where(active & ~halted, closed, self.log_price)

    def _moves(self, multiplier: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Overnight and intraday log returns, and the intraday variance, a ticker.

        The variances of the next session come from shocks before the multiplier: a regime ends with its last session.
        """
        scale = np.sqrt(self.variance * (DEGREES_OF_FREEDOM - 2.0) / DEGREES_OF_FREEDOM)
        shocks = self.random.standard_t(DEGREES_OF_FREEDOM, (2, scale.size)) * scale
        shocks *= np.sqrt([[OVERNIGHT_SHARE], [1.0 - OVERNIGHT_SHARE]])
        variance = multiplier**2 * self._total(self.variance, power=2)
        spread = (1.0 - OVERNIGHT_SHARE) * variance
        drift = ANNUAL_DRIFT / 252.0 - 0.5 * variance
        planted = self._planted_drift()
        own = shocks[:, len(SECTORS) + 1 :].sum(axis=0) + planted
        self.own_returns = np.vstack([self.own_returns[1:], own])
        calm = (1.0 - SHOCK_WEIGHT - PERSISTENCE) * self.long_run + PERSISTENCE * self.variance
        self.variance = np.minimum(calm + SHOCK_WEIGHT * shocks.sum(axis=0) ** 2, VARIANCE_CAP * self.long_run)
        shocks *= multiplier
        return self._total(shocks[0]), self._total(shocks[1]) + drift + planted, spread

    def _total(self, parts: FloatArray, power: int = 1) -> FloatArray:
        """Market, sector and own part together, [market, sectors, tickers] -> [ticker]; `power` 2 adds variances."""
        sectors = len(SECTORS)
        market: FloatArray = self.universe.market_beta**power * parts[0]
        sector: FloatArray = self.universe.sector_beta**power * parts[1 + self.universe.sector]
        return market + sector + parts[1 + sectors :]

    def _planted_drift(self) -> FloatArray:
        """The signal: a ticker whose own part rose over the last five sessions drifts on, and one that fell, down."""
        own_volatility = self.universe.daily_volatility
        trailing = self.own_returns.sum(axis=0) / (own_volatility * np.sqrt(MOMENTUM_WINDOW))
        drift: FloatArray = self.strength * own_volatility * np.clip(trailing, -MOMENTUM_CLIP, MOMENTUM_CLIP)
        return drift

    def _halts(self, session: int, active: BoolArray) -> BoolArray:
        """Who does not trade today; a halt lasts one to three sessions, and its moves become the next open's gap."""
        draws = self.random.random((2, active.size))
        starts = active & (draws[0] < HALT_CHANCE) & (self.universe.first < session) & (self.halted_until <= session)
        until = session + 1 + (draws[1] * LONGEST_HALT).astype(np.int64)
        self.halted_until = np.where(starts, until, self.halted_until)
        return self.halted_until > session

    def _write_prices(
        self, path: Path, session: int, traded: BoolArray, moves: tuple[FloatArray, FloatArray, FloatArray]
    ) -> None:
        opened, closed, spread = moves
        draws = self.random.random((3, opened.size))
        move = closed - opened
        reach = np.sqrt(move**2 - 2.0 * spread * np.log1p(-draws[:2]))  # 1 - uniform is never 0
        cents_open, cents_close = _cents(opened), _cents(closed)
        dearer, cheaper = np.maximum(cents_open, cents_close), np.minimum(cents_open, cents_close)
        cents_high = np.maximum(_cents(opened + 0.5 * (move + reach[0])), dearer)
        cents_low = np.minimum(_cents(opened + 0.5 * (move - reach[1])), cheaper)
        middle, body = 50.0 * (cents_high + cents_low), 50.0 * (cents_open + cents_close)
        path.open[session] = np.where(traded, cents_open, 0)
        path.high[session] = np.where(traded, cents_high, 0)
        path.low[session] = np.where(traded, cents_low, 0)
        path.close[session] = np.where(traded, cents_close, 0)
        average = np.rint(draws[2] * middle + (1.0 - draws[2]) * body)  # a mixture of both is within low..high
        path.volume_weighted_average_price[session] = np.where(traded, average, 0)

    def _write_volume(self, path: Path, session: int, traded: BoolArray, surprise: FloatArray) -> None:
        """`surprise` is the absolute return in units of its expected size."""
        draws = self.random.standard_normal((2, surprise.size))
        self.activity = 0.85 * self.activity + 0.22 * draws[0]
        volume = np.exp(self.log_volume + self.activity + 0.3 * np.minimum(surprise, 5.0) - 0.25)
        trade_size = np.exp(np.log(110.0) + 0.15 * draws[1])
        shares = np.clip(np.rint(volume), 1.0, 4e9)
        path.volume[session] = np.where(traded, shares, 0)
        path.transactions[session] = np.where(traded, np.maximum(1.0, np.rint(shares / trade_size)), 0)


def _cents(log_price: FloatArray) -> IntArray:
    return np.maximum(1, np.rint(np.exp(log_price) * 100.0)).astype(np.int64)


def _split_terms(price: float, draw: float) -> tuple[int, int]:
    """(split_from, split_to): a forward split that brings a dear share below about 200, else a reverse split."""
    if price < REVERSE_SPLIT_BELOW:
        return (10, 1) if draw < 0.5 else (5, 1)  # noqa: PLR2004 - a coin
    if price > 4 * SPLIT_ABOVE:
        return (1, 10) if draw < 0.5 else (1, 20)  # noqa: PLR2004 - a coin
    return ((1, 2), (1, 3), (2, 3), (1, 4))[int(draw * 4)]
