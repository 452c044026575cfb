"""A backtest as files: JSON, a picture, and one HTML page with both.

Knows what the services answered and how it is laid out. Asks nobody anything, and decides nothing.
"""

import json
from base64 import b64encode
from dataclasses import asdict, dataclass
from datetime import date
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Final

import polars as pl

from fund.clients import Json
from fund.home import write_whole
from fund.track_record import (
    LEAST_FOR_A_YEAR,
    SESSIONS_A_YEAR,
    TrackRecord,
    beta,
    buy_and_hold,
    track_record,
    value_by_session,
)
from internal.performance import drawdowns

STYLE: Final = (
    "body{font:15px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1b1f24}"
    "table{border-collapse:collapse}td,th{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #d8dee4}"
    "td:first-child,th:first-child,.words td,.words th{text-align:left}td:first-child{white-space:nowrap}"
    "img{max-width:100%}.wide{overflow-x:auto}"
)
TOO_SHORT: Final = "too short"
UNKNOWN_TO_IT: Final = (
    "It is one path: other periods, seeds and refit dates give other figures, and the interval knows the first alone.",
    "The tickers are those of the bars that were given. What was delisted before, or left out of them, was never held.",
    "Orders fill as docs/decisions/exchange_fills.md says, at the open and close of daily bars, with its costs.",
    "Slippage is counted from the close at which was decided, so that it holds the night's move as well.",
    "Who chose the model, its inputs or this period after looking at these sessions has fitted to them.",
)


@dataclass(frozen=True)
class Inputs:
    """What the services said at the end.

    Attributes:
        settings: What was asked for.
        first: The session at whose close the fund opened.
        last: The last session.
        performance: portfoliomanager's `/performance`.
        orders: portfoliomanager's `/orders`.
        bars: `ticker`, `date`, `close` of the sessions, adjusted as of the last.
        refits: One row a refit.
    """

    settings: Json
    first: date
    last: date
    performance: Json
    orders: pl.DataFrame
    bars: pl.DataFrame
    refits: list[Json]


@dataclass(frozen=True)
class Report:
    """The figures of one backtest.

    Attributes:
        settings: What was asked for.
        fund: The net asset value's track record.
        buy_and_hold: That of equal dollars of every ticker.
        beta: The fund's to buy and hold, None when that stood still.
        turnover: Dollars traded over the mean net asset value, half of it, a year.
        mean_gross_exposure: Of net asset value, over the sessions.
        mean_net_exposure: The same, longs less shorts.
        cost: Dollars: slippage, fees, borrow.
        orders: How many were journalled.
        filled: How many of them have fills.
        refits: One row a refit.
        series: `date`, `net_asset_value`, `gross_exposure`, `net_exposure`, `buy_and_hold` in dollars of the first.
    """

    settings: Json
    fund: TrackRecord
    buy_and_hold: TrackRecord
    beta: float | None
    turnover: float
    mean_gross_exposure: float
    mean_net_exposure: float
    cost: dict[str, float]
    orders: int
    filled: int
    refits: list[Json]
    series: pl.DataFrame

    def to_json(self) -> str:
        """The whole as JSON, dates in ISO form."""
        plain = asdict(self) | {"series": self.series.to_dicts()}
        return json.dumps(plain, indent=2, default=str)


def report_of(inputs: Inputs) -> Report:
    """The figures of what the services said."""
    points = pl.DataFrame(inputs.performance["points"]).with_columns(
        pl.col("timestamp").str.to_datetime(time_zone="UTC", time_unit="ms")
    )
    account = value_by_session(points, inputs.first, inputs.last)
    market = buy_and_hold(inputs.bars, inputs.first, inputs.last)
    value, held = account["net_asset_value"].to_numpy(), market["buy_and_hold"].to_numpy()
    dollars = inputs.orders.select((pl.col("filled_quantity") * pl.col("filled_average_price")).sum()).item()
    return Report(
        settings=inputs.settings,
        fund=track_record(value),
        buy_and_hold=track_record(held),
        beta=beta(value, held),
        turnover=float(dollars / 2 / value.mean() * SESSIONS_A_YEAR / (len(value) - 1)),
        mean_gross_exposure=float(account["gross_exposure"].to_numpy()[1:].mean()),
        mean_net_exposure=float(account["net_exposure"].to_numpy()[1:].mean()),
        cost=inputs.performance["realized_cost"],
        orders=inputs.orders.height,
        filled=inputs.orders.filter(pl.col("filled_quantity") > 0).height,
        refits=inputs.refits,
        series=account.select("date", "net_asset_value", "gross_exposure", "net_exposure").with_columns(
            pl.Series("buy_and_hold", held * value[0])
        ),
    )


def write_report(folder: Path, inputs: Inputs) -> Path:
    """Write `backtest_report.json`, `.svg` and `.html`, each whole or not at all; the path of the page."""
    report = report_of(inputs)
    picture = draw(report)
    write_whole(folder / "backtest_report.json", report.to_json())
    write_whole(folder / "backtest_report.svg", picture)
    page = folder / "backtest_report.html"
    write_whole(page, _page(report, picture))
    return page


