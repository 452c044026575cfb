"""The tables of the lake, one Delta table a noun: their columns as Polars types, and the layout of their files."""

from dataclasses import dataclass, field

import polars as pl

from internal.schemas import (
    armings,
    companies,
    corporate_actions,
    decisions,
    disagreements,
    equity_bars,
    equity_details,
    fundamentals,
    orders,
    portfolios,
    predictions,
    securities,
    trading_states,
)

MONTH = "month"  # the partition column, "2015-06"; hidden from readers


@dataclass(frozen=True)
class Table:
    """One table of the lake.

    Attributes:
        columns: Names and types, in order.
        date_column: The column that `replace_days` replaces by.
        monthly: Whether files are split by month (docs/decisions/lake_layout.md).
        durable: Whether a write to a local folder is on disk when it returns: what was decided and sent must survive a
            power cut.
        sorted_by: The order of the rows in each file of a monthly table, so that a reader need not sort; empty for any.
        defaults: What is read in rows that were written before a column existed; null in columns without a default.
    """

    columns: dict[str, pl.DataType]
    date_column: str | None = None
    monthly: bool = False
    durable: bool = False
    sorted_by: tuple[str, ...] = ()
    defaults: dict[str, str | bool | float] = field(default_factory=dict)


MOMENT = pl.Datetime("ms", "UTC")
QUARANTINE_COLUMNS: dict[str, pl.DataType] = {
    **dict.fromkeys(equity_bars.COLUMNS, pl.String()),
    "reason": pl.String(),
    "collected_date": pl.Date(),
}
INGESTION_SESSIONS_COLUMNS: dict[str, pl.DataType] = {
    "date": pl.Date(),
    "status": pl.String(),
    "rows": pl.Int64(),
    "quarantined": pl.Int64(),
    "vendor_digest": pl.String(),
    "collected_at": MOMENT,
}
QUARANTINE_RELEASES_COLUMNS: dict[str, pl.DataType] = {  # the audit of what left the quarantine for the bars
    "released_at": MOMENT,
    "released_by": pl.String(),  # a person, or `later bars`
    "why": pl.String(),
    **QUARANTINE_COLUMNS,
}
MISSING_SESSIONS_COLUMNS: dict[str, pl.DataType] = {  # sessions that the vendor was asked for and could not answer
    "date": pl.Date(),
    "reason": pl.String(),
    "attempts": pl.Int64(),
    "first_asked_at": MOMENT,
    "last_asked_at": MOMENT,
    "repaired_at": MOMENT,  # when its bars were collected after all; null until then
}
REBALANCES_COLUMNS: dict[str, pl.DataType] = {
    "portfolio_id": pl.String(),
    "date": pl.Date(),
    "state": pl.String(),
    "policy": pl.String(),
    "model_version": pl.String(),
    "bars_version": pl.Int64(),
    "notes": pl.String(),  # JSON list
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "lease_number": pl.Int64(),  # the fencing number of its last holder
    "parameters": pl.String(),  # of the strategy, JSON
    "strategy_digest": pl.String(),  # SHA-256 of its file
    "known_at": MOMENT,  # up to when corporate actions, names and details were known; null in older rows
}
ACCOUNT_SNAPSHOTS_COLUMNS: dict[str, pl.DataType] = {
    "timestamp": MOMENT,
    "date": pl.Date(),
    "portfolio_id": pl.String(),
    "net_asset_value": pl.Float64(),  # dollars, as all amounts here
    "cash": pl.Float64(),
    "long_market_value": pl.Float64(),
    "short_market_value": pl.Float64(),
    "gross_exposure": pl.Float64(),
    "net_exposure": pl.Float64(),
    "slippage": pl.Float64(),
    "fees": pl.Float64(),
    "borrow": pl.Float64(),
    "pool": pl.Float64(),  # what gains are measured on; null where it is the net asset value
}

ACCOUNT_ACTIVITIES_COLUMNS: dict[str, pl.DataType] = {
    "activity_id": pl.String(),  # the broker's
    "type": pl.String(),  # the broker's word: FILL, DIV, JNLC, ...; OPENING is what the account held before
    "sub_type": pl.String(),
    "moment": MOMENT,
    "date": pl.Date(),  # in New York
    "ticker": pl.String(),
    "quantity": pl.Decimal(38, 9),  # signed shares
    "price": pl.Decimal(38, 9),  # dollars a share
    "net_amount": pl.Decimal(38, 9),  # what it did to cash, dollars
    "order_id": pl.String(),
    "description": pl.String(),
    "number": pl.Int64(),  # the place in which the broker listed it
}

TICKER_CHANGE_REQUESTS_COLUMNS: dict[str, pl.DataType] = {  # when the vendor was asked for a security's earlier tickers
    "ticker": pl.String(),
    "asked_at": MOMENT,
}

SIMULATED_MARKETS_COLUMNS: dict[str, pl.DataType] = {  # which simulated market filled the lake; empty for real bars
    "description": pl.String(),
    "recorded_at": MOMENT,
}

TABLES: dict[str, Table] = {
    "equity_bars": Table(equity_bars.COLUMNS, "date", monthly=True, sorted_by=("date", "ticker")),
    "equity_bars_quarantine": Table(QUARANTINE_COLUMNS, "collected_date"),
    "equity_details": Table(equity_details.COLUMNS),
    "equity_detail_versions": Table(equity_details.COLUMNS),
    "companies": Table(companies.COLUMNS),
    "fundamentals": Table(fundamentals.COLUMNS),
    "securities": Table(securities.COLUMNS),
    "ticker_change_requests": Table(TICKER_CHANGE_REQUESTS_COLUMNS),
    "corporate_actions": Table(corporate_actions.CORPORATE_ACTIONS_COLUMNS, "effective_date"),
    "quarantine_releases": Table(QUARANTINE_RELEASES_COLUMNS),
    "ingestion_sessions": Table(INGESTION_SESSIONS_COLUMNS, "date"),
    "disagreements": Table(disagreements.COLUMNS, "date"),
    "missing_sessions": Table(MISSING_SESSIONS_COLUMNS, "date"),
    "simulated_markets": Table(SIMULATED_MARKETS_COLUMNS),
    "predictions": Table(predictions.COLUMNS, "date", monthly=True),
    "reforecasts": Table(predictions.REFORECASTS_COLUMNS, "date", monthly=True),
    "portfolios": Table(portfolios.COLUMNS, "date", durable=True, defaults=portfolios.DEFAULTS),
    "decisions": Table(decisions.DECISIONS_COLUMNS, "date", durable=True),
    "decision_names": Table(decisions.DECISION_NAMES_COLUMNS, "date", monthly=True, durable=True),
    "rebalances": Table(REBALANCES_COLUMNS, "date", durable=True),
    "orders": Table(orders.COLUMNS, "date", durable=True, defaults=orders.DEFAULTS),
    "account_snapshots": Table(ACCOUNT_SNAPSHOTS_COLUMNS, "date", durable=True),
    "armings": Table(armings.COLUMNS, durable=True),
    "trading_states": Table(trading_states.COLUMNS, durable=True),
    "account_activities": Table(ACCOUNT_ACTIVITIES_COLUMNS, "date", durable=True),
}

# Written by earlier versions, read once (`datamanager.action_migration`); no longer written and not in SQL.
RETIRED_TABLES: dict[str, Table] = {
    "splits": Table(corporate_actions.SPLITS_COLUMNS, "execution_date"),
    "dividends": Table(corporate_actions.DIVIDENDS_COLUMNS, "ex_dividend_date"),
}
