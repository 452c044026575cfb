"""Exits: which positions are closed, which may be cut, and which must not be touched."""

import numpy as np

from internal.trading.enums import Verdict
from internal.trading.policy import Policy
from internal.trading.rows import Band, Position, Situation
from internal.trading.sizing import Proposal

OPEN_ORDER = "an order of it is still open: kept"
NO_PRICE = "no price today: kept"
LOCKED = "opened today: locked"


def judge_position(position: Position, situation: Situation, policy: Policy) -> Proposal:
    """What becomes of a position: frozen, kept or closed, with the band in force and the reason.

    The band in force is the latest forecast over its longest horizon, read as a cumulative return *from entry*; a name
    without a forecast today keeps the band stored last. A position whose cumulative return since entry is outside it
    is closed, long or short: above, the forecast has come true; below, it was wrong (and the other way for a short).
    """
    inputs = situation.inputs
    place = inputs.find(position.ticker)
    forecast = None if place is None else _band(inputs.bands[place])
    price = np.nan if place is None else float(inputs.price[place])
    last = np.nan if place is None else float(inputs.last_price[place])
    known = next((one for one in (price, last) if not np.isnan(one)), position.entry_price)
    band = forecast or position.band
    if (reason := _freezing_reason(position, price, situation, policy)) is not None:
        verdict = Verdict.FROZEN
    else:
        verdict, reason = _compare_with_band(known / position.entry_price - 1, band, is_stored=forecast is None)
    return Proposal(
        *(position.ticker, position.side, verdict, abs(position.quantity), known),
        *(position.opened_date, position.entry_price, band, reason),
    )


def _band(values: np.ndarray) -> Band | None:
    band = Band(*values.tolist())
    return None if np.isnan(band.quantile_50) else band


def _freezing_reason(position: Position, price: float, situation: Situation, policy: Policy) -> str | None:
    """Why the position must not be touched today; None when it may be."""
    if position.ticker in situation.blocked:
        return OPEN_ORDER
    if np.isnan(price):
        return NO_PRICE
    return LOCKED if policy.same_day_lock and position.opened_date >= situation.inputs.day else None


def _compare_with_band(total_return: float, band: Band | None, *, is_stored: bool) -> tuple[Verdict, str]:
    """Close outside the band, keep inside it or without one."""
    if band is None:
        return Verdict.KEEP, "no forecast yet: kept"
    if not band.quantile_10 <= total_return <= band.quantile_90:
        percent = float(np.round(total_return * 100, 1))
        return Verdict.CLOSE, f"return since entry of {percent} % left the 10 % to 90 % band"
    return Verdict.KEEP, "no forecast today: in its stored band" if is_stored else "in band"
