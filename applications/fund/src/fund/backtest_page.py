"""The files of a backtest's report: JSON, a chart, and one HTML page that holds both."""

from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Final

from fund.backtest_chart import draw_chart
from fund.backtest_report import Inputs, Report, compute_report
from internal.atomic_files import write_atomically
from internal.performance import MINIMUM_RETURNS_FOR_A_YEAR
from internal.track_record import TrackRecord

STYLE: Final = (
    "body{font:15px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1b1f24}"
    "table{border-collapse:collapse}td,th{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #d8dee4}"
    "td:first-child,th:first-child,.words td,.words th{text-align:left}td:first-child{white-space:nowrap}"
    "img{max-width:100%}.wide{overflow-x:auto}"
)
TOO_SHORT: Final = "too short"
LIMITATIONS: Final = (
    "This is one path: other seeds and refit dates give other figures. The Sharpe ratio's interval covers neither.",
    "Survivorship: only tickers of the given bars could be held, none that was delisted before or left out of them.",
    "Orders fill at the open and close of daily bars, at the costs described in docs/decisions/exchange_fills.md.",
    "Slippage is measured from the close at which the portfolio was decided, so it includes the overnight move.",
    "Selection: choosing the model, its inputs or this period after looking at these sessions overfits to them.",
)


def write_report(folder: Path, inputs: Inputs) -> Path:
    """Write `backtest_report.json`, `.svg` and `.html`, each whole or not at all; the path of the page."""
    report = compute_report(inputs)
    chart = draw_chart(report)
    write_atomically(folder / "backtest_report.json", report.to_json())
    write_atomically(folder / "backtest_report.svg", chart)
    page = folder / "backtest_report.html"
    write_atomically(page, render_page(report, chart))
    return page


def render_page(report: Report, chart: str) -> str:
    """The report as one HTML page with the chart inside."""
    settings = (
        "Strategy {strategy[name]}, file digest {strategy[digest]:.12}, parameters {strategy[parameters]}. "
        "Sessions {first_session} to {last_session}; model {model}, refitted every {refit_every} sessions; "
        "market: {market}"
    ).format(**report.settings)
    limitations = "".join(f"<li>{escape(sentence)}" for sentence in LIMITATIONS)
    encoded = b64encode(chart.encode()).decode()
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Backtest</title><style>{STYLE}</style><h1>Backtest</h1>"
        f"<p>{escape(settings)}.</p><p>{escape(summarize_result(report))}</p>"
        f'<p><img alt="net asset value, drawdown, exposures" src="data:image/svg+xml;base64,{encoded}"></p>'
        f"<div class=wide>{_performance_table(report)}</div>"
        f"<h2>Trading</h2><div class=wide>{_trading_table(report)}</div>"
        f"<h2>Refits</h2><div class=wide>{_refits_table(report)}</div><h2>Limitations</h2><ul>{limitations}</ul>"
    )


def summarize_result(report: Report) -> str:
    """What the figures do and do not show, in one sentence."""
    interval = report.fund.sharpe_interval
    if interval is None:
        return f"Too short to say anything of skill: yearly figures need {MINIMUM_RETURNS_FOR_A_YEAR} daily returns."
    if interval[0] > 0:
        return "The Sharpe ratio's 95 % interval is above zero on this path."
    return (
        "The Sharpe ratio's 95 % interval includes zero or less: this path does not show that the fund earns anything."
    )


def _performance_table(report: Report) -> str:
    rows = "".join(
        f"<tr><td>{name}<td>{one.total_return:+.2%}<td>{_yearly_return(one)}<td>{one.volatility:.2%}<td>{_sharpe(one)}"
        f"<td>{one.maximum_drawdown:.2%}"
        for name, one in (("fund", report.fund), ("buy and hold", report.buy_and_hold))
    )
    return (
        "<table><tr><th><th>total return<th>return a year<th>volatility a year<th>Sharpe ratio (95 % interval)"
        f"<th>maximum drawdown{rows}</table>"
    )


def _yearly_return(record: TrackRecord) -> str:
    return TOO_SHORT if record.annualised_return is None else f"{record.annualised_return:+.2%}"


def _sharpe(record: TrackRecord) -> str:
    if record.sharpe is None or record.sharpe_interval is None:
        return TOO_SHORT
    return "{:+.2f} ({:+.2f} to {:+.2f})".format(record.sharpe, *record.sharpe_interval)


def _trading_table(report: Report) -> str:
    rows = {
        "orders, with fills": f"{report.orders:,}, {report.filled:,}",
        "turnover a year, one side": f"{report.turnover:.1f} times the net asset value",
        "mean gross, net exposure": f"{report.mean_gross_exposure:.3f}, {report.mean_net_exposure:+.3f}",
        "beta to buy and hold": "none" if report.beta is None else f"{report.beta:+.3f}",
        **{f"{name}, dollars": f"{amount:,.2f}" for name, amount in report.cost.items()},
    }
    return f"<table>{''.join(f'<tr><td>{name}<td>{text}' for name, text in rows.items())}</table>"


def _refits_table(report: Report) -> str:
    rows = "".join(
        f"<tr><td>{refit.session}<td>{refit.version}"
        f"<td>{'champion' if refit.champion else 'registered, not champion'}<td>{escape(' '.join(refit.verdict))}"
        for refit in report.refits
    )
    return f"<table class=words><tr><th>on bars up to<th>model<th>status<th>result on its held-out block{rows}</table>"
