"""Writes the four dashboards as JSON files for Grafana: `uv run python -m infrastructure.grafana`.

A test compares the committed files with what this would write.
"""

import json
from pathlib import Path

from infrastructure.grafana.data import DATA
from infrastructure.grafana.fund import FUND
from infrastructure.grafana.model import MODEL
from infrastructure.grafana.panels import Dashboard
from infrastructure.grafana.platform import PLATFORM

FOLDER = Path(__file__).parent / "dashboards"
DASHBOARDS = (FUND, DATA, MODEL, PLATFORM)


def path(dashboard: Dashboard) -> Path:
    """The path of a dashboard's file."""
    return FOLDER / f"{dashboard.title.lower()}.json"


def text(dashboard: Dashboard) -> str:
    """The content of a dashboard's file."""
    return json.dumps(dashboard.json(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for one in DASHBOARDS:
        path(one).write_text(text(one))
