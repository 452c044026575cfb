"""The port `DecisionRecords` in the lake: the tables `decision_names` and `decisions`, written in this order."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from internal.lake.store import Lake
from internal.schemas.decisions import DECISION_NAMES_COLUMNS, DECISIONS_COLUMNS
from internal.trading.decision_records import DecisionRecord, NameRecord
from internal.trading.enums import Action, NameOutcome, Side
from internal.trading.portfolio import PortfolioRow
from internal.trading.positions import Band, Position

DECISIONS, NAMES = "decisions", "decision_names"
LEVELS = ("10", "50", "90")


class LakeDecisions:
    """Records on two Delta tables; the row of `decisions` is written last and makes the record whole."""

    def __init__(self, lake: Lake) -> None:
        """Takes the lake; its tables need not exist yet."""
        self._lake = lake
        self._last: tuple[tuple[object, ...], DecisionRecord | None] | None = None

    def save(self, record: DecisionRecord) -> None:
        """Insert or replace the record of a portfolio."""
        rows = [_name_row(record, one) for one in record.names]
        self._write(NAMES, record, pl.DataFrame(rows, schema=DECISION_NAMES_COLUMNS))
        self._write(DECISIONS, record, pl.DataFrame([_decision_row(record)], schema=DECISIONS_COLUMNS))

    def find(self, portfolio_id: str, day: date) -> DecisionRecord | None:
        """The record; None where none was stored.

        The last one is kept while the tables do not change: of thousands of names it takes a while to read.
        """
        key = portfolio_id, day, self._lake.version(DECISIONS), self._lake.version(NAMES)
        last = self._last  # another thread may ask for another one meanwhile
        if last is None or last[0] != key:
            last = self._last = key, self._read_record(portfolio_id, day)
        return last[1]

    def _read_record(self, portfolio_id: str, day: date) -> DecisionRecord | None:
        found = self._read(DECISIONS, portfolio_id, day)
        if found.is_empty():
            return None
        row = found.row(0, named=True)
        names = self._read(NAMES, portfolio_id, day).sort("ticker").iter_rows(named=True)
        return DecisionRecord(
            portfolio_id=row["portfolio_id"],
            day=row["date"],
            net_asset_value=row["net_asset_value"],
            missing_dollars=row["missing_dollars"],
            reduction=row["reduction"],
            rules=row["rules"],
            asset_notes=tuple(json.loads(row["asset_notes"])),
            names=tuple(_read_name(one) for one in names),
        )

    def _write(self, table: str, record: DecisionRecord, frame: pl.DataFrame) -> None:
        """Append, or replace what an interrupted plan has left."""
        if self._read(table, record.portfolio_id, record.day).is_empty():
            self._lake.append(table, frame)
        else:
            self._lake.replace_where(table, frame, date=record.day, portfolio_id=record.portfolio_id)

    def _read(self, table: str, portfolio_id: str, day: date) -> pl.DataFrame:
        scanned = self._lake.scan(table, self._lake.version(table))
        return scanned.filter(pl.col("date") == day, pl.col("portfolio_id") == portfolio_id).collect()


def _decision_row(record: DecisionRecord) -> dict[str, object]:
    return {
        "portfolio_id": record.portfolio_id,
        "date": record.day,
        "net_asset_value": record.net_asset_value,
        "missing_dollars": record.missing_dollars,
        "reduction": record.reduction,
        "rules": record.rules,
        "asset_notes": json.dumps(record.asset_notes),
    }


def _name_row(record: DecisionRecord, one: NameRecord) -> dict[str, object]:
    return {
        "portfolio_id": record.portfolio_id,
        "date": record.day,
        "ticker": one.ticker,
        "security_id": one.security_id,
        "outcome": one.outcome,
        "reason": one.reason,
        "price": one.price,
        "is_eligible": one.is_eligible,
        "is_tradable": one.is_tradable,
        "is_shortable": one.is_shortable,
        "is_blocked": one.is_blocked,
        "refusal": one.refusal,
        "borrow_rate": one.borrow_rate,
        "rank": one.rank,
        **_band_columns("forecast", one.forecast),
        **({} if one.position is None else _position_columns(one.position)),
        **({} if one.row is None else _row_columns(one.row)),
    }


def _position_columns(position: Position) -> dict[str, object]:
    return {
        "position_quantity": position.quantity,
        "position_opened_date": position.opened_date,
        "position_entry_price": position.entry_price,
        "position_broker_price": position.broker_price,
        **_band_columns("position", position.band),
    }


def _row_columns(row: PortfolioRow) -> dict[str, object]:
    return {
        "side": row.side,
        "action": row.action,
        "held": row.held,
        "quantity": row.quantity,
        "reference_price": row.reference_price,
        "opened_date": row.opened_date,
        "entry_price": row.entry_price,
        **_band_columns("band", row.band),
        "frozen": row.frozen,
        "held_security_id": row.security_id,
    }


def _band_columns(name: str, band: Band | None) -> dict[str, object]:
    values = (None, None, None) if band is None else band
    return {f"{name}_{level}": value for level, value in zip(LEVELS, values, strict=True)}


def _read_name(row: Mapping[str, Any]) -> NameRecord:
    return NameRecord(
        ticker=row["ticker"],
        security_id=row["security_id"],
        outcome=NameOutcome(row["outcome"]),
        reason=row["reason"],
        price=row["price"],
        is_eligible=row["is_eligible"],
        is_tradable=row["is_tradable"],
        is_shortable=row["is_shortable"],
        is_blocked=row["is_blocked"],
        refusal=row["refusal"],
        borrow_rate=row["borrow_rate"],
        forecast=_read_band(row, "forecast"),
        position=_read_position(row),
        row=_read_row(row),
        rank=row["rank"],
    )


def _read_position(row: Mapping[str, Any]) -> Position | None:
    if row["position_quantity"] is None:
        return None
    return Position(
        ticker=row["ticker"],
        quantity=row["position_quantity"],
        opened_date=row["position_opened_date"],
        entry_price=row["position_entry_price"],
        band=_read_band(row, "position"),
        broker_price=row["position_broker_price"],
        security_id=row["security_id"],
    )


def _read_row(row: Mapping[str, Any]) -> PortfolioRow | None:
    if row["action"] is None:
        return None
    return PortfolioRow(
        ticker=row["ticker"],
        side=Side(row["side"]),
        action=Action(row["action"]),
        held=row["held"],
        quantity=row["quantity"],
        reference_price=row["reference_price"],
        opened_date=row["opened_date"],
        entry_price=row["entry_price"],
        band=_read_band(row, "band"),
        frozen=row["frozen"],
        reason=row["reason"],
        security_id=row["held_security_id"],
    )


def _read_band(row: Mapping[str, Any], name: str) -> Band | None:
    values = [row[f"{name}_{level}"] for level in LEVELS]
    return None if None in values else Band(*values)
