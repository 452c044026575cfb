"""Brings a file of an earlier version to the present tables.

Columns that came later are added, and the table `activities`, which held Alpaca's JSON, becomes rows of `history`.
"""

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import cast

SPLIT_TERMS = re.compile(r"(\S+) for (\S+) split of")
FEES = {
    "sec_fee": re.compile(r"REG fee for proceed of \$(\S+) on"),
    "taf_fee": re.compile(r"TAF fee for proceed of (\S+) shares on"),
}
NIGHTS = re.compile(r", (\d+) nights from")
KINDS = {"SPLIT": "split", "CIL": "cash_in_lieu", "DIV": "dividend", "REORG": "delisting"}
ADD_ROW = (
    "INSERT INTO history VALUES (:sequence, :kind, :session, :timestamp, :net_amount, :symbol, :qty, :price, "
    ":order_id, :side, :order_status, :cum_qty, :leaves_qty, :split_from, :split_to, :charged, :nights, "
    ":related_ticker)"
)
NAMES = tuple(re.findall(r":(\w+)", ADD_ROW))


ADDED_COLUMNS = {
    "history": {"related_ticker": "TEXT"},
    "orders": {
        "security_id": "TEXT",
        "order_class": "TEXT NOT NULL DEFAULT 'simple'",
        "stop_price": "TEXT",
        "trail_price": "TEXT",
        "trail_percent": "TEXT",
        "high_water_mark": "TEXT",
        "triggered_at": "TEXT",
        "parent_id": "TEXT",
        "is_waiting": "INTEGER NOT NULL DEFAULT 0",
        "extended_hours": "INTEGER NOT NULL DEFAULT 0",
        "failed_at": "TEXT",
    },
}


def add_missing_columns(connection: sqlite3.Connection) -> None:
    """Adds the columns that a table does not have yet; rows that are there get the column's default."""
    for table, columns in ADDED_COLUMNS.items():
        present = {str(row["name"]) for row in connection.execute(f"PRAGMA table_info({table})")}
        for name, definition in columns.items():
            if name not in present:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {definition}")


def migrate_activities(connection: sqlite3.Connection) -> None:
    """Moves every row of `activities`, which held Alpaca's JSON, to `history` and drops that table."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'activities'").fetchone():
        return
    for row in connection.execute("SELECT * FROM activities ORDER BY sequence").fetchall():
        body = cast("dict[str, str | None]", json.loads(row["body"]))
        known = body | {name: row[name] for name in ("sequence", "session", "timestamp", "net_amount")}
        facts = known | ({"kind": "FILL"} if row["activity_type"] == "FILL" else _movement_facts(body))
        connection.execute(ADD_ROW, {name: facts.get(name) for name in NAMES})
    connection.execute("DROP TABLE activities")


def _movement_facts(body: Mapping[str, str | None]) -> dict[str, str | None]:
    """What the description of the earlier version said in words."""
    text = body["description"] or ""
    if (terms := SPLIT_TERMS.search(text)) is not None:
        return {"kind": KINDS[body["activity_type"] or ""], "split_to": terms[1], "split_from": terms[2]}
    for kind, pattern in FEES.items():
        if (charged := pattern.match(text)) is not None:
            return {"kind": kind, "charged": charged[1]}
    if (nights := NIGHTS.search(text)) is not None:
        return {"kind": "borrow_fee", "nights": nights[1]}
    return {"kind": KINDS[body["activity_type"] or ""], "price": body.get("per_share_amount", body.get("price"))}
