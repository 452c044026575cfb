"""Panels and dashboards as dataclasses, written in Grafana's JSON: fields, units and its grid of 24 columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

DATASOURCE: Mapping[str, str] = {"type": "prometheus", "uid": "prometheus"}  # provisioning/datasources/prometheus.yaml
COLUMNS = 24
type Json = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """One line, or one family of lines, of a panel.

    Args:
        expression: PromQL.
        legend: A line's name, labels in double braces.
    """

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One picture.

    Args:
        title: Two or three words.
        description: What is seen, and when to worry; shown behind the panel's "i".
        unit: Grafana's name of the unit: `currencyUSD`, `percentunit` (a ratio), `s`, `bytes`, `short` (a count), ...
        queries: What is drawn.
        kind: Lines over time, or the latest figure.
        width: Columns of 24.
        warn: From here the colour is orange.
        bad: From here the colour is red.
        below: Whether values below `warn` and `bad` are the bad ones.
    """

    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    kind: Literal["timeseries", "stat"] = "timeseries"
    width: int = 12
    warn: float | None = None
    bad: float | None = None
    below: bool = False

    @property
    def height(self) -> int:
        """Rows of the grid."""
        return 8 if self.kind == "timeseries" else 4

    def thresholds(self) -> list[Json]:
        """Grafana's steps: the first colour has no lower bound, each next one begins at its value."""
        steps = (
            [("red", None), ("orange", self.bad), ("green", self.warn)]
            if self.below
            else [("green", None), ("orange", self.warn), ("red", self.bad)]
        )
        return [{"color": color, "value": value} for color, value in steps if value is not None or color == steps[0][0]]

    def json(self, number: int, column: int, row: int) -> Json:
        """The panel in a dashboard, at its place in the grid."""
        limited = self.warn is not None or self.bad is not None
        drawing = {"thresholdsStyle": {"mode": "dashed" if limited else "off"}} if self.kind == "timeseries" else {}
        options: Json = (
            {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
            if self.kind == "timeseries"
            else {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "auto", "graphMode": "area"}
        )
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": DATASOURCE,
            "gridPos": {"x": column, "y": row, "w": self.width, "h": self.height},
            "fieldConfig": {
                "defaults": {
                    "unit": self.unit,
                    "custom": drawing,
                    "thresholds": {"mode": "absolute", "steps": self.thresholds()},
                },
                "overrides": [],
            },
            "options": options,
            "targets": [
                {
                    "refId": chr(ord("A") + place),
                    "datasource": DATASOURCE,
                    "expr": query.expression,
                    "legendFormat": query.legend or "__auto",
                    "instant": self.kind == "stat",
                    "range": self.kind != "stat",
                }
                for place, query in enumerate(self.queries)
            ],
        }


@dataclass(frozen=True)
class Variable:
    """A choice at the top of a dashboard, filled from Prometheus; nothing chosen means all.

    Args:
        name: Written `$name` in expressions, matched with `=~`.
        label: What the reader sees.
        values: PromQL of the choices, as `label_values(metric, label)`.
    """

    name: str
    label: str
    values: str

    def json(self) -> Json:
        """The variable in a dashboard."""
        return {
            "type": "query",
            "name": self.name,
            "label": self.label,
            "datasource": DATASOURCE,
            "query": {"query": self.values, "refId": "variable"},
            "definition": self.values,
            "includeAll": True,
            "allValue": ".*",
            "multi": True,
            "current": {"text": ["All"], "value": ["$__all"]},
            "refresh": 2,
            "sort": 1,
        }


@dataclass(frozen=True)
class Dashboard:
    """One page.

    Args:
        uid: Stable, part of its address.
        title: One word.
        description: What question the page answers.
        panels: In reading order; a row of the page is full at 24 columns.
        variables: Choices at the top.
        span: How far back the page looks at first.
    """

    uid: str
    title: str
    description: str
    panels: Sequence[Panel]
    variables: Sequence[Variable] = ()
    span: str = "now-24h"

    def json(self) -> Json:
        """The whole file."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["pocketsizefund"],
            "schemaVersion": 39,
            "version": 1,
            "editable": False,
            "timezone": "browser",
            "refresh": "30s",
            "time": {"from": self.span, "to": "now"},
            "templating": {"list": [variable.json() for variable in self.variables]},
            "annotations": {"list": []},
            "panels": [
                panel.json(number, column, row)
                for number, (panel, (column, row)) in enumerate(zip(self.panels, self._places(), strict=True), start=1)
            ],
        }

    def _places(self) -> Iterator[tuple[int, int]]:
        """Column and row of each panel: to the right of the one before, or at the start of a new row."""
        column = row = tallest = 0
        for panel in self.panels:
            if column + panel.width > COLUMNS:
                column, row, tallest = 0, row + tallest, 0
            yield column, row
            column, tallest = column + panel.width, max(tallest, panel.height)
