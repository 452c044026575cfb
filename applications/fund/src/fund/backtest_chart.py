# matplotlib annotates its arguments only in part:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""The chart of a backtest: net asset value beside buy and hold, drawdown and exposures, as SVG."""

from datetime import date
from io import BytesIO

from fund.backtest_report import Report
from internal.performance import drawdowns


def draw_chart(report: Report) -> str:
    """Draw the chart and return it as SVG."""
    from matplotlib import rc_context  # noqa: PLC0415 - matplotlib takes a second that only a report needs
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    days, value = report.series["date"].to_list(), report.series["net_asset_value"].to_numpy()
    drawing = BytesIO()
    with rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "backtest"}):
        figure = Figure(figsize=(9, 7), layout="constrained")
        above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1, 1))
        above.plot(days, value, color="#0969da", label="fund")
        above.plot(days, report.series["buy_and_hold"], color="#8c959f", label="buy and hold, equal dollars")
        for refit in report.refits:
            above.axvline(date.fromisoformat(refit.session), color="#d0d7de", linewidth=0.8, zorder=0)
        above.set(ylabel="dollars", title="Net asset value (grey vertical lines: refits of the model)")
        above.legend(frameon=False)
        middle.fill_between(days, -100 * drawdowns(value), color="#bf3989", alpha=0.5)
        middle.set(ylabel="drawdown, %")
        below.plot(days, report.series["gross_exposure"], color="#0969da", label="gross exposure")
        below.plot(days, report.series["net_exposure"], color="#9a6700", label="net exposure")
        below.set(ylabel="of net asset value")
        below.legend(frameon=False, ncols=2)
        figure.savefig(drawing, format="svg", metadata={"Date": None})
    return drawing.getvalue().decode()
