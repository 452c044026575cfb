"""The report as JSON: settings, verdict, every figure with its unit, and the series by session."""

import json
from dataclasses import asdict
from typing import Final

import numpy as np
from pydantic import JsonValue, TypeAdapter

from internal.performance import drawdowns
from research.report.figures import Figure, list_sections
from research.report.verdict import LIMITATIONS, judge
from research.result import BacktestResult, Series
from research.statistics.rolling import rolling_sharpe
from research.statistics.summary import Statistics

UNITS: Final[dict[str, JsonValue]] = {
    "annualised_return": "fraction a year",
    "capital": "dollars",
    "depth": "fraction of the peak",
    "impact": "fraction of the dollars traded",
    "months, total": "fraction",
    "sharpe, deviation, threshold of moments and deflation": "per session",
    "sharpe of costs and capacity": "annualised",
    "series": "dollars; exposures of net asset value; drawdown a fraction; rolling_sharpe annualised",
}
_JSON: Final[TypeAdapter[dict[str, JsonValue]]] = TypeAdapter(dict[str, JsonValue])
_STATISTICS: Final = TypeAdapter(Statistics)


def write_document(result: BacktestResult, statistics: Statistics) -> str:
    """The report as JSON text; what is not defined is null."""
    measures: list[JsonValue] = [
        _figure(figure) for section in list_sections(statistics.measures) for figure in section.figures
    ]
    document: dict[str, JsonValue] = {
        "settings": result.settings.to_json(),
        "key": result.settings.key,
        "verdict": judge(statistics),
        "units": UNITS,
        "measures": measures,
        **_JSON.validate_python(_STATISTICS.dump_python(statistics, mode="json", exclude={"measures"})),
        "benchmark": result.benchmark.name,
        "notes": [{"day": note.day.isoformat(), "text": note.text} for note in result.notes],
        "limitations": list(LIMITATIONS),
        "series": list_series(result),
    }
    return json.dumps(document, indent=1, allow_nan=False)


def _figure(figure: Figure) -> dict[str, JsonValue]:
    """A figure in its own unit, which `unit` names; per cent are multiplied out."""
    scaled: dict[str, JsonValue] = {
        end: None if value is None else value * figure.unit.factor for end, value in asdict(figure.estimate).items()
    }
    return {"name": figure.name, "title": figure.title, "unit": figure.unit.value, **scaled}


def list_series(result: BacktestResult) -> dict[str, JsonValue]:
    """Every series by session, as lists of equal length."""
    series = {
        "net_asset_value": result.net_asset_value,
        "benchmark": result.benchmark.values / result.benchmark.values[0] * result.net_asset_value[0],
        "cash": result.cash,
        "long_market_value": result.long_market_value,
        "short_market_value": result.short_market_value,
        "gross_exposure": result.gross_exposure,
        "net_exposure": result.net_exposure,
        "drawdown": drawdowns(result.net_asset_value),
        "rolling_sharpe": np.concatenate([[np.nan], rolling_sharpe(result.returns)]),
        "traded_dollars": result.traded_dollars,
        "impact": result.impact,
        "overnight_drift": result.overnight_drift,
        "fees": result.fees,
        "borrow": result.borrow,
    }
    days: list[JsonValue] = [day.isoformat() for day in result.days]
    return {"date": days, **{name: _nullable(values) for name, values in series.items()}}


def _nullable(values: Series) -> JsonValue:
    return [value if np.isfinite(value) else None for value in values.tolist()]
