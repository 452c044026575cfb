"""How a forecast's bands held on held-out sessions: by quantile, by time and by volatility; kept in the artifact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from internal.errors import ArtifactError

HELD_OUT_BANDS: Final = "held_out_bands"  # the name among an artifact's metrics
MEDIAN: Final = 0.5


@dataclass(frozen=True)
class ShareBelow:
    """The share of outcomes below a quantile, with its 95 % interval; a calibrated one has as many as its level."""

    level: float
    share: float
    lower: float
    upper: float

    @property
    def is_calibrated(self) -> bool:
        """Whether the interval holds the level."""
        return self.lower <= self.level <= self.upper


@dataclass(frozen=True)
class SessionCoverage:
    """Of the forecasts of one session, the share of outcomes inside the 80 % interval; None without such rows.

    Attributes:
        day: The origin.
        whole: Of all rows.
        calm: Of the third of all rows with the lowest volatility.
        middle: Of the middle third.
        volatile: Of the highest third.
    """

    day: date
    whole: float
    calm: float | None
    middle: float | None
    volatile: float | None


@dataclass(frozen=True)
class LossDifference:
    """A loss against the best baseline's, in per cent, with its 95 % interval; negative is better."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class HeldOutBands:
    """The whole.

    Attributes:
        below: By quantile, over all horizons.
        sessions: By origin, oldest first.
        thirds: Coverage of the calm, the middle and the volatile third of the rows.
        differences: By forecaster, of the loss of cumulative returns.
    """

    below: tuple[ShareBelow, ...]
    sessions: tuple[SessionCoverage, ...]
    thirds: tuple[float, ...]
    differences: Mapping[str, LossDifference]


_BANDS: Final = TypeAdapter(HeldOutBands)


def write_bands(bands: HeldOutBands) -> dict[str, Any]:
    """The metrics that hold them."""
    return {HELD_OUT_BANDS: _BANDS.dump_python(bands, mode="json")}


def read_bands(metrics: Mapping[str, Any]) -> HeldOutBands | None:
    """From an artifact's metrics; None where it was registered without them. Raises ArtifactError for others."""
    found = metrics.get(HELD_OUT_BANDS)
    try:
        return None if found is None else _BANDS.validate_python(found)
    except ValidationError as error:
        raise ArtifactError(f"{HELD_OUT_BANDS} of the artifact's metrics are damaged: train the model again") from error


def describe_calibration(below: Sequence[ShareBelow]) -> str:
    """Which quantiles missed their level, and in which direction; empty where each interval holds its level."""
    missed = [one for one in below if not one.is_calibrated]
    if not missed:
        return ""
    *others, last = map(_describe_miss, missed)
    shares = f"{', '.join(others)} and {last}" if others else last
    return f"Outcomes were {shares}: {_find_direction(missed)} in the held-out sessions."


def _describe_miss(one: ShareBelow) -> str:
    """The outcomes beyond a quantile: below a low one, above the median or a high one."""
    is_low = one.level < MEDIAN
    share, level = (one.share, one.level) if is_low else (1 - one.share, 1 - one.level)
    name = "the median" if one.level == MEDIAN else f"the {one.level:.0%} quantile".replace("%", " %")
    return f"{'below' if is_low else 'above'} {name} in {100 * share:.1f} % of cases instead of {100 * level:.0f} %"


def _find_direction(missed: Sequence[ShareBelow]) -> str:
    """What the misses have in common; a quantile with too few outcomes below it is too low."""
    what = "the forecasts" if len(missed) > 1 else "this quantile"
    too_low = [one.share < one.level for one in missed]
    if all(too_low):
        return f"{what} sat too low"
    if not any(too_low):
        return f"{what} sat too high"
    lowest, highest = missed[0], missed[-1]
    if lowest.level < MEDIAN < highest.level and too_low[0] != too_low[-1]:
        return f"the intervals were too {'wide' if too_low[0] else 'narrow'}"
    return "the quantiles were not calibrated"
