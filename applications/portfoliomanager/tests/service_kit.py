"""What the tests of the service over HTTP share: a registered baseline, problems, waiting."""

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from applications.portfoliomanager.tests.portfoliomanager_kit import World
from internal.baselines.catalogue import BASELINES
from internal.dates import previous_session
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.forecasting.artifact import Artifact, save_artifact
from internal.forecasting.registry import LEAK_GATE, Registry
from internal.http.client import read_frame_response

PROBLEM = "application/problem+json"


def register_baseline(world: World, folder: Path, end: date, registry: Registry | None = None) -> str:
    """Fit the rolling baseline on what datamanager holds, register and promote it; its version."""
    path = f"/equity-bars?start_date={previous_session(end, 70)}&end_date={end}&adjusted_as_of={end}"
    bars = read_frame_response(world.datamanager.request("GET", path))
    details = read_frame_response(world.datamanager.request("GET", "/equity-details"))
    frame = observe(build_panel(bars, details, end=end).frame)
    kind = "rolling_history"
    baseline = BASELINES[kind].fit(frame, fold=Block(previous_session(end, 30), end))
    passed = {LEAK_GATE: {"day": str(end)}}
    artifact = Artifact(kind, baseline.to_arrays(), {}, {}, {}, passed, 1, "a-test")
    save_artifact(folder / "artifact", artifact)
    registry = registry or Registry(world.folder / "registry")
    version = registry.register(folder / "artifact")
    registry.promote(version)
    return version


def problem(response: httpx.Response) -> dict[str, Any]:
    """The problem that a refused request answers with."""
    assert response.headers["content-type"] == PROBLEM, response.text
    body: dict[str, Any] = response.json()
    assert body["status"] == response.status_code
    return body


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
