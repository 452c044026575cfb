"""The verdict on a live record: what it says for short, flat, lucky, losing and ruined paths."""

import numpy as np
import pytest

from internal.performance import Numbers
from internal.track_record import track_record
from internal.track_record_verdict import judge_record

ALTERNATING = np.where(np.arange(120) % 2, 0.012, -0.01)


def path(returns: Numbers) -> Numbers:
    """The value of a dollar."""
    return np.concatenate([[1.0], np.cumprod(1 + returns)])


@pytest.mark.parametrize(
    ("index", "headline"),
    [
        (np.array([]), "Too short to tell skill from luck."),
        (np.array([1.0]), "Too short to tell skill from luck."),
        (path(np.full(39, 0.01)), "Too short to tell skill from luck."),
        (np.ones(60), "The value did not move."),
        (path(ALTERNATING * 0.01 + 0.001), "The Sharpe ratio is above zero by more than noise."),
        (path(ALTERNATING * 0.01 - 0.001), "The fund loses by more than noise."),
        (path(np.random.default_rng(4).normal(0, 0.01, 120)), "The interval includes zero."),
        (np.array([1.0, 0.0, 0.0]), "The value fell to zero."),
    ],
)
def test_headline(index: Numbers, headline: str) -> None:
    """No path is praised or blamed beyond its interval."""
    assert judge_record(index).headline == headline


def test_detail() -> None:
    """The figures are those of the track record; the benchmark is beside them where there is something to compare."""
    index = path(np.random.default_rng(4).normal(0, 0.01, 120))
    sharpe = track_record(index).sharpe
    assert sharpe is not None
    detail = judge_record(index, -0.0448).detail
    assert f"Sharpe ratio {sharpe:.2f}".replace("-", "\u2212") in detail
    assert "over 120 sessions" in detail
    assert detail.endswith("returned \u22124.48\u2009% in the same sessions.")
    assert "equal-weighted" not in judge_record(np.ones(1), 0.1).detail
    assert judge_record(path(np.full(3, 0.01))).detail == "3 sessions; annual figures need 40."
