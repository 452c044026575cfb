"""Market data from Polygon (now Massive): the adapter of the port `datamanager.ports.MarketData`."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import cast

import polars as pl

from datamanager.adapters.polygon_actions import make_actions_frame
from datamanager.adapters.polygon_answers import DELAYED, UnknownTickerError
from datamanager.adapters.polygon_client import PolygonClient
from datamanager.adapters.polygon_frames import make_bars_frame, make_listings_frame, read_bar_rows, read_ticker_changes
from datamanager.adapters.polygon_transport import VendorTransport
from datamanager.adapters.vendor_limits import RETRIES, TIMEOUTS, Timeouts
from datamanager.ports import IncompleteAnswerError, TickerChange, VendorSession
from internal.dates import session_close
from internal.errors import UpstreamError
from internal.retries import RetryPolicy

SOURCE = "polygon"
DELAY = timedelta(minutes=15)  # of the vendor's delayed plans
CONNECTIONS = 8
CONCURRENT_SESSIONS = 4


class Polygon:
    """The vendor, within its rate limit.

    Attributes:
        source: The vendor's name.

    Args:
        key: The API key.
        base_url: `https://api.polygon.io`, or a server with the same API.
        requests_per_minute: The plan's rate limit; 0 is unlimited.
        retries: Attempts and the pauses between them.
        timeouts: Of each attempt.
    """

    source = SOURCE

    def __init__(
        self,
        key: str,
        base_url: str,
        requests_per_minute: int,
        retries: RetryPolicy = RETRIES,
        timeouts: Timeouts = TIMEOUTS,
    ) -> None:
        self.transport = VendorTransport(key, requests_per_minute, retries, timeouts, CONNECTIONS)
        self._client = PolygonClient(key, base_url, self.transport)
        self._latest_time = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """The vendor's clock (UTC), from its market status."""
        server_time = self._client.market_status().get("serverTime")
        try:
            moment = datetime.fromisoformat(cast("str", server_time))
        except (TypeError, ValueError) as failure:
            raise UpstreamError(f"the vendor's market status has no readable serverTime: {server_time!r}") from failure
        if moment.tzinfo is None:
            raise UpstreamError(f"the vendor's serverTime {server_time!r} has no offset to UTC")
        self._latest_time = moment.astimezone(UTC)
        return self._latest_time

    def has_answered_within(self, seconds: float) -> bool:
        """Whether a complete answer was received within that time."""
        return self.transport.has_answered_within(seconds)

    def daily_bars(self, sessions: Sequence[date], on_session: Callable[[], object]) -> Sequence[VendorSession]:
        """The sessions' bars as received, one request a session, a few at a time; see the port."""

        def fetch(session: date) -> VendorSession:
            answer = self._fetch_session(session)
            on_session()
            return answer

        with ThreadPoolExecutor(CONCURRENT_SESSIONS, thread_name_prefix="vendor") as pool:
            try:
                return list(pool.map(fetch, sessions))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def corporate_actions(self, start: date, end: date) -> pl.DataFrame:
        """Splits, stock dividends and cash dividends, oldest first."""
        return make_actions_frame(self.source, self._client.splits(start, end), self._client.dividends(start, end))

    def listings(self, tickers: Sequence[str] | None = None) -> pl.DataFrame:
        """Active and delisted securities: every page, or two requests a ticker."""
        active, delisted = (
            [row for ticker in tickers or [None] for row in self._client.tickers(active=active, ticker=ticker)]
            for active in (True, False)
        )
        return make_listings_frame(active, delisted)

    def ticker_changes(self, ticker: str) -> Sequence[TickerChange]:
        """The changes of ticker of one security, one request."""
        try:
            return read_ticker_changes(self._client.ticker_events(ticker))
        except UnknownTickerError:
            return ()

    def close(self) -> None:
        """Close every connection."""
        self.transport.close()

    def _fetch_session(self, session: date) -> VendorSession:
        try:
            body = self._client.grouped_daily_bars(session)
            self._require_final(body, session)
            rows = read_bar_rows(body, session)
            return VendorSession(session, make_bars_frame(rows, session))
        except IncompleteAnswerError as incomplete:
            return VendorSession(session, None, incomplete.detail)

    def _require_final(self, body: dict[str, object], session: date) -> None:
        """Raise IncompleteAnswerError for a delayed answer before the delay has passed since the session's close."""
        final = session_close(session) + DELAY
        if body.get("status") == DELAYED and self._latest_time < final and self.now() < final:
            raise IncompleteAnswerError(
                f"the vendor's plan is delayed by {DELAY.seconds // 60} minutes, so its bars of {session} are not "
                f"final before {final:%H:%M} UTC. Nothing was stored; ask again then"
            )
