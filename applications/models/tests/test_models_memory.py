"""The memory that `models train` needs: a full market fits a small machine."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TypedDict, cast

import pytest

ROOT = Path(__file__).parents[3]


class Figures(TypedDict):
    """The figures that the benchmark prints."""

    processor_seconds: float
    peak_megabytes: float


def _measure(tickers: int, model: str) -> Figures:
    words = [sys.executable, "-m", "benchmarks.training_memory", "--tickers", str(tickers), "--model", model]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    assert ended.returncode == 0, ended.stderr
    return cast("Figures", json.loads(ended.stdout))


def test_memory_of_600_tickers() -> None:
    """Two years of 600 tickers are trained within 1,200 MB; it took 1,826 MB when everything was held at once."""
    assert _measure(600, "heterogeneous_volatility")["peak_megabytes"] < 1200


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("model", "megabytes", "seconds"), [("heterogeneous_volatility", 5000, 300), ("small", 6000, 600)]
)
def test_whole_market(model: str, megabytes: float, seconds: float) -> None:
    """Two years of 8,000 tickers are trained, evaluated and registered within memory and processor time."""
    found = _measure(8000, model)
    assert found["peak_megabytes"] < megabytes
    assert found["processor_seconds"] < seconds
