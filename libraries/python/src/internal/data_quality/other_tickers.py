"""Finds two tickers whose bars were exchanged: each bar continues the other's past, and not its own. Pure."""

import numpy as np

from internal.data_quality.measures import Measures
from internal.data_quality.session_bars import Mask, SessionBars
from internal.data_quality.ticker_history import Usual

CANDIDATE_MOVE, CANDIDATE_VOLUME = 2.0, 1.2  # times the scale; log
MOST_CANDIDATES = 600  # those whose bars fit their own past worst: each is compared with each
CONTINUES = 4.0  # times the scale
NEAR_BOTH, EXCHANGED = 20.0, 60.0  # squared distances, see below
SMALLEST_SPREAD = 0.3  # of log volume


def find_other_tickers(bars: SessionBars, usual: Usual, measures: Measures) -> Mask:
    """Bars that fit another ticker's past, while that ticker's bar fits theirs.

    Price and volume together are compared: d(i, j) is the squared distance of bar i from the past of ticker j, in
    volatilities and in deviations of log volume. Two bars were exchanged where d(i, j) + d(j, i) is far below
    d(i, i) + d(j, j), and each is near the other's past.
    """
    found = np.zeros(measures.known.shape, dtype=np.bool_)
    at = _candidates(measures)
    if at.size == 0:
        return found
    market = np.log(bars.close[at] / usual.close[at]) - measures.move[at]
    price = (np.log(bars.close[at, None] / usual.close[None, at]) - market) / measures.scale[at]
    spread = np.maximum(usual.volume_spread[at], SMALLEST_SPREAD)
    volume = (np.log(np.maximum(bars.volume[at, None], 1.0)) - usual.log_volume[None, at]) / spread
    distance = price**2 + volume**2
    own = np.diagonal(distance)
    apart = own[:, None] + own[None, :] - distance - distance.T
    near = (np.abs(price) < CONTINUES) & (np.abs(price.T) < CONTINUES) & (distance + distance.T < NEAR_BOTH)
    found[at] = (near & (apart > EXCHANGED)).any(axis=1)
    return found


def _candidates(measures: Measures) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The tickers whose bars fit their own past badly, the worst where there are many."""
    moves, volumes = np.abs(measures.move) / measures.scale, np.abs(measures.shares)
    at = np.flatnonzero(measures.known & ((moves > CANDIDATE_MOVE) | (volumes > CANDIDATE_VOLUME)))
    badness = np.nan_to_num(moves[at] / CANDIDATE_MOVE + volumes[at] / CANDIDATE_VOLUME)
    return at[np.argsort(-badness, kind="stable")[:MOST_CANDIDATES]]
