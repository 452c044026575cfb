"""How often held-out outcomes were inside a model's interval: of all, by group, and after a break of volatility.

A training measures it and keeps it in the artifact; the list of models and the page Model show it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from internal.errors import ArtifactError

HELD_OUT_COVERAGE: Final = "held_out_coverage"  # the name among an artifact's metrics
NOT_MEASURED: Final = "Coverage by group and after a break was not measured: train the model again."
THIRDS: Final = ("calm", "middle", "volatile")
SESSIONS_BEFORE: Final = 20  # that a rise of volatility is measured against; in the first ones none is seen


@dataclass(frozen=True)
class BreakCoverage:
    """Coverage of the 80 % interval after the sharpest rise of volatility in the held-out sessions.

    Attributes:
        first_day: The first session of the rise.
        rise: How many times as large the mean absolute return was then as before.
        session_count: How many origins are counted, from the first session's close on.
        whole: Of all rows of these origins.
        thirds: Of the calm, the middle and the volatile third of each date's tickers.
    """

    first_day: date
    rise: float
    session_count: int
    whole: float
    thirds: tuple[float, ...]


@dataclass(frozen=True)
class HeldOutCoverage:
    """Coverage of the 80 % interval of cumulative returns on held-out sessions; fractions.

    Attributes:
        whole: Of all rows.
        thirds: Of the calm, the middle and the volatile third of each date's tickers.
        sectors: Of each known sector.
        after_break: After the sharpest rise of volatility; None where volatility did not double after the
            first SESSIONS_BEFORE sessions.
    """

    whole: float
    thirds: tuple[float, ...]
    sectors: Mapping[str, float]
    after_break: BreakCoverage | None


_COVERAGE: Final = TypeAdapter(HeldOutCoverage)


def write_coverage(coverage: HeldOutCoverage) -> dict[str, Any]:
    """The metrics that hold it."""
    return {HELD_OUT_COVERAGE: _COVERAGE.dump_python(coverage, mode="json")}


def read_coverage(metrics: Mapping[str, Any]) -> HeldOutCoverage | None:
    """From an artifact's metrics; None where it was registered without. Raises ArtifactError where it is damaged."""
    found = metrics.get(HELD_OUT_COVERAGE)
    try:
        return None if found is None else _COVERAGE.validate_python(found)
    except ValidationError as error:
        raise ArtifactError(
            f"{HELD_OUT_COVERAGE} of the artifact's metrics are damaged: train the model again"
        ) from error


def describe_coverage(coverage: HeldOutCoverage | None) -> list[str]:
    """What it says, in sentences."""
    if coverage is None:
        return [NOT_MEASURED]
    groups = [_describe_thirds(coverage.thirds), *_describe_sectors(coverage.sectors)]
    return [
        f"The 80 % interval covers {_percent(coverage.whole)} of held-out outcomes: {'; '.join(groups)}.",
        describe_break(coverage.after_break),
    ]


def describe_break(after: BreakCoverage | None) -> str:
    """The sentence about the break, or that there was none."""
    if after is None:
        return (
            f"Volatility did not double after the first {SESSIONS_BEFORE} held-out sessions: "
            "coverage after a break was not seen."
        )
    return (
        f"In the {after.session_count} sessions after volatility rose to {after.rise:.1f} times on {after.first_day} "
        f"it covers {_percent(after.whole)}: {_describe_thirds(after.thirds)}."
    )


def _describe_thirds(thirds: tuple[float, ...]) -> str:
    return ", ".join(f"{name} third {_percent(share)}" for name, share in zip(THIRDS, thirds, strict=False))


def _describe_sectors(sectors: Mapping[str, float]) -> list[str]:
    if not sectors:
        return []
    low, high = min(sectors, key=sectors.__getitem__), max(sectors, key=sectors.__getitem__)
    return [f"sectors {_percent(sectors[low])} ({low}) to {_percent(sectors[high])} ({high})"]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
