"""How the venue's state is spread over SQLite's tables, and put together again."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from exchange.adapters.database import to_moment
from exchange.adapters.rows import POSITION_COLUMNS, history_row, order_from_row, position_from_row, position_values
from internal.venue.account_settings import AccountSettings
from internal.venue.charges import Trade
from internal.venue.clock import Phase, read_clock
from internal.venue.history import ActivityType, Fill
from internal.venue.margin_account import MarginAccount, Position
from internal.venue.orders import OPEN_STATUSES
from internal.venue.state import AccountIdentity, VenueChange, VenueState

OPEN = ", ".join(f"'{status}'" for status in sorted(OPEN_STATUSES))


def upsert(table: str, columns: Sequence[str]) -> str:
    """The statement that writes a row, or replaces the one with the same first column."""
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "  # noqa: S608 - own names
        f"ON CONFLICT ({columns[0]}) DO UPDATE SET {changes}"
    )


PUT_POSITION = upsert("positions", POSITION_COLUMNS)


def changed_facts(change: VenueChange) -> list[tuple[str, str]]:
    """The named values that the change made or replaced."""
    before = {} if change.before is None else _facts(change.before)
    return [(name, value) for name, value in _facts(change.after).items() if before.get(name) != value]


def _facts(state: VenueState) -> dict[str, str]:
    """The named values that hold the state's single numbers and settings."""
    identity, account = state.identity, state.account
    return {
        "market": identity.market,
        "account_id": identity.account_id,
        "created_at": identity.created_at.isoformat(),
        "opening_cash": str(identity.opening_cash),
        "clock": state.moment.isoformat(timespec="microseconds"),
        "cash": format(account.cash, "f"),
        "last_equity": format(account.last_equity, "f"),
        "last_maintenance_margin": format(account.last_maintenance_margin, "f"),
        "configurations": json.dumps(asdict(state.settings)),
    }


def store_positions(connection: sqlite3.Connection, change: VenueChange) -> None:
    """Writes the positions that the change made, replaced or ended."""
    before: Mapping[str, Position] = {} if change.before is None else change.before.account.positions
    after = change.after.account.positions
    if before is after:
        return
    connection.executemany("DELETE FROM positions WHERE ticker = ?", [(name,) for name in before if name not in after])
    changed = [held for name, held in after.items() if before.get(name) != held]
    connection.executemany(PUT_POSITION, [position_values(held) for held in changed])


def load_state(connection: sqlite3.Connection, facts: dict[str, str]) -> VenueState:
    """The state after the last stored change; `facts` are its named values."""
    orders = [order_from_row(row) for row in connection.execute(f"SELECT * FROM orders WHERE status IN ({OPEN})")]  # noqa: S608 - own names
    newest: sqlite3.Row | None = connection.execute(
        "SELECT sequence, submitted_at FROM orders ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    moment = to_moment(facts["clock"])
    return VenueState(
        identity=AccountIdentity(
            facts["account_id"], facts["market"], to_moment(facts["created_at"]), Decimal(facts["opening_cash"])
        ),
        moment=moment,
        account=_load_account(connection, facts),
        settings=AccountSettings(**json.loads(facts.get("configurations", "{}"))),
        open_orders={order.sequence: order for order in sorted(orders, key=lambda order: order.sequence)},
        last_order=0 if newest is None else int(newest["sequence"]),
        last_submitted_at=None if newest is None else to_moment(newest["submitted_at"]),
        last_row=int(connection.execute("SELECT COALESCE(MAX(sequence), 0) FROM history").fetchone()[0]),
        session_trades=_load_session_trades(connection, moment),
    )


def _load_account(connection: sqlite3.Connection, facts: dict[str, str]) -> MarginAccount:
    positions = [position_from_row(row) for row in connection.execute("SELECT * FROM positions ORDER BY ticker")]
    return MarginAccount(
        Decimal(facts["cash"]),
        Decimal(facts["last_equity"]),
        Decimal(facts["last_maintenance_margin"]),
        {position.ticker: position for position in positions},
    )


def _load_session_trades(connection: sqlite3.Connection, moment: datetime) -> tuple[Trade, ...]:
    """The fills of the session that is open at the moment."""
    reading = read_clock(moment)
    if reading.phase is not Phase.OPEN:
        return ()
    query = "SELECT * FROM history WHERE session = ? AND kind = ? ORDER BY sequence"
    rows = connection.execute(query, (reading.session.isoformat(), ActivityType.FILL))
    entries = (history_row(row).entry for row in rows)
    return tuple(Trade(entry.side, entry.quantity, entry.price) for entry in entries if isinstance(entry, Fill))
