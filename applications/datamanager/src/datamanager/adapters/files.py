"""No vendor at all: the adapter of the port `datamanager.ports.MarketData` for a lake that is fed by imports alone."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

import polars as pl

from datamanager.ports import ACTION_SCHEMA, LISTING_SCHEMA, TickerChange, VendorSession

MISSING = "MARKET_DATA_VENDOR is files, so no vendor is asked: import the session's bars with `./fund data import FILE`"


class FilesOnly:
    """Asks nobody: the clock is this machine's, and every session is missing until a file brings it."""

    source = "files"

    def now(self) -> datetime:
        """This machine's clock (UTC)."""
        return datetime.now(UTC)

    def has_answered_within(self, seconds: float) -> bool:  # noqa: ARG002 - the port's signature
        """Always: there is nobody to wait for."""
        return True

    def daily_bars(self, sessions: Sequence[date], on_session: Callable[[], object]) -> Sequence[VendorSession]:
        """Every session as missing, with what to do about it."""
        for _ in sessions:
            on_session()
        return [VendorSession(session, None, MISSING) for session in sessions]

    def corporate_actions(self, start: date, end: date) -> pl.DataFrame:  # noqa: ARG002 - the port's signature
        """None."""
        return pl.DataFrame(schema=ACTION_SCHEMA)

    def listings(self, tickers: Sequence[str] | None = None) -> pl.DataFrame:  # noqa: ARG002 - the port's signature
        """None."""
        return pl.DataFrame(schema=LISTING_SCHEMA)

    def ticker_changes(self, ticker: str) -> Sequence[TickerChange]:  # noqa: ARG002 - the port's signature
        """None."""
        return ()

    def close(self) -> None:
        """Nothing is open."""
