"""The rules, by Prometheus' own tools: valid, tested by their own unit tests, each alert with a runbook."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infrastructure.tests.monitoring_processes import installed

INFRASTRUCTURE = Path(__file__).parents[1]
PROMETHEUS = INFRASTRUCTURE / "prometheus"
RUNBOOK = INFRASTRUCTURE.parent / "docs" / "operations" / "alerts.md"


def run(tool: str, *arguments: str | Path) -> str:
    """What a tool printed; its failure is the test's."""
    command = [installed(tool), *map(str, arguments)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)  # noqa: S603 - Prometheus' own tools
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def alerts() -> list[dict[str, Any]]:
    """Every alert rule."""
    groups = yaml.safe_load((PROMETHEUS / "rules" / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_configurations() -> None:
    """Prometheus and Alertmanager take their files; Prometheus finds the rules."""
    assert "2 rule files found" in run("promtool", "check", "config", PROMETHEUS / "prometheus.yaml")
    run("amtool", "check-config", PROMETHEUS / "alertmanager.yaml")


def test_rules() -> None:
    """The rules' own unit tests."""
    run("promtool", "test", "rules", *sorted((PROMETHEUS / "rules" / "tests").glob("*.yaml")))


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_alert_tells_what_to_do(alert: dict[str, Any]) -> None:
    """An alert has a sentence, an explanation, a section of the runbook, and a unit test in which it fires."""
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert {"summary", "description", "runbook"} == set(alert["annotations"])
    assert f"docs/operations/alerts.md#{alert['alert'].lower()}" == alert["annotations"]["runbook"]
    assert re.search(rf"^#+ {alert['alert']}$", RUNBOOK.read_text(), re.MULTILINE)
    cases = yaml.safe_load((PROMETHEUS / "rules" / "tests" / "alerts.yaml").read_text())["tests"]
    fired = [
        sample["labels"] for case in cases for check in case["promql_expr_test"] for sample in check["exp_samples"]
    ]
    assert any(f'alertname="{alert["alert"]}"' in labels for labels in fired) or any(
        check["exp_alerts"] and alert["alert"] == check["alertname"]
        for case in cases
        for check in case.get("alert_rule_test", ())
    )


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ("severity=page alertname=NodeDown", "fund"),
        ("severity=ticket alertname=DiskFilling", "fund"),
        ("severity=page alertname=ServiceAbsent job=datamanager", "fund"),
        ("severity=page alertname=ServiceAbsent job=portfoliomanager", "fallback,fund"),
    ],
)
def test_receivers(labels: str, receivers: str) -> None:
    """Alertmanager itself says who gets an alert: the fallback only what the fund cannot say, its own absence."""
    file = PROMETHEUS / "alertmanager.yaml"
    words = ("config", "routes", "test", f"--config.file={file}", f"--verify.receivers={receivers}")
    run("amtool", *words, *labels.split())
