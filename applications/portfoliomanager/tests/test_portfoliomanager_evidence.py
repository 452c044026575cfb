"""What the champion's artifact says for a strategy, before real money is armed."""

from pathlib import Path

import numpy as np
import pytest
from loaded_strategies import STRATEGIES, ten_by_ten

from internal.forecasting.artifact import Artifact, save_artifact
from internal.forecasting.rank_evidence import NOT_MEASURED, RankEvidence
from internal.forecasting.registry import LEAK_GATE, Registry
from internal.strategies.loading import load_strategy
from portfoliomanager.live_arming import NO_MODEL, find_evidence

KIND = "temporal_fusion_transformer"
VERDICT = "The words of the evaluation."


def register(folder: Path, figures: dict[str, float]) -> Registry:
    """A registry whose champion has these held-out figures."""
    metrics = {LEAK_GATE: {"day": "2024-01-02"}, "verdict": [VERDICT], "held_out": {KIND: figures}}
    save_artifact(folder / "artifact", Artifact(KIND, {"weight": np.ones(1)}, {}, {}, {}, metrics, 0, "test"))
    registry = Registry(folder / "registry")
    registry.promote(registry.register(folder / "artifact"))
    return registry


@pytest.mark.parametrize(
    ("ranks", "error", "enough"), [(True, 0.001, True), (True, 0.01, False), (False, 0.001, False)]
)
def test_evidence_after_costs(tmp_path: Path, *, ranks: bool, error: float, enough: bool) -> None:
    """0.7 % after costs: enough with an error of 0.1 %, not with one of 1 %, nor where nothing is ranked."""
    figures = RankEvidence(ranks, 0.05, 0.02, spread=0.01, spread_error=error, spread_cost=0.003).figures()
    found = find_evidence(register(tmp_path, figures), ten_by_ten())
    assert (found.name, found.is_enough, found.verdict) == (KIND, enough, (VERDICT,))


def test_evidence_of_an_earlier_version(tmp_path: Path) -> None:
    """A t statistic before costs is none; the words say that it was not measured."""
    found = find_evidence(register(tmp_path, {"rank_t": 9.0}), ten_by_ten())
    assert (found.is_enough, found.verdict) == (False, (VERDICT, NOT_MEASURED))


def test_a_strategy_without_forecasts_and_a_fund_without_a_model(tmp_path: Path) -> None:
    """Neither has evidence, and each says why."""
    registry = Registry(tmp_path / "registry")
    momentum = load_strategy(f"{STRATEGIES / 'momentum.py'}:Momentum")
    assert find_evidence(registry, momentum).verdict == (NO_MODEL,)
    found = find_evidence(registry, ten_by_ten())
    assert (found.name, found.is_enough) == ("ten_by_ten", False)
    assert "models train" in found.verdict[0]
