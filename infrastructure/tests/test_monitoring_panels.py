"""The files of the dashboards: made from their description, panels side by side, a datasource that is there.

tests/test_daily_cycle.py asks every query of every panel, on the real Prometheus that scraped the running fund.
"""

from pathlib import Path
from typing import Any

import pytest

from infrastructure.grafana.__main__ import DASHBOARDS, path, text
from infrastructure.grafana.panels import COLUMNS
from infrastructure.tests.monitoring_panels import panels


def test_files_are_what_the_description_writes() -> None:
    """The JSON is made from the Python, whole: `uv run python -m infrastructure.grafana`."""
    assert {path(dashboard): text(dashboard) for dashboard in DASHBOARDS} == {
        file: file.read_text() for file in path(DASHBOARDS[0]).parent.iterdir()
    }


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.title)
def test_panels_lie_side_by_side(dashboard: Any) -> None:  # noqa: ANN401 - read as JSON
    """No two panels share a cell of the grid, none reaches over its edge, each has title, description and unit."""
    cells: set[tuple[int, int]] = set()
    for panel in dashboard.json()["panels"]:
        place = panel["gridPos"]
        own = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not own & cells
        assert place["x"] + place["w"] <= COLUMNS
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        cells |= own
    uids = [other.uid for other in DASHBOARDS]
    assert 1 == uids.count(dashboard.uid)


def test_datasource_is_provisioned() -> None:
    """Each target names the datasource that Grafana is provisioned with."""
    provisioned = Path(__file__).parents[1] / "grafana" / "provisioning" / "datasources" / "prometheus.yaml"
    uids = {target["datasource"]["uid"] for _, panel in panels() for target in panel["targets"]}
    assert all(f"uid: {uid}\n" in provisioned.read_text() for uid in uids)
