"""The overview: value over time, the portfolio and the latest orders on one page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from urllib.parse import quote

from internal.modes import Mode
from internal.trading.rows import Order
from internal.trading.trading_state import TradingStateChange
from portfoliomanager.account_responses import CurrentPortfolioResponse, PerformanceResponse
from portfoliomanager.pages.drawing import banner, line, link, table

STYLE = (
    "body{font:15px system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}"
    "@media(prefers-color-scheme:dark){body{color:#e6e8ea;background:#15181c}}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:right;padding:.25rem .5rem;border-bottom:1px solid #8884}"
    ".mode{padding:.25rem .5rem;background:#0aa3;border-left:.5rem solid #0aa}"
    ".paper{background:#a803;border-color:#a80}.live{background:#c003;border-color:#c00}"
    "th:first-child,td:first-child,th:nth-child(2),td:nth-child(2){text-align:left}svg{width:100%;height:auto}"
)
ORDER_COLUMNS = ("date", "ticker", "side", "leg", "quantity", "state", "filled_quantity", "filled_average_price")
POSITION_COLUMNS = ("ticker", "side", "quantity", "entry_price", "price", "market_value", "unrealized_gain")
LATEST_ORDERS = 40


@dataclass(frozen=True)
class TradingControls:
    """Whose money is traded with, what may be sent, and how a live account is armed; None for any other."""

    mode: Mode
    state: TradingStateChange
    arming: str | None


def render_overview(
    current: CurrentPortfolioResponse | None,
    performance: PerformanceResponse,
    orders: Iterable[Order],
    controls: TradingControls,
) -> str:
    """The page as HTML. `current` is None before the first portfolio."""
    values = [point.net_asset_value for point in performance.points]
    newest = sorted(sorted(orders, key=lambda order: order.ticker), key=lambda order: order.date, reverse=True)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>pocketsizefund</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"{banner(controls.mode)}<h1>pocketsizefund</h1>{_describe(controls)}{_totals(current, performance)}"
        f"<h2>Net asset value</h2>{line(values, 'Net asset value in dollars')}"
        f"<h2>Portfolio</h2>{_positions(current)}"
        f"<h2>Latest orders</h2>{_orders(islice(newest, LATEST_ORDERS))}"
        "</body></html>"
    )


def explanation_path(ticker: str) -> str:
    """Where the forecast of a ticker is explained."""
    return f"/predictions/{quote(ticker, safe='')}/explanation"


def _describe(controls: TradingControls) -> str:
    state, arming = controls.state, controls.arming
    shown = f"<p>Trading is <b>{state.state}</b>: {state.state.meaning}. {escape(state.describe())}.</p>"
    return shown if arming is None else f"{shown}<p>Live orders: {escape(arming)}.</p>"


def _totals(current: CurrentPortfolioResponse | None, performance: PerformanceResponse) -> str:
    if current is None:
        return "<p>No portfolio yet: POST /portfolios builds one.</p>"
    cost = performance.realized_cost
    rows = [
        ("as of", f"{current.as_of:%Y-%m-%d %H:%M} UTC"),
        ("strategy", current.strategy.name),
        ("parameters", ", ".join(f"{name} {value}" for name, value in current.strategy.parameters.items())),
        ("digest of its file", current.strategy.digest[:12]),
        ("net asset value", current.net_asset_value),
        ("cash", current.cash),
        ("gross exposure", f"{current.gross_exposure:.3f}"),
        ("net exposure", f"{current.net_exposure:+.3f}"),
        ("return", f"{performance.total_return:+.3%}"),
        ("maximum drawdown", f"{performance.maximum_drawdown:.3%}"),
        ("cost: slippage", cost.slippage),
        ("cost: fees", cost.fees),
        ("cost: borrow", cost.borrow),
    ]
    return table(("figure", "value"), rows)


def _positions(current: CurrentPortfolioResponse | None) -> str:
    positions = sorted(current.positions, key=lambda row: (row.side, row.ticker)) if current else []
    rows: list[Sequence[object]] = [
        [
            link(explanation_path(row.ticker), row.ticker),
            *(row.side, row.quantity, row.entry_price, row.price, row.market_value, row.unrealized_gain),
        ]
        for row in positions
    ]
    return table(POSITION_COLUMNS, rows)


def _orders(orders: Iterable[Order]) -> str:
    rows = [
        (
            *(order.date, order.ticker, order.side, order.leg, order.quantity, order.state),
            *(order.filled_quantity, order.filled_average_price),
        )
        for order in orders
    ]
    return table(ORDER_COLUMNS, rows)
