"""What is usual for each ticker: its last close, volatility, volume and range, from its accepted bars. Pure."""

from dataclasses import dataclass

import numpy as np

from internal.data_quality.session_bars import Mask, Numbers, SessionBars

type Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

WINDOW = 40  # accepted bars a ticker
FORGOTTEN_AFTER = 20  # sessions without an accepted bar: then the ticker begins again, as a re-used one does
KNOWN_BARS = 10  # fewer bars tell nothing about a ticker's own volatility and volume
NORMAL = 1.4826  # the standard deviation of a normal variable over its median absolute deviation
SMALLEST_VOLATILITY = 0.006  # a session
UNKNOWN_VOLATILITY = 0.05


@dataclass(frozen=True)
class Usual:
    """What each ticker's bars were like until now [tickers]; NaN where it is unknown.

    Attributes:
        close: The last accepted close, in today's shares.
        volatility: Standard deviation of its log return since that close, robust.
        log_volume: Median log of its volume in today's shares.
        volume_spread: Standard deviation of the log volume, robust.
        log_dollars: Median log of its dollar volume.
        log_range: Median log of its log range, high over low.
        known: Whether there are enough bars to know its volume and volatility.
    """

    close: Numbers
    volatility: Numbers
    log_volume: Numbers
    volume_spread: Numbers
    log_dollars: Numbers
    log_range: Numbers
    known: Mask


class TickerHistory:
    """The last accepted bars of each ticker, as rings of what the rules compare with.

    Args:
        tickers: Their number.
    """

    def __init__(self, tickers: int) -> None:
        self._close = np.full(tickers, np.nan)
        self._age = np.zeros(tickers)  # sessions since the last accepted bar
        self._count = np.zeros(tickers, dtype=np.int64)
        self._returns, self._volumes, self._dollars, self._ranges, self._fingerprints, self._prices = (
            np.full((tickers, WINDOW), np.nan) for _ in range(6)
        )

    def apply_splits(self, factor: Numbers) -> None:
        """State the past in the shares of today: `factor` is new shares for one old [tickers], 1 without a split."""
        self._close /= factor
        self._volumes += np.log(factor)[:, None]

    def start_session(self) -> None:
        """Begin a session: bars grow older, and tickers without bars for a month are forgotten."""
        self._age += 1
        gone = self._age > FORGOTTEN_AFTER
        self._close[gone] = np.nan
        self._count[gone] = 0
        for ring in (
            *(self._returns, self._volumes, self._dollars),
            *(self._ranges, self._fingerprints, self._prices),
        ):
            ring[gone] = np.nan

    def record(self, bars: SessionBars) -> None:
        """Add accepted bars of the session that was begun."""
        at = np.flatnonzero(bars.present)
        slot = self._count[at] % WINDOW
        close = bars.close[at]
        with np.errstate(divide="ignore", invalid="ignore"):
            self._returns[at, slot] = np.abs(np.log(close / self._close[at])) / np.sqrt(np.maximum(self._age[at], 1))
            self._volumes[at, slot] = _log_of_traded(bars.volume[at])
            self._dollars[at, slot] = _log_of_traded(bars.volume[at] * close)
            self._ranges[at, slot] = np.log(np.maximum(np.log(bars.high[at] / bars.low[at]), SMALLEST_VOLATILITY / 4))
        self._fingerprints[at, slot] = bars.fingerprint[at]
        self._prices[at, slot] = bars.price_fingerprint[at]
        self._close[at], self._age[at] = close, 0
        self._count[at] += 1

    def measure(self) -> Usual:
        """What is usual, for a bar of the session that was begun."""
        known = self._count >= KNOWN_BARS
        (typical_move,) = _quantiles(self._returns, 0.5)
        volatility = np.where(known, np.maximum(NORMAL * typical_move, SMALLEST_VOLATILITY), UNKNOWN_VOLATILITY)
        log_volume, low, high = _quantiles(self._volumes, 0.5, 0.25, 0.75)
        return Usual(
            close=self._close.copy(),
            volatility=volatility * np.sqrt(np.maximum(self._age, 1)),
            log_volume=log_volume,
            volume_spread=(high - low) * NORMAL / 2,
            log_dollars=_quantiles(self._dollars, 0.5)[0],
            log_range=_quantiles(self._ranges, 0.5)[0],
            known=known,
        )

    def has_bar(self, bars: SessionBars) -> Mask:
        """Whether an accepted bar of the ticker in the window has the same prices and volume."""
        return (self._fingerprints == bars.fingerprint[:, None]).any(axis=1)

    def has_last_prices(self, bars: SessionBars) -> Mask:
        """Whether the ticker's last accepted bar has the same four prices."""
        last = self._prices[np.arange(self._count.size), (self._count - 1) % WINDOW]
        return last == bars.price_fingerprint

    def repeats_itself(self, mask: Mask) -> Mask:
        """Whether a ticker of the mask has accepted bars with equal prices in the window, as one that hardly trades."""
        repeats = mask.copy()
        ordered = np.sort(self._prices[mask], axis=1)
        repeats[mask] = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
        return repeats


def _log_of_traded(amount: Numbers) -> Numbers:
    """The logarithm; NaN for nothing traded, which is no usual volume."""
    return np.log(np.where(amount > 0, amount, np.nan))


def _quantiles(rows: Matrix, *levels: float) -> list[Numbers]:
    """Quantiles of each row's numbers, the lower of two neighbours; NaN for a row without any."""
    ordered = np.sort(rows, axis=1)  # NaN last
    last = (~np.isnan(rows)).sum(axis=1) - 1
    each = np.arange(rows.shape[0])
    return [ordered[each, np.maximum(last * level, 0).astype(np.int64)] for level in levels]
