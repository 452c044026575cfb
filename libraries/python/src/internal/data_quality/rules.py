"""The rules that suspect a bar: each gives a mask over the tickers of one session. Pure.

A real move comes with volume; a fault of the data does not. So the rules compare the size of a move with the ticker's
volatility and the session's dispersion, and how much was traded with what is usual. The numbers were chosen on the
bars of `benchmarks/quarantine.py`, which prints what each rule finds and what it suspects wrongly.
"""

import numpy as np

from internal.data_quality.measures import Measures
from internal.data_quality.ratios import POWERS_OF_TEN, SPLIT_RATIOS, distance_to_ratio
from internal.data_quality.session_bars import Mask, Numbers, SessionBars
from internal.data_quality.ticker_history import TickerHistory, Usual

UNUSUAL = 7.0  # times the scale
UNUSUAL_RANGES = 3.0  # times the usual range, for what happens within a session
SMALLEST_JUMP, SMALLEST_SPIKE = 0.10, 0.06
JUMP_WITHOUT_VOLUMES = 0.4  # where the ticker's usual volume is unknown
NOT_LOUD, LOUDER_WITH_SIZE = 1.1, 1.0  # log surge that a move of size 0, and what it needs more a unit of log move
CALM = 2.0  # log surge and log widening together: news that moves a price overnight trades more and in a wider range
UNUSUAL_VOLUME, UNUSUAL_SPREADS = 3.6, 6.0  # a factor of 36, and times the ticker's own deviation
WIDE_RANGE = 1.0  # log: news widens the range, other units do not
TRADED_SHARES = np.log(1000.0)
PRINTED_TWICE_SHARES, PRINTED_TWICE_RANGE = 10_000.0, 0.2  # below, equal bars of two sessions happen by chance
RATIO_SCALES, RATIO_TOLERANCE = 3.0, 0.02


def find_jumps(measures: Measures) -> Mask:
    """Closes that moved too far for the volume that was traded."""
    size = np.abs(measures.move)
    smallest = np.where(np.isnan(measures.shares), JUMP_WITHOUT_VOLUMES, SMALLEST_JUMP)
    calm = ~(measures.surge + np.maximum(measures.widening, 0.0) > CALM + size / 2)
    suspicious = is_quiet(measures, size) & (calm | ~is_overnight(measures))
    return (size > np.maximum(UNUSUAL * measures.scale, smallest)) & suspicious


def is_overnight(measures: Measures) -> Mask:
    """Whether the price moved between the sessions and less within this one."""
    return np.abs(measures.intraday) < np.abs(measures.move) / 2


def is_quiet(measures: Measures, size: Numbers) -> Mask:
    """Whether less was traded than a real move of that size comes with; true where volumes are unknown."""
    return ~(measures.surge > NOT_LOUD + LOUDER_WITH_SIZE * np.minimum(size, 1.0))


def is_at_split_ratio(measures: Measures) -> Mask:
    """Whether the price moved overnight by a split's ratio, as far as a usual move of the day allows to tell."""
    near = distance_to_ratio(-measures.move, SPLIT_RATIOS) < RATIO_SCALES * measures.scale + RATIO_TOLERANCE
    return near & is_overnight(measures)


def is_unsplit(measures: Measures, factor: Numbers) -> Mask:
    """Whether a split of today, so many new shares for one old, is not in the price: it moved by the whole factor."""
    return (factor != 1) & (np.abs(measures.move - np.log(factor)) < RATIO_SCALES * measures.scale)


def is_at_power_of_ten(measures: Measures) -> Mask:
    """Whether the move is a power of ten and the number of shares is not what a split of that ratio makes it."""
    at = distance_to_ratio(measures.move, POWERS_OF_TEN) < RATIO_SCALES * measures.scale + RATIO_TOLERANCE
    like_split = np.abs(measures.shares + measures.move) < np.abs(measures.shares)
    return at & ~like_split


def find_open_spikes(measures: Measures) -> Mask:
    """Opens far from both the close before and the close after, on the same side of them."""
    opposite = np.sign(measures.overnight) != np.sign(measures.intraday)
    size = np.where(opposite, np.minimum(np.abs(measures.overnight), np.abs(measures.intraday)), 0.0)
    return find_spikes(size, measures)


def find_spikes(distance: Numbers, measures: Measures) -> Mask:
    """Highs or lows too far from open and close, by `measures.upper` or `measures.lower`."""
    usual = np.maximum(UNUSUAL * measures.scale, UNUSUAL_RANGES * measures.usual_range)
    is_far = distance > np.maximum(usual, SMALLEST_SPIKE)
    return measures.known & is_far & is_quiet(measures, distance)


def find_other_volume_units(measures: Measures) -> Mask:
    """Volumes far from what is usual although the price and its range are not."""
    excess = np.abs(measures.shares) - np.maximum(UNUSUAL_VOLUME, UNUSUAL_SPREADS * measures.shares_scale)
    calm = (np.abs(measures.move) < UNUSUAL * measures.scale) & (measures.widening < WIDE_RANGE + excess / 2)
    return measures.known & (excess > 0) & calm


def find_untraded(bars: SessionBars, usual: Usual) -> Mask:
    """Bars without volume of tickers that are traded every day."""
    return usual.known & (bars.volume == 0) & (usual.log_volume > TRADED_SHARES)


def find_repeated(bars: SessionBars, history: TickerHistory, known: Mask) -> Mask:
    """Bars that the ticker had before: all prices and the volume, or the prices of the bar before.

    A ticker whose accepted bars repeat one another is left alone.
    """
    is_wide = bars.high - bars.low >= PRINTED_TWICE_RANGE
    is_large = (bars.volume > 0) & ((bars.high > bars.low) | (bars.volume >= PRINTED_TWICE_SHARES))
    found = known & ((history.has_bar(bars) & is_large) | (history.has_last_prices(bars) & is_wide))
    return found & ~history.repeats_itself(found)
