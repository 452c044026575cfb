"""The overview: value over time, the book and the latest orders on one page.

Knows the answers of the service's own endpoints. Asks nobody and changes nothing.
"""

from typing import Any
from urllib.parse import quote

import polars as pl

from portfoliomanager.pages.drawing import line, link, table

STYLE = (
    "body{font:15px system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}"
    "@media(prefers-color-scheme:dark){body{color:#e6e8ea;background:#15181c}}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:right;padding:.25rem .5rem;border-bottom:1px solid #8884}"
    "th:first-child,td:first-child,th:nth-child(2),td:nth-child(2){text-align:left}svg{width:100%;height:auto}"
)
ORDER_COLUMNS = ("date", "ticker", "side", "leg", "quantity", "state", "filled_quantity", "filled_average_price")
POSITION_COLUMNS = ("ticker", "side", "quantity", "entry_price", "price", "market_value", "unrealized_gain")
LATEST_ORDERS = 40


def render(current: dict[str, Any] | None, report: dict[str, Any], orders: pl.DataFrame) -> str:
    """The page as HTML. `current` is None before the first portfolio."""
    values = [point["net_asset_value"] for point in report["points"]]
    latest = orders.sort("date", "ticker", descending=[True, False]).head(LATEST_ORDERS)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>pocketsizefund</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>pocketsizefund</h1>{_totals(current, report)}"
        f"<h2>Net asset value</h2>{line(values, 'Net asset value in dollars')}"
        f"<h2>Book</h2>{_book(current)}"
        f"<h2>Latest orders</h2>{table(ORDER_COLUMNS, latest.select(list(ORDER_COLUMNS)).rows())}"
        "</body></html>"
    )


def _totals(current: dict[str, Any] | None, report: dict[str, Any]) -> str:
    if current is None:
        return "<p>No portfolio yet: POST /portfolios builds one.</p>"
    cost = report["realized_cost"]
    rows = [
        ("as of", f"{current['as_of']:%Y-%m-%d %H:%M} UTC"),
        ("net asset value", current["net_asset_value"]),
        ("cash", current["cash"]),
        ("gross exposure", f"{current['gross_exposure']:.3f}"),
        ("net exposure", f"{current['net_exposure']:+.3f}"),
        ("return", f"{report['return']:+.3%}"),
        ("maximum drawdown", f"{report['maximum_drawdown']:.3%}"),
        *((f"cost: {name}", float(cost[name])) for name in ("slippage", "fees", "borrow")),
    ]
    return table(("figure", "value"), rows)


def _book(current: dict[str, Any] | None) -> str:
    positions = [] if current is None else sorted(current["positions"], key=lambda row: (row["side"], row["ticker"]))
    others = POSITION_COLUMNS[1:]
    rows = [
        [link(explanation_path(row["ticker"]), row["ticker"]), *(row[name] for name in others)] for row in positions
    ]
    return table(POSITION_COLUMNS, rows)


def explanation_path(ticker: str) -> str:
    """Where the forecast of a ticker is explained."""
    return f"/predictions/{quote(ticker, safe='')}/explanation"
