"""Coverage that an artifact keeps: back from its metrics, in sentences, and what is missing or damaged."""

import json
from dataclasses import replace
from datetime import date

import pytest

from internal.errors import ArtifactError
from internal.forecasting.held_out_coverage import (
    HELD_OUT_COVERAGE,
    NOT_MEASURED,
    BreakCoverage,
    HeldOutCoverage,
    describe_coverage,
    read_coverage,
    write_coverage,
)

AFTER = BreakCoverage(date(2024, 9, 12), 2.44, 41, 0.755, (0.747, 0.748, 0.774))
COVERAGE = HeldOutCoverage(0.784, (0.767, 0.786, 0.798), {"Utilities": 0.846, "Energy": 0.742}, AFTER)


@pytest.mark.parametrize("coverage", [COVERAGE, replace(COVERAGE, sectors={}, after_break=None)])
def test_metrics_are_plain_and_read_back(coverage: HeldOutCoverage) -> None:
    """What is written survives JSON."""
    assert read_coverage(json.loads(json.dumps(write_coverage(coverage)))) == coverage


def test_sentences() -> None:
    """All figures are said in per cent; the extremes among the sectors by name."""
    by_group, after = describe_coverage(COVERAGE)
    assert by_group == (
        "The 80 % interval covers 78.4 % of held-out outcomes: calm third 76.7 %, middle third 78.6 %, "
        "volatile third 79.8 %; sectors 74.2 % (Energy) to 84.6 % (Utilities)."
    )
    assert after == (
        "In the 41 sessions after volatility rose to 2.4 times on 2024-09-12 it covers 75.5 %: calm third 74.7 %, "
        "middle third 74.8 %, volatile third 77.4 %."
    )
    calm, none = describe_coverage(replace(COVERAGE, sectors={}, after_break=None))
    assert calm.endswith("volatile third 79.8 %.")
    assert (
        none == "Volatility did not double after the first 20 held-out sessions: coverage after a break was not seen."
    )


def test_an_older_artifact_was_not_measured() -> None:
    """Its metrics lack it, and the sentence says what to do."""
    assert read_coverage({"held_out": {}}) is None
    assert describe_coverage(None) == [NOT_MEASURED]


@pytest.mark.parametrize("damaged", [[], {"whole": 0.8}, write_coverage(COVERAGE)[HELD_OUT_COVERAGE] | {"thirds": 1}])
def test_damage_is_named(damaged: object) -> None:
    """Figures of another form are refused, not shown."""
    with pytest.raises(ArtifactError, match=r"held_out_coverage .* damaged: train the model again"):
        read_coverage({HELD_OUT_COVERAGE: damaged})
