"""Play a recorded case in one process, with the forecasts of the recording, as a recording that can be compared."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
from loaded_strategies import ten_by_ten
from pydantic import BaseModel

from exchange.bodies.alpaca_account import account_body
from exchange.bodies.alpaca_activities import activity_body
from exchange.bodies.alpaca_orders import order_body
from exchange.bodies.alpaca_positions import position_body
from internal.forecasting.forecast_table import ForecastTable
from internal.forecasting.quantiles import QUANTILE_COLUMNS, QUANTILES, STEPS
from internal.simulation.fund import SimulatedFund
from internal.simulation.known_forecasts import align_forecasts
from internal.venue.repository import HistoryQuery, OrderQuery
from parity.recording import Recording
from parity.services import row_of
from parity.tables import Row, Scalar
from portfoliomanager.adapters.stored_portfolios import portfolio_frame
from portfoliomanager.journal_frames import order_frame, run_frame, snapshot_frame
from research.engine.market import BacktestMarket
from research.engine.replay_source import BarsFileSource
from research.engine.run import Backtest, play_sessions
from research.engine.sources import Period, SimulatedSource

TABLES = (
    "exchange_orders",
    "exchange_activities",
    "exchange_account",
    "exchange_positions",
    "portfolios",
    "journal_orders",
    "rebalances",
    "account_snapshots",
)
NOT_COMPARED = ("model_version", "bars_version", "parameters", "strategy_digest")


def play_case(recording: Recording, arguments: Sequence[str], sessions: int) -> Recording:
    """What the engine does on the market of a case, in the recording's tables, for the opening and some sessions."""
    days = [date.fromisoformat(str(run["date"])) for run in recording.tables["rebalances"]][: sessions + 1]
    market = open_market(arguments, Period(days[1], days[-1]))
    table = recorded_forecasts(recording, days, market.tables.tickers)
    forecasts = align_forecasts(table, market.days, market.tables.tickers)
    fund = play_sessions(Backtest(market, ten_by_ten(), "strategies/ten_by_ten.py:TenByTen", forecasts=forecasts))
    return record_fund(recording.case, fund, market)


def open_market(arguments: Sequence[str], period: Period) -> BacktestMarket:
    """The market that `fund up` trades with these options."""
    options = dict(zip(arguments[::2], arguments[1::2], strict=True))
    if "--bars" in options:
        return BarsFileSource(Path(options["--bars"]), Path(options["--details"])).open(period, lambda _: None)
    return SimulatedSource(int(options["--seed"]), int(options["--tickers"])).open(period, lambda _: None)


def cut_recording(recording: Recording, last: date) -> Recording:
    """The compared tables up to the close of a session; what the recording tells of its end alone is left out."""
    cut = {
        "portfolios": "date",
        "journal_orders": "date",
        "rebalances": "date",
        "account_snapshots": "date",
        "exchange_orders": "created_at",
        "exchange_activities": "moment",
    }
    whole = str(recording.tables["rebalances"][-1]["date"]) == last.isoformat()
    tables = (
        {name: recording.tables[name] for name in TABLES}
        if whole
        else {
            name: [row for row in recording.tables[name] if str(row[field])[:10] <= last.isoformat()]
            for name, field in cut.items()
        }
    )
    return Recording(recording.case, {name: [_compared(row) for row in rows] for name, rows in tables.items()})


def _compared(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in NOT_COMPARED}


def recorded_forecasts(recording: Recording, days: Sequence[date], tickers: Sequence[str]) -> ForecastTable:
    """The predictions of the recording; they are rounded there, so that portfolios give the bands that they hold."""
    quantiles = np.full((len(days), len(tickers), len(STEPS), len(QUANTILES)), np.nan)
    rows = {day.isoformat(): row for row, day in enumerate(days)}
    columns = {ticker: column for column, ticker in enumerate(tickers)}
    for one in recording.tables["predictions"]:
        if str(one["date"]) in rows:
            place = rows[str(one["date"])], columns[str(one["ticker"])], STEPS.index(int(str(one["horizon"])))
            quantiles[place] = [one[name] for name in QUANTILE_COLUMNS]
    for one in recording.tables["portfolios"]:
        place = rows.get(str(one["date"])), columns[str(one["ticker"])], len(STEPS) - 1
        if place[0] is not None and np.isfinite(quantiles[place]).all():
            quantiles[place] = [one[name] for name in QUANTILE_COLUMNS]
    return ForecastTable("recorded", tuple(days), tuple(tickers), STEPS, QUANTILES, quantiles)


def record_fund(case: str, fund: SimulatedFund, market: BacktestMarket) -> Recording:
    """The tables of a fund in one process, in the form that the services answer."""
    state, repository, journal = fund.core.state, fund.repository, fund.journal
    orders = repository.find_orders(OrderQuery())
    numbers = {order.id: f"order-{order.sequence}" for order in orders}
    history = [activity_body(state.identity.account_id, row) for row in repository.find_history(HistoryQuery())]
    listings = {ticker: market.market.listing(ticker) for ticker in state.account.positions}
    positions = [
        position_body(held, listing, state.open_orders.values())
        for ticker, held in sorted(state.account.positions.items())
        if (listing := listings[ticker]) is not None
    ]
    portfolios = [fund.portfolios.find(run.portfolio_id) for run in journal.runs()]
    tables = {
        "exchange_orders": [_numbered(_body_row(order_body(order)), numbers) for order in orders],
        "exchange_activities": _activities([_numbered(_body_row(body), numbers) for body in history]),
        "exchange_account": [_without_ids(_body_row(account_body(state, market.days[-1].isoformat())))],
        "exchange_positions": [_body_row(body) for body in positions],
        "portfolios": [row for one in portfolios if one is not None for row in _frame_rows(portfolio_frame(one))],
        "journal_orders": [_numbered(row, numbers) for row in _frame_rows(order_frame(journal.orders()))],
        "rebalances": _frame_rows(run_frame(journal.runs())),
        "account_snapshots": _frame_rows(snapshot_frame(journal.snapshots())),
    }
    return Recording(case, {name: [_compared(row) for row in rows] for name, rows in tables.items()})


def _body_row(body: BaseModel) -> Row:
    return row_of(body.model_dump(mode="json"))


def _without_ids(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in {"id", "account_number"}}


def _numbered(row: Row, numbers: Mapping[str, str]) -> Row:
    fields = ("id", "replaced_by", "replaces", "order_id", "broker_order_id")
    return {name: numbers.get(str(value), value) if name in fields else value for name, value in row.items()}


def _activities(rows: Iterable[Row]) -> list[Row]:
    """The rows with what tells them apart: type, moment, ticker and how many there were."""
    seen: Counter[tuple[Scalar, ...]] = Counter()
    numbered: list[Row] = []
    for position, row in enumerate(rows, start=1):
        moment = row.get("transaction_time") or row.get("date")
        key = (row["activity_type"], moment, row.get("symbol"))
        seen[key] += 1
        numbered.append({"position": position, "moment": moment, "occurrence": seen[key], **_without_ids(row)})
    return numbered


def _frame_rows(frame: pl.DataFrame) -> list[Row]:
    """The rows as datamanager writes them in JSON."""
    return [{name: _plain(value) for name, value in row.items()} for row in frame.iter_rows(named=True)]


def _plain(value: Scalar | date | datetime) -> Scalar:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    return value.isoformat() if isinstance(value, date) else value
