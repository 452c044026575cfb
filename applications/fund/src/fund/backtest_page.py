"""The files of a backtest's report: JSON, a chart, and one HTML page that holds both."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, cast

from markupsafe import Markup

from fund.backtest_chart import draw_chart
from fund.backtest_report import Inputs, Report, compute_report
from internal.atomic_files import write_atomically
from internal.backtests.settings import describe_planted_signal
from internal.pages.formats import percent, plain
from internal.pages.reports import ReportTable, inline_chart, make_report_environment
from internal.performance import MINIMUM_RETURNS_FOR_A_YEAR
from internal.strategies.parameter_text import write_parameters
from internal.track_record import TrackRecord

TOO_SHORT: Final = "too short"
LIMITATIONS: Final = (
    "This is one path: other seeds and refit dates give other figures. The Sharpe ratio's interval covers neither.",
    "Survivorship: only tickers of the given bars could be held, none that was delisted before or left out of them.",
    "Orders fill at the open and close of daily bars, at the costs described in docs/decisions/exchange_fills.md.",
    "Slippage is measured from the close at which the portfolio was decided, so it includes the overnight move.",
    "Selection: choosing the model, its inputs or this period after looking at these sessions overfits to them.",
)


@dataclass(frozen=True)
class BacktestPage:
    """What the page shows.

    Attributes:
        settings: What was run, in sentences.
        result: What the figures do and do not show, in sentences.
        chart: Value, drawdown and exposures over time.
        performance: The figures of the fund beside those of buy and hold.
        trading: What was traded, and its cost.
        refits: The fits of the model, and the verdict on each.
        limitations: What no backtest of this kind shows.
    """

    settings: str
    result: str
    chart: Markup
    performance: ReportTable
    trading: ReportTable
    refits: ReportTable
    limitations: tuple[str, ...]

    @classmethod
    def of(cls, report: Report, chart: str) -> Self:
        """The page of a report; its chart is SVG."""
        return cls(
            settings=(
                "Strategy {strategy[name]}, file digest {strategy[digest]:.12}, parameters: {parameters}. "
                "Sessions {first_session} to {last_session}; model {model}, refitted every {refit_every} sessions; "
                "market: {market}."
            ).format(**report.settings, parameters=_write_parameters(report)),
            result=summarize_result(report),
            chart=inline_chart(chart),
            performance=_list_performance(report),
            trading=_list_trading(report),
            refits=_list_refits(report),
            limitations=LIMITATIONS,
        )

    def render(self) -> str:
        """The page as HTML."""
        return make_report_environment("fund").get_template("backtest.html").render(view=self)


def write_report(folder: Path, inputs: Inputs) -> Path:
    """Write `backtest_report.json`, `.svg` and `.html`, each whole or not at all; the path of the page."""
    report = compute_report(inputs)
    chart = draw_chart(report)
    write_atomically(folder / "backtest_report.json", report.to_json())
    write_atomically(folder / "backtest_report.svg", chart)
    page = folder / "backtest_report.html"
    write_atomically(page, BacktestPage.of(report, chart).render())
    return page


def _write_parameters(report: Report) -> str:
    strategy = cast("dict[str, str]", report.settings["strategy"])
    return write_parameters(json.loads(strategy["parameters"])) or "none"


def summarize_result(report: Report) -> str:
    """What the figures do and do not show, and whether the prices hold a planted signal."""
    return f"{_judge_sharpe(report)} {describe_planted_signal(str(report.settings['market']))}".rstrip()


def _judge_sharpe(report: Report) -> str:
    interval = report.fund.sharpe_interval
    if interval is None:
        return f"Too short to say anything of skill: yearly figures need {MINIMUM_RETURNS_FOR_A_YEAR} daily returns."
    if interval[0] > 0:
        return "The Sharpe ratio's 95 % interval is above zero on this path."
    return (
        "The Sharpe ratio's 95 % interval includes zero or less: this path does not show that the fund earns anything."
    )


def _list_performance(report: Report) -> ReportTable:
    rows = [
        (
            name,
            percent(one.total_return),
            TOO_SHORT if one.annualised_return is None else percent(one.annualised_return),
            percent(one.volatility, sign=False),
            _write_sharpe(one),
            percent(one.maximum_drawdown, sign=False),
        )
        for name, one in (("fund", report.fund), ("buy and hold", report.buy_and_hold))
    ]
    heads = (
        "account",
        "total return",
        "annual return",
        "annual volatility",
        "Sharpe ratio (95 % interval)",
        "maximum drawdown",
    )
    return ReportTable("The fund beside buy and hold", heads, rows)


def _write_sharpe(record: TrackRecord) -> str:
    if record.sharpe is None or record.sharpe_interval is None:
        return TOO_SHORT
    sharpe, lower, upper = (plain(one, 2, sign=True) for one in (record.sharpe, *record.sharpe_interval))
    return f"{sharpe} ({lower} to {upper})"


def _list_trading(report: Report) -> ReportTable:
    gross, net = plain(report.mean_gross_exposure, 3), plain(report.mean_net_exposure, 3, sign=True)
    rows = [
        ("orders, with fills", f"{report.orders:,}, {report.filled:,}"),
        ("annual turnover, one side", f"{report.turnover:.1f} times the net asset value"),
        ("mean gross, net exposure", f"{gross}, {net}"),
        ("beta to buy and hold", "none" if report.beta is None else plain(report.beta, 3, sign=True)),
        *((f"{name}, dollars", plain(amount, 2)) for name, amount in report.cost.items()),
    ]
    return ReportTable("What was traded", ("figure", "value"), rows, prose=True)


def _list_refits(report: Report) -> ReportTable:
    rows = [
        (
            str(refit.session),
            refit.version,
            "champion" if refit.champion else "registered, not champion",
            " ".join(refit.verdict),
        )
        for refit in report.refits
    ]
    heads = ("on bars up to", "model", "status", "result on its held-out block")
    return ReportTable("Refits of the model", heads, rows, prose=True)
