"""Market data from Alpaca: the adapter of the port `datamanager.ports.MarketData`."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import cast

import polars as pl

from datamanager.action_versions import ASKED_AHEAD
from datamanager.adapters.alpaca_chunks import cut_runs, cut_symbols
from datamanager.adapters.alpaca_client import AlpacaAccess, AlpacaClient, Row
from datamanager.adapters.alpaca_frames import (
    SOURCE,
    make_actions_frame,
    make_bars_frame,
    make_listings_frame,
    take_effect_between,
)
from datamanager.adapters.alpaca_transport import AlpacaTransport, InvalidSymbolError, RecentDataError
from datamanager.adapters.vendor_limits import RETRIES, TIMEOUTS, Timeouts
from datamanager.ports import TickerChange, VendorSession
from internal.dates import session_close
from internal.errors import UpstreamError
from internal.retries import RetryPolicy
from internal.telemetry import get_logger

CONNECTIONS = 4
FRESH_SECONDS = 3600.0  # how long the list of assets and a month of corporate actions are used again
KEPT_MONTHS = 24
PROCESSED_BEFORE = timedelta(days=10)
logger = get_logger(__name__)


class AlpacaMarketData:
    """The vendor, within its rate limit.

    Bars are asked for by symbol, so the list of assets says whose bars exist: one that Alpaca drops from its list,
    inactive ones included, has none. Symbols of the list that the data API refuses are left out and logged: active
    ones are asked for again with the next list, inactive ones with the next process. Daily bars are final once the
    plan's delay has passed after the close.

    Args:
        access: Keys and addresses.
        requests_per_minute: The plan's rate limit; 0 is unlimited.
        delay_minutes: How old consolidated data must be on this plan (15), 0 where recent data is included.
        retries: Attempts and the pauses between them.
        timeouts: Of each attempt.
    """

    source = SOURCE

    def __init__(
        self,
        access: AlpacaAccess,
        requests_per_minute: int,
        delay_minutes: int,
        retries: RetryPolicy = RETRIES,
        timeouts: Timeouts = TIMEOUTS,
    ) -> None:
        self.transport = AlpacaTransport((access.key_id, access.secret), requests_per_minute, retries, timeouts)
        self._client = AlpacaClient(access, self.transport, CONNECTIONS)
        self._delay = timedelta(minutes=delay_minutes)
        self._listings = _Kept[pl.DataFrame](1)
        self._actions = _Kept[pl.DataFrame](KEPT_MONTHS)
        self._kept_since = datetime.min.replace(tzinfo=UTC)  # on the vendor's clock
        self._refused: dict[str, bool] = {}  # symbols that the data API does not take, and whether they are active

    def now(self) -> datetime:
        """The moment up to which the plan has data: the trading clock less the delay (UTC)."""
        timestamp = self._client.clock().get("timestamp")
        try:
            moment = datetime.fromisoformat(cast("str", timestamp))
        except (TypeError, ValueError) as failure:
            raise UpstreamError(f"the vendor's clock has no readable timestamp: {timestamp!r}") from failure
        if moment.tzinfo is None:
            raise UpstreamError(f"the vendor's timestamp {timestamp!r} has no offset to UTC")
        self._forget_old(moment)
        return moment.astimezone(UTC) - self._delay

    def has_answered_within(self, seconds: float) -> bool:
        """Whether a complete answer was received within that time."""
        return self.transport.has_answered_within(seconds)

    def daily_bars(self, sessions: Sequence[date], on_session: Callable[[], object]) -> Sequence[VendorSession]:
        """The sessions' bars as received, many symbols and sessions a request; see the port."""
        answers = [answer for run in cut_runs(sessions) for answer in self._fetch_run(run)]
        for _ in answers:
            on_session()
        return answers

    def corporate_actions(self, start: date, end: date) -> pl.DataFrame:
        """Everything that takes effect from start to end; the vendor is asked by day of processing, month by month."""
        months = _months(start - PROCESSED_BEFORE, end + ASKED_AHEAD)
        found = [self._actions.get(month, lambda first=month: self._fetch_month(first)) for month in months]
        return take_effect_between(pl.concat(found), start, end)

    def listings(self, tickers: Sequence[str] | None = None) -> pl.DataFrame:
        """Active and inactive assets of the exchanges, one request for all; those of some tickers are asked again."""
        if tickers is not None:
            assets = make_listings_frame(self._client.assets())
            return assets.filter(pl.col("ticker").is_in(list(tickers)))
        return self._listings.get(date.min, lambda: make_listings_frame(self._client.assets()))

    def ticker_changes(self, ticker: str) -> Sequence[TickerChange]:  # noqa: ARG002 - the port's signature
        """None: Alpaca tells of them in its corporate actions."""
        return ()

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def _forget_old(self, moment: datetime) -> None:
        """Ask again once the vendor's clock has gone on by an hour: a simulated vendor's does so within seconds."""
        if abs(moment - self._kept_since) >= timedelta(seconds=FRESH_SECONDS):
            self._kept_since = moment
            self._listings.clear()
            self._actions.clear()
            self._refused = {symbol: is_active for symbol, is_active in self._refused.items() if not is_active}

    def _fetch_run(self, run: list[date]) -> list[VendorSession]:
        """Consecutive sessions; the youngest are an outcome with the vendor's reason where the plan excludes them."""
        try:
            bars = self._fetch_bars(run)
        except RecentDataError as error:
            earlier = self._fetch_run(run[:-1]) if run[1:] else []
            return [*earlier, VendorSession(run[-1], None, error.detail)]
        days = [session.isoformat() for session in run]
        strays = bars.filter(~pl.col("date").is_in(days).fill_null(value=False))
        return [
            _make_session(session, bars.filter(pl.col("date") == session.isoformat()), strays if last else None)
            for session, last in ((session, session == run[-1]) for session in run)
        ]

    def _fetch_bars(self, run: list[date]) -> pl.DataFrame:
        active = dict(self.listings().select("ticker", "active").iter_rows())
        symbols = [symbol for symbol in active if symbol not in self._refused]
        start = datetime.combine(run[0], datetime.min.time(), UTC)
        end = session_close(run[-1])

        def fetch(chunk: list[str]) -> pl.DataFrame:
            return make_bars_frame(self._fetch_accepted(chunk, start, end, active))

        with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="vendor") as pool:
            try:
                return pl.concat([make_bars_frame({}), *pool.map(fetch, cut_symbols(symbols, len(run)))])
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _fetch_accepted(
        self, symbols: Sequence[str], start: datetime, end: datetime, active: Mapping[str, bool]
    ) -> dict[str, list[Row]]:
        """The bars of the symbols without those that the vendor refuses, which it names one a request."""
        while symbols:
            try:
                return self._client.daily_bars(symbols, start, end)
            except InvalidSymbolError as error:
                if error.symbol not in symbols:
                    raise
                logger.warning(
                    "symbol_refused_by_the_vendor", symbol=error.symbol, detail="no bars of it are collected"
                )
                self._refused[error.symbol] = active[error.symbol]
                symbols = [symbol for symbol in symbols if symbol != error.symbol]
        return {}

    def _fetch_month(self, first: date) -> pl.DataFrame:
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return make_actions_frame(self._client.corporate_actions(first, last))


