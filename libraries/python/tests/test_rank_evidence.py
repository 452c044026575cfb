"""Rank evidence: what is enough, what is stored and read, and artifacts of earlier versions."""

import pytest

from internal.forecasting.rank_evidence import NOT_MEASURED, RankEvidence, describe_rank_evidence, find_rank_evidence

GOOD = RankEvidence(
    ranks=True, rank_correlation=0.05, rank_error=0.02, spread=0.01, spread_error=0.002, spread_cost=0.003
)


def test_enough() -> None:
    """1 % before and 0.7 % after costs, 1.96 errors of 0.2 %: 0.31 to 1.09 %; with more error or no order, no."""
    assert GOOD.interval == pytest.approx((0.00308, 0.01092))
    assert GOOD.is_enough
    assert GOOD.describe().endswith(
        "+1.00 % before and +0.70 % after costs for each seven sessions, 95 % interval +0.31 to +1.09 %."
    )
    noisy = RankEvidence(
        ranks=True, rank_correlation=0.05, rank_error=0.02, spread=0.01, spread_error=0.004, spread_cost=0.003
    )
    assert not noisy.is_enough
    assert "does NOT earn more than it costs" in noisy.describe()
    flat = RankEvidence(
        ranks=False, rank_correlation=None, rank_error=None, spread=0.01, spread_error=0.002, spread_cost=0.0
    )
    assert not flat.is_enough
    assert (flat.rank_t, "does not rank" in flat.describe()) == (None, True)


def test_stored_and_read() -> None:
    """What is read is what was stored; a registered model without the figures, as by an earlier version, has none."""
    metrics = {"held_out": {"tree": {"cumulative_loss": 0.01, **GOOD.figures()}, "old": {"rank_t": 5.0}}}
    assert find_rank_evidence("tree", metrics) == GOOD
    assert find_rank_evidence("old", metrics) is None
    assert find_rank_evidence("tree", {}) is None
    assert (describe_rank_evidence(None), describe_rank_evidence(GOOD)) == (NOT_MEASURED, GOOD.describe())
