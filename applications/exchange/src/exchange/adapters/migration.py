"""Brings a file of an earlier version to the present tables: columns that it lacks, and the table `activities`."""

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
ADDED_COLUMNS = (("orders", "security_id"), ("history", "related_ticker"))  # text
NAMES = tuple(re.findall(r":(\w+)", ADD_ROW))


def add_columns(connection: sqlite3.Connection) -> None:
    """Adds the columns that the tables of an earlier version lack; earlier rows have nothing in them."""
    for table, column in ADDED_COLUMNS:
        names = {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}
        if column not in names:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT")


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