class _Kept[Value]:
    """Answers that are used again for an hour; the oldest makes place for a new one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[date, tuple[float, Value]] = {}

    def get(self, key: date, fetch: Callable[[], Value]) -> Value:
        """The kept answer, fetched where there is none or it is older than an hour."""
        values = self._values
        fetched_at, kept = values.get(key, (-FRESH_SECONDS, None))
        if kept is not None and time.monotonic() - fetched_at < FRESH_SECONDS:
            return kept
        value = fetch()
        values.pop(key, None)
        values[key] = (time.monotonic(), value)
        while len(values) > self._most:
            del values[next(iter(values))]
        return value

    def clear(self) -> None:
        """Keep nothing, not even an answer that is being fetched."""
        self._values = {}


def _make_session(session: date, rows: pl.DataFrame, strays: pl.DataFrame | None) -> VendorSession:
    """A session's outcome; rows that are of no session of the run are quarantined with its last one."""
    if rows.is_empty():
        return VendorSession(
            session,
            None,
            f"{session} is a session of the calendar and Alpaca sent no bar for it: either its figures are not ready "
            f"or its history does not reach back so far (it begins in 2016). Ask again later or start later",
        )
    return VendorSession(session, rows if strays is None else pl.concat([rows, strays]))


def _months(start: date, end: date) -> list[date]:
    """The first day of each month from start to end."""
    first = start.replace(day=1)
    months: list[date] = []
    while first <= end:
        months.append(first)
        first = (first + timedelta(days=31)).replace(day=1)
    return months
