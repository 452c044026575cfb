"""Watchlists in SQLite."""

import json
import sqlite3

from exchange.adapters.database import Database, to_moment, to_text
from exchange.watchlists import Watchlist


class SqliteWatchlistRepository:
    """The stored watchlists."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_watchlists(self) -> list[Watchlist]:
        """Every watchlist, in the order of their making."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM watchlists ORDER BY created_at, id").fetchall()
        return [_watchlist(row) for row in rows]

    def put_watchlist(self, watchlist: Watchlist) -> None:
        """Stores a watchlist, new or changed."""
        values = (watchlist.id, watchlist.name, json.dumps(watchlist.tickers))
        moments = (to_text(watchlist.created_at), to_text(watchlist.updated_at))
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO watchlists VALUES (?, ?, ?, ?, ?)", (*values, *moments))

    def delete_watchlist(self, watchlist_id: str) -> None:
        """Deletes a watchlist."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM watchlists WHERE id = ?", (watchlist_id,))


def _watchlist(row: sqlite3.Row) -> Watchlist:
    tickers = tuple(str(ticker) for ticker in json.loads(row["tickers"]))
    return Watchlist(row["id"], row["name"], tickers, to_moment(row["created_at"]), to_moment(row["updated_at"]))
