# matplotlib annotates its arguments only in part:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""The chart of a backtest: net asset value beside buy and hold, drawdown and exposures, as SVG."""

from datetime import date
from io import BytesIO
from typing import Any, cast

from fund.backtest_report import Report
from internal.pages.reports import BASE, CHART_STYLE, INK, MINUS, PLUS, QUIET
from internal.performance import drawdowns


def draw_chart(report: Report) -> str:
    """Draw the chart and return it as SVG."""
    from matplotlib import rc_context  # noqa: PLC0415 - matplotlib takes a second that only a report needs
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    days, value = report.series["date"].to_list(), report.series["net_asset_value"].to_numpy()
    drawing = BytesIO()
    with rc_context(cast("Any", dict(CHART_STYLE))):  # the stub requires a literal of all settings
        figure = Figure(figsize=(9, 7), layout="constrained")
        above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1, 1))
        above.plot(days, value, color=INK, label="fund")
        above.plot(days, report.series["buy_and_hold"], color=BASE, label="buy and hold, equal dollars")
        for refit in report.refits:
            above.axvline(date.fromisoformat(refit.session), color=QUIET, linewidth=0.8, zorder=0)
        above.set(ylabel="dollars", title="Net asset value (grey vertical lines: refits of the model)")
        above.legend()
        middle.fill_between(days, -100 * drawdowns(value), color=MINUS, linewidth=0)
        middle.set(ylabel="drawdown, %")
        below.plot(days, report.series["gross_exposure"], color=INK, label="gross exposure")
        below.plot(days, report.series["net_exposure"], color=PLUS, label="net exposure")
        below.set(ylabel="of net asset value")
        below.legend(ncols=2)
        figure.savefig(drawing, format="svg", transparent=True, metadata={"Date": None})
    return drawing.getvalue().decode()