def draw(report: Report) -> str:
    """Net asset value beside buy and hold, the fall from the peak, and the exposures, as SVG."""
    from matplotlib import rc_context  # noqa: PLC0415 - matplotlib takes a second that only a report needs
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    days, value = report.series["date"].to_list(), report.series["net_asset_value"].to_numpy()
    drawing = BytesIO()
    with rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "backtest"}):
        figure = Figure(figsize=(9, 7), layout="constrained")
        above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1, 1))
        above.plot(days, value, color="#0969da", label="fund")
        above.plot(days, report.series["buy_and_hold"], color="#8c959f", label="equal dollars of every ticker, held")
        for refit in report.refits:
            above.axvline(date.fromisoformat(refit["session"]), color="#d0d7de", linewidth=0.8, zorder=0)
        above.set(ylabel="dollars", title="Net asset value (grey lines: the model was fitted anew)")
        above.legend(frameon=False)
        middle.fill_between(days, -100 * drawdowns(value), color="#bf3989", alpha=0.5)
        middle.set(ylabel="below its peak, %")
        below.plot(days, report.series["gross_exposure"], color="#0969da", label="gross")
        below.plot(days, report.series["net_exposure"], color="#9a6700", label="net")
        below.set(ylabel="of net asset value")
        below.legend(frameon=False, ncols=2)
        figure.savefig(drawing, format="svg", metadata={"Date": None})
    return drawing.getvalue().decode()


def _page(report: Report, picture: str) -> str:
    settings = "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in report.settings.items())
    cautions = "".join(f"<li>{escape(sentence)}" for sentence in UNKNOWN_TO_IT)
    encoded = b64encode(picture.encode()).decode()
    return (
        f"<!doctype html><meta charset=utf-8><title>Backtest</title><style>{STYLE}</style><h1>Backtest</h1>"
        f"<p>{escape(settings)}.</p><p>{escape(verdict(report))}</p>"
        f'<p><img alt="net asset value, fall from its peak, exposures" src="data:image/svg+xml;base64,{encoded}"></p>'
        f"<div class=wide>{_figures(report)}</div><h2>Trading</h2><div class=wide>{_trading(report)}</div>"
        f"<h2>Refits</h2><div class=wide>{_refits(report)}</div><h2>What it does not know</h2><ul>{cautions}</ul>"
    )


def verdict(report: Report) -> str:
    """What may be said of the result in one sentence."""
    found = report.fund.sharpe_interval
    if found is None:
        return f"Too short to say anything of skill: a year is not told from fewer than {LEAST_FOR_A_YEAR} returns."
    if found[0] > 0:
        return "The Sharpe ratio's 95 % interval lies above zero on this path."
    return "The Sharpe ratio's 95 % interval holds zero or less: this path does not show that the fund earns anything."


def _figures(report: Report) -> str:
    rows = "".join(
        f"<tr><td>{name}<td>{one.total_return:+.2%}<td>{_yearly(one)}<td>{one.volatility:.2%}<td>{_ratio(one)}"
        f"<td>{one.maximum_drawdown:.2%}"
        for name, one in (("fund", report.fund), ("buy and hold", report.buy_and_hold))
    )
    return (
        "<table><tr><th><th>return<th>a year<th>volatility a year<th>Sharpe ratio (95 % interval)<th>maximum drawdown"
        f"{rows}</table>"
    )


def _yearly(record: TrackRecord) -> str:
    return TOO_SHORT if record.annualised_return is None else f"{record.annualised_return:+.2%}"


def _ratio(record: TrackRecord) -> str:
    if record.sharpe is None or record.sharpe_interval is None:
        return TOO_SHORT
    return "{:+.2f} ({:+.2f} to {:+.2f})".format(record.sharpe, *record.sharpe_interval)


def _trading(report: Report) -> str:
    rows = {
        "orders, with fills": f"{report.orders:,}, {report.filled:,}",
        "turnover a year, one side": f"{report.turnover:.1f} times the net asset value",
        "mean gross, net exposure": f"{report.mean_gross_exposure:.3f}, {report.mean_net_exposure:+.3f}",
        "beta to buy and hold": "none" if report.beta is None else f"{report.beta:+.3f}",
        **{f"{name}, dollars": f"{amount:,.2f}" for name, amount in report.cost.items()},
    }
    return f"<table>{''.join(f'<tr><td>{name}<td>{text}' for name, text in rows.items())}</table>"


def _refits(report: Report) -> str:
    kept = {True: "champion", False: "registered, not champion"}
    rows = "".join(
        f"<tr><td>{row['session']}<td>{row['version']}<td>{kept[row['champion']]}<td>{escape(' '.join(row['verdict']))}"
        for row in report.refits
    )
    return f"<table class=words><tr><th>on bars up to<th>model<th><th>on its held-out block{rows}</table>"
