"""Read the tables of a recording from the services, and replace what is random.

Ids that the exchange gives to orders become `order-1`, `order-2`, ... in the order of submission. Versions of models,
which depend on the revision of the code, become `model-1`, ... in the order of their first use. Ids of activities and
of the account are left out. Everything else is kept exactly as the services answer it; predictions, which are there for
diagnosis, are rounded to six significant digits beside a digest of their exact values.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby

from parity.recording import Recording
from parity.services import Services, object_of, row_of, rows_in, rows_of
from parity.tables import Row, Scalar

ORDERS_A_PAGE = 500
ACTIVITIES_A_PAGE = 100
DIGITS = 6
BARS = """
SELECT strftime(date, '%Y-%m') AS month, count(*) AS bars, md5(string_agg(concat_ws('|', ticker, date, open, high, low,
close, volume, volume_weighted_average_price, transactions), ';' ORDER BY date, ticker)) AS digest
FROM equity_bars GROUP BY month ORDER BY month
"""
SPLITS = """
SELECT ticker, effective_date AS execution_date, old_shares AS split_from, new_shares AS split_to
FROM corporate_actions
WHERE kind IN ('forward_split', 'reverse_split') AND effective_date >= (SELECT min(date) FROM ingestion_sessions)
ORDER BY execution_date, ticker
"""
DIVIDENDS = """
SELECT ticker, effective_date AS ex_dividend_date, cash_amount, declaration_date, record_date, pay_date
FROM corporate_actions
WHERE kind = 'cash_dividend' AND effective_date >= (SELECT min(date) FROM ingestion_sessions)
ORDER BY ex_dividend_date, ticker
"""


def read(case: str, services: Services) -> Recording:
    """Every table of the running fund."""
    orders = _orders(services)
    numbers = {str(order["id"]): f"order-{position}" for position, order in enumerate(orders, start=1)}
    runs = services.query("SELECT * FROM rebalances ORDER BY date, portfolio_id")
    versions = list(dict.fromkeys(str(run["model_version"]) for run in runs))
    models = {version: f"model-{position}" for position, version in enumerate(versions, start=1)}
    period = {"start_date": str(runs[0]["date"]), "end_date": str(runs[-1]["date"])}
    performance, current = (
        object_of(services.portfoliomanager(path)) for path in ("/performance", "/portfolios/current")
    )
    predictions = rows_of(services.datamanager("/predictions", **period))
    tables = {
        "exchange_orders": [_numbered(order, numbers, ("id", "replaced_by", "replaces")) for order in orders],
        "exchange_activities": _activities(services, numbers),
        "exchange_account": [_account(services)],
        "exchange_positions": rows_of(services.exchange("/v2/positions")),
        "portfolios": [
            _numbered(row, models, ("model_version",)) for row in rows_of(services.datamanager("/portfolios", **period))
        ],
        "journal_orders": [
            _numbered(order, numbers, ("broker_order_id",)) for order in rows_of(services.portfoliomanager("/orders"))
        ],
        "rebalances": [_numbered(run, models, ("model_version",)) for run in runs],
        "account_snapshots": services.query("SELECT * FROM account_snapshots ORDER BY timestamp"),
        "performance_points": rows_in(performance["points"]),
        "performance_totals": _totals(performance),
        "current_totals": [row_of(_without(current, "positions", "strategy", "notes"))],
        "current_positions": rows_in(current["positions"]),
        "splits": services.query(SPLITS),
        "dividends": services.query(DIVIDENDS),
        "equity_bars_digests": services.query(BARS),
        "predictions_digests": _digests(predictions),
        "predictions": [_rounded(row) for row in predictions],
    }
    return Recording(case, tables)


def _orders(services: Services) -> list[Row]:
    """Every order at the exchange, oldest first, page by page."""

    def page(last: Row | None) -> list[Row]:
        after = {} if last is None else {"after": str(last["submitted_at"])}
        page_of = {"status": "all", "direction": "asc", "limit": str(ORDERS_A_PAGE)} | after
        return rows_of(services.exchange("/v2/orders", **page_of))

    return _pages(page, ORDERS_A_PAGE)


def _activities(services: Services, numbers: Mapping[str, str]) -> list[Row]:
    """The account's whole history, oldest first; a row is known by type, moment, ticker and how many there were."""

    def page(last: Row | None) -> list[Row]:
        after = {} if last is None else {"page_token": str(last["id"])}
        page_of = {"direction": "asc", "page_size": str(ACTIVITIES_A_PAGE)} | after
        return rows_of(services.exchange("/v2/account/activities", **page_of))

    seen: Counter[tuple[Scalar, ...]] = Counter()
    rows: list[Row] = []
    for position, activity in enumerate(_pages(page, ACTIVITIES_A_PAGE), start=1):
        moment = activity.get("transaction_time") or activity.get("date")
        key = (activity["activity_type"], moment, activity.get("symbol"))
        seen[key] += 1
        fields = _numbered(_without(activity, "id"), numbers, ("order_id",))
        rows.append({"position": position, "moment": moment, "occurrence": seen[key], **fields})
    return rows


def _pages(page: Callable[[Row | None], list[Row]], size: int) -> list[Row]:
    """All rows; `page` answers the rows that follow the given one."""
    rows = latest = page(None)
    while len(latest) == size:
        latest = page(latest[-1])
        rows = [*rows, *latest]
    return rows


def _account(services: Services) -> Row:
    account = object_of(services.exchange("/v2/account"))
    return row_of(_without(account, "id", "account_number"))


def _totals(performance: Mapping[str, object]) -> list[Row]:
    """The figures of /performance beside its points, one a row; the parts of the cost are figures of their own."""
    (cost,) = rows_in([performance["realized_cost"]])
    figures = row_of(_without(performance, "points", "realized_cost"))
    return [{"total": name, "value": value} for name, value in {**figures, **cost}.items()]


def _numbered(row: Row, numbers: Mapping[str, str], fields: Iterable[str]) -> Row:
    """The row with the ids in these fields replaced by their numbers."""
    replaced = {field: numbers.get(str(row[field]), row[field]) for field in fields if row.get(field) is not None}
    return {**row, **replaced}


def _without[Value](values: Mapping[str, Value], *fields: str) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name not in fields}


def _digests(predictions: Iterable[Row]) -> list[Row]:
    """A digest of the exact predictions of each session; model and bars versions are not part of it."""
    rows = [_without(row, "model_version", "bars_version") for row in predictions]
    return [_digest(date, list(group)) for date, group in groupby(rows, key=lambda row: row["date"])]


def _digest(date: Scalar, rows: list[Row]) -> Row:
    text = json.dumps(rows, sort_keys=True)
    return {"date": date, "predictions": len(rows), "digest": hashlib.sha256(text.encode()).hexdigest()[:32]}


def _rounded(row: Row) -> Row:
    kept = _without(row, "model_version", "bars_version", "target_date")
    return {name: float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value for name, value in kept.items()}
