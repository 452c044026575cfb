"""Checks one session's bars with every rule; the first that suspects a bar names the reason. Pure."""

import numpy as np

from internal.data_quality.measures import measure_bars
from internal.data_quality.other_tickers import find_other_tickers
from internal.data_quality.rules import (
    find_jumps,
    find_open_spikes,
    find_other_volume_units,
    find_repeated,
    find_spikes,
    find_untraded,
    is_at_power_of_ten,
    is_at_split_ratio,
    is_unsplit,
)
from internal.data_quality.session_bars import Numbers, SessionBars
from internal.data_quality.suspicions import Suspicion
from internal.data_quality.ticker_history import TickerHistory

type Codes = np.ndarray[tuple[int], np.dtype[np.int8]]

SOUND = 0  # the code of a bar without a suspicion; else the place of its suspicion, from 1
SUSPICIONS = tuple(Suspicion)


def check_session(bars: SessionBars, history: TickerHistory, split_factor: Numbers) -> Codes:
    """The code of each ticker's bar: `SOUND`, or of its suspicion.

    Args:
        bars: The session's bars.
        history: The accepted bars before, in the shares of this session.
        split_factor: New shares for one old of the splits of this session [tickers], 1 without a split.
    """
    usual = history.measure()
    with np.errstate(divide="ignore", invalid="ignore"):
        measures = measure_bars(bars, usual)
        jumps = find_jumps(measures)
        found = {
            Suspicion.REPEATED: find_repeated(bars, history, measures.known),
            Suspicion.NO_VOLUME: find_untraded(bars, usual),
            Suspicion.SPLIT_NOT_IN_PRICES: jumps & is_unsplit(measures, split_factor),
            Suspicion.OTHER_TICKER: find_other_tickers(bars, usual, measures),
            Suspicion.POWER_OF_TEN: jumps & is_at_power_of_ten(measures),
            Suspicion.SPLIT_RATIO: jumps & is_at_split_ratio(measures),
            Suspicion.PRICE_JUMP: jumps,
            Suspicion.OPEN_SPIKE: find_open_spikes(measures),
            Suspicion.HIGH_SPIKE: find_spikes(measures.upper, measures),
            Suspicion.LOW_SPIKE: find_spikes(measures.lower, measures),
            Suspicion.VOLUME_UNITS: find_other_volume_units(measures),
        }
    codes = np.full(bars.close.shape, SOUND, dtype=np.int8)
    for suspicion, mask in reversed(found.items()):
        codes[mask & bars.present] = code_of(suspicion)
    return codes


def code_of(suspicion: Suspicion) -> int:
    """The code of a suspicion."""
    return SUSPICIONS.index(suspicion) + 1


def name_codes(codes: Codes) -> list[str | None]:
    """The reason of each code, None for `SOUND`."""
    names = (None, *(suspicion.value for suspicion in SUSPICIONS))
    return [names[code] for code in codes.tolist()]
