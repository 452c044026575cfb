"""How a forecast's bands held on held-out sessions: by quantile, by time and by volatility; kept in the artifact."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from internal.errors import ArtifactError

HELD_OUT_BANDS: Final = "held_out_bands"  # the name among an artifact's metrics


@dataclass(frozen=True)
class ShareBelow:
    """The share of outcomes below a quantile, with its 95 % interval; a calibrated one has as many as its level."""

    level: float
    share: float
    lower: float
    upper: float


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
