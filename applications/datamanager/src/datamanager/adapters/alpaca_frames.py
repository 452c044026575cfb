"""Alpaca's rows as frames of the market data port; its field names and moments end here. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import polars as pl

from datamanager.ports import ACTION_SCHEMA, LISTING_SCHEMA, RAW_BAR_SCHEMA
from internal.action_kinds import ActionKind

type Row = Mapping[str, object]

SOURCE = "alpaca"
VENDOR_TIME_ZONE = "America/New_York"
BAR_FIELDS = {
    "date": "t",
    "open": "o",
    "high": "h",
    "low": "l",
    "close": "c",
    "volume": "v",
    "volume_weighted_average_price": "vw",
    "transactions": "n",
}
EXCHANGES = {"NYSE": "XNYS", "NASDAQ": "XNAS", "ARCA": "ARCX", "NYSEARCA": "ARCX", "AMEX": "XASE", "BATS": "BATS"}
DAYS = {"record_date": "record_date", "pay_date": "payable_date"}
SPLIT = {"ticker": "symbol", "old_shares": "old_rate", "new_shares": "new_rate"}
MERGER = {
    "ticker": "acquiree_symbol",
    "old_shares": "acquiree_rate",
    "new_shares": "acquirer_rate",
    "new_ticker": "acquirer_symbol",
}
ACTION_FIELDS: dict[str, dict[str, str]] = {
    ActionKind.FORWARD_SPLIT: SPLIT,
    ActionKind.REVERSE_SPLIT: SPLIT,
    ActionKind.UNIT_SPLIT: {
        "ticker": "old_symbol",
        "old_shares": "old_rate",
        "new_shares": "new_rate",
        "new_ticker": "new_symbol",
        "second_shares": "alternate_rate",
        "second_ticker": "alternate_symbol",
    },
    ActionKind.STOCK_DIVIDEND: {"ticker": "symbol", "new_shares": "rate"},
    ActionKind.CASH_DIVIDEND: {"ticker": "symbol", "cash_amount": "rate", "special": "special"},
    ActionKind.RIGHTS_DISTRIBUTION: {"ticker": "source_symbol", "new_shares": "rate", "new_ticker": "new_symbol"},
    ActionKind.SPIN_OFF: {
        "ticker": "source_symbol",
        "old_shares": "source_rate",
        "new_shares": "new_rate",
        "new_ticker": "new_symbol",
    },
    ActionKind.CASH_MERGER: {"ticker": "acquiree_symbol", "cash_amount": "rate", "new_ticker": "acquirer_symbol"},
    ActionKind.STOCK_MERGER: MERGER,
    ActionKind.STOCK_AND_CASH_MERGER: MERGER | {"cash_amount": "cash_rate"},
    ActionKind.REDEMPTION: {"ticker": "symbol", "cash_amount": "rate"},
    ActionKind.WORTHLESS_REMOVAL: {"ticker": "symbol"},
    ActionKind.NAME_CHANGE: {"ticker": "old_symbol", "new_ticker": "new_symbol"},
}
PER_ONE_SHARE = (ActionKind.STOCK_DIVIDEND, ActionKind.RIGHTS_DISTRIBUTION)
EFFECTIVE = ("ex_date", "effective_date", "process_date")  # the first that a type has


def make_bars_frame(bars: Mapping[str, Sequence[Row]]) -> pl.DataFrame:
    """The bars of many symbols as text (`RAW_BAR_SCHEMA`); `t` becomes its day in New York."""
    rows = [row for of_symbol in bars.values() for row in of_symbol]
    tickers = [ticker for ticker, of_symbol in bars.items() for _ in of_symbol]
    texts = [
        pl.Series(name, [row.get(field) for row in rows], dtype=pl.String, strict=False)
        for name, field in BAR_FIELDS.items()
    ]
    moment = pl.col("date").str.to_datetime(time_zone="UTC", strict=False).dt.convert_time_zone(VENDOR_TIME_ZONE)
    return (
        pl.DataFrame([pl.Series("ticker", tickers, dtype=pl.String), *texts])
        .with_columns(moment.dt.date().cast(pl.String).fill_null(pl.col("date")))
        .select(RAW_BAR_SCHEMA.names())
    )


def make_listings_frame(assets: Iterable[Row]) -> pl.DataFrame:
    """`LISTING_SCHEMA`: what is traded on an exchange; the active one where a ticker occurs twice.

    Alpaca does not say what type a security is, when it was listed or delisted, nor its FIGI: these are null.
    """
    rows = [
        {
            "ticker": asset.get("symbol"),
            "name": asset.get("name") or None,
            "primary_exchange": EXCHANGES[str(asset.get("exchange"))],
            "active": asset.get("status") == "active",
        }
        for asset in assets
        if str(asset.get("exchange")) in EXCHANGES and asset.get("symbol")
    ]
    unknown = [name for name in LISTING_SCHEMA.names() if name not in {"ticker", "name", "primary_exchange", "active"}]
    return (
        pl.DataFrame(
            rows, schema={name: LISTING_SCHEMA[name] for name in LISTING_SCHEMA.names() if name not in unknown}
        )
        .sort("active", descending=True, maintain_order=True)
        .unique("ticker", keep="first", maintain_order=True)
        .with_columns(pl.lit(None, LISTING_SCHEMA[name]).alias(name) for name in unknown)
        .sort("ticker")
        .select(LISTING_SCHEMA.names())
    )


def make_actions_frame(actions: Mapping[str, Sequence[Row]]) -> pl.DataFrame:
    """Corporate actions by type as `ACTION_SCHEMA`. One of a type that is new to the fund keeps the vendor's word."""
    rows = [_read_action(name.removesuffix("s"), row) for name, of_type in actions.items() for row in of_type]
    columns = [
        pl.Series(name, [row.get(name) for row in rows], dtype=pl.String() if kind == pl.Date else kind, strict=False)
        for name, kind in ACTION_SCHEMA.items()
    ]
    dates = [name for name, kind in ACTION_SCHEMA.items() if kind == pl.Date]
    return pl.DataFrame(columns).with_columns(pl.col(dates).str.to_date("%Y-%m-%d", strict=False))


def take_effect_between(actions: pl.DataFrame, start: date, end: date) -> pl.DataFrame:
    """The actions that take effect from start to end, and those that do not say when."""
    return actions.filter(pl.col("effective_date").is_between(start, end).fill_null(value=True))


def _read_action(kind: str, row: Row) -> dict[str, object]:
    fields = ACTION_FIELDS.get(kind, {"ticker": "symbol"}) | DAYS
    return {
        "action_id": row.get("id"),
        "source": SOURCE,
        "kind": kind,
        "effective_date": next((row[name] for name in EFFECTIVE if row.get(name)), None),
        "currency": row.get("currency"),
        **({"old_shares": 1.0} if kind in PER_ONE_SHARE else {}),
        **{column: row.get(field) for column, field in fields.items()},
    }
