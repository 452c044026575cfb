"""What `fund status` says of the model: the champion's held-out loss beside the best baseline's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fund.home import Home
from fund.staircase import trained_model
from fund.status import model_sentence
from internal.forecasting.artifact import Artifact, save_artifact
from internal.forecasting.registry import LEAK_GATE, Registry

KIND = "temporal_fusion_transformer"


def registered(home: Home, folder: Path, **losses: float) -> str:
    """Promote an artifact that was measured so; its version."""
    held_out = {"held_out": {name: {"cumulative_loss": loss} for name, loss in losses.items()}} if losses else {}
    metrics = {LEAK_GATE: {"day": "2024-01-02"}, **held_out}
    save_artifact(folder, Artifact(KIND, {"weight": np.ones(1)}, {}, {}, {}, metrics, 0, "test"))
    version = Registry(home.registry).register(folder)
    Registry(home.registry).promote(version)
    return version


def test_no_model(tmp_path: Path) -> None:
    """Before the first training, what to run."""
    assert "models train" in model_sentence(Home(tmp_path))


@pytest.mark.parametrize(("own", "difference"), [(0.00495, "-1.00 %"), (0.006, "+20.00 %")])
def test_beside_the_best_baseline(tmp_path: Path, own: float, difference: str) -> None:
    """The lowest of the baselines stands beside it, with the difference in per cent of it."""
    home = Home(tmp_path / "home")
    losses = {KIND: own, "rolling_history": 0.0052, "heterogeneous_volatility": 0.005}
    version = registered(home, tmp_path / "artifact", **losses)
    said = model_sentence(home)
    assert version in said
    assert f"{1e4 * own:.2f}e-4 beside 50.00e-4 of the best baseline, heterogeneous_volatility ({difference})" in said


def test_not_measured(tmp_path: Path) -> None:
    """An artifact without figures is named, and that it has none."""
    home = Home(tmp_path / "home")
    registered(home, tmp_path / "artifact")
    assert "not measured" in model_sentence(home)


def test_model_of_an_older_code(tmp_path: Path) -> None:
    """A model that does not say that it passed the leak gate is trained again; one that does is not."""
    home = Home(tmp_path / "home")
    older = Artifact(KIND, {"weight": np.ones(1)}, {"size": "small"}, {}, {}, {}, 0, "test")
    save_artifact(tmp_path / "older", older)
    Registry(home.registry).register(tmp_path / "older")
    assert trained_model(home, "small") is None
    save_artifact(tmp_path / "newer", replace(older, metrics={LEAK_GATE: {"day": "2024-01-02"}}))
    version = Registry(home.registry).register(tmp_path / "newer")
    assert trained_model(home, "small") == version
