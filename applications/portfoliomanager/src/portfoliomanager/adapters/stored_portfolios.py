"""The port `Portfolios` on the data service: rows become the frame `portfolios`, and back."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from internal.dates import previous_session
from internal.http.datamanager_client import DatamanagerClient
from internal.schemas import portfolios
from internal.trading.enums import Action, Side
from internal.trading.portfolio import Portfolio, PortfolioRow
from internal.trading.ports import BAND_SESSIONS
from internal.trading.positions import Band

BAND_COLUMNS = ("quantile_10", "quantile_50", "quantile_90")
NO_BAND = (None, None, None)


class StoredPortfolios:
    """Portfolios as datamanager stores them; every method raises UnavailableError when it cannot be reached."""

    def __init__(self, client: DatamanagerClient) -> None:
        self._client = client

    def save(self, portfolio: Portfolio) -> None:
        """Insert or replace a portfolio; one without rows changes nothing."""
        self._client.save_portfolio(portfolio_frame(portfolio))

    def find(self, portfolio_id: str) -> Portfolio | None:
        """The portfolio; None when there is none."""
        frame = self._client.portfolio(portfolio_id)
        return None if frame.is_empty() else read_portfolio(frame)

    def bands_before(self, day: date) -> Mapping[str, Band]:
        """By security id, else ticker, the band stored last before the day, at most BAND_SESSIONS sessions back."""
        frame = self._client.portfolios(previous_session(day, BAND_SESSIONS), previous_session(day))
        known = pl.col("security_id").is_not_null() & (pl.col("security_id") != "")
        keyed = frame.with_columns(pl.when(known).then("security_id").otherwise("ticker").alias("security"))
        stored = keyed.filter(pl.col("quantile_50").is_not_null()).sort("date").unique("security", keep="last")
        return {security: Band(*band) for security, *band in stored.select("security", *BAND_COLUMNS).iter_rows()}


def portfolio_frame(portfolio: Portfolio) -> pl.DataFrame:
    """The portfolio as the frame `portfolios`."""
    rows = [_record(portfolio, row) for row in portfolio.rows]
    return pl.DataFrame(rows, schema=portfolios.COLUMNS)


def read_portfolio(frame: pl.DataFrame) -> Portfolio:
    """The portfolio of a frame that holds one."""
    first = frame.row(0, named=True)
    rows = tuple(_read_row(record) for record in frame.sort("ticker").iter_rows(named=True))
    return Portfolio(first["portfolio_id"], first["date"], rows, first["model_version"], first["bars_version"])


def _record(portfolio: Portfolio, row: PortfolioRow) -> dict[str, object]:
    return {
        "portfolio_id": portfolio.portfolio_id,
        "date": portfolio.day,
        "ticker": row.ticker,
        "side": row.side,
        "action": row.action,
        "held": row.held,
        "quantity": row.quantity,
        "dollar_amount": row.dollar_amount,
        "reference_price": row.reference_price,
        "opened_date": row.opened_date,
        "entry_price": row.entry_price,
        **dict(zip(BAND_COLUMNS, row.band or NO_BAND, strict=True)),
        "frozen": row.frozen,
        "reason": row.reason,
        "model_version": portfolio.model_version,
        "bars_version": portfolio.bars_version,
        "security_id": row.security_id,
    }


def _read_row(record: Mapping[str, Any]) -> PortfolioRow:
    action, band = Action(record["action"]), [record[name] for name in BAND_COLUMNS]
    held = record["held"] or (record["quantity"] if action is Action.HOLD else 0.0)  # 0 in older rows
    return PortfolioRow(
        ticker=record["ticker"],
        side=Side(record["side"]),
        action=action,
        held=held,
        quantity=record["quantity"],
        reference_price=record["reference_price"],
        opened_date=record["opened_date"],
        entry_price=record["entry_price"],
        band=None if None in band else Band(*band),
        frozen=record["frozen"],
        reason=record["reason"],
        security_id=record["security_id"] or None,
    )
