"""The report as one HTML page that needs no other file and no network."""

from html import escape
from importlib.resources import files

from research.report.charts import Charts
from research.report.figures import list_sections
from research.report.tables import (
    render_capacity,
    render_costs,
    render_drawdowns,
    render_months,
    render_notes,
    render_section,
    render_settings,
    render_trials,
)
from research.report.text import describe_run
from research.report.verdict import LIMITATIONS, describe_trials, judge
from research.result import BacktestResult
from research.statistics.summary import Statistics

FIRST_ORDER = (
    "Rows of first order scale the booked costs and keep the trades as they were; a row that was run again is exact."
)


def render_page(result: BacktestResult, statistics: Statistics, charts: Charts) -> str:
    """The page of one backtest."""
    settings, style = result.settings, files("research.report").joinpath("style.css").read_text()
    period = f"{settings.first_session} to {settings.last_session}, {len(result.returns):,} sessions after the opening"
    parts = (
        f"<header><h1>{escape(settings.strategy)}</h1>",
        f'<p class="verdict">{escape(judge(statistics))}</p>',
        f"<p>{period}; {escape(describe_run(settings))}.</p></header>",
        _panel(
            "Value, drawdown and exposure", _chart(charts.overview, "Net asset value, drawdown and exposures", "large")
        ),
        '<div class="two">',
        *(_panel(section.title, render_section(section)) for section in list_sections(statistics.measures)),
        _panel("Trials", render_trials(describe_trials(statistics))),
        _panel("Deepest drawdowns", render_drawdowns(statistics.drawdowns)),
        "</div>",
        _panel("Returns by month", render_months(statistics.years)),
        '<div class="two">',
        _panel("Rolling Sharpe ratio", _chart(charts.rolling_sharpe, "Sharpe ratio of half a year")),
        _panel("Costs", _chart(charts.costs, "Costs paid so far")),
        "</div>",
        _panel("Net of costs", f"<p>{FIRST_ORDER}</p>{render_costs(statistics.costs)}"),
        _panel(
            "Capacity", f"{_chart(charts.capacity, 'Return by capital', 'large')}{render_capacity(statistics.capacity)}"
        ),
        _panel("What was run", render_settings(settings)),
        f"<section>{render_notes(result, LIMITATIONS)}</section>",
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Backtest: {escape(settings.strategy)}</title><style>{style}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _panel(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _chart(drawing: str | None, label: str, size: str = "") -> str:
    if drawing is None:
        return '<p class="empty">Too few sessions for this chart.</p>'
    return f'<div class="chart {size}" role="img" aria-label="{escape(label)}">{drawing}</div>'
