"""The typed surface of Polygon's clients: each endpoint that datamanager uses, through `VendorTransport`.

`massive` is the vendor's client of today. Splits and dividends are first asked at the endpoints that it added; where
the vendor answers 404 or 403, at the deprecated ones, with `polygon-api-client`. Bodies are requested raw where
possible: the clients themselves answer `[]` to a truncated body, a delayed one and a holiday alike. Vendor's pages:
https://massive.com/docs/rest/stocks.
"""

from collections.abc import Callable, Iterable
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from massive import RESTClient

from datamanager.adapters.polygon_answers import NotEntitledError, UnknownTickerError, VendorAnswer
from datamanager.adapters.polygon_transport import VendorTransport
from internal.telemetry import get_logger

if TYPE_CHECKING:
    from polygon import RESTClient as DeprecatedClient

PAGE_LIMIT = 1000
ACTIONS_PAGE_LIMIT = 5000
logger = get_logger(__name__)


class PolygonClient:
    """Polygon's endpoints.

    Args:
        key: The API key, sent as a bearer token in a header.
        base_url: `https://api.polygon.io`, or a server with the same API.
        transport: Sends every request.
    """

    def __init__(self, key: str, base_url: str, transport: VendorTransport) -> None:
        self._key, self._base_url, self._transport = key, base_url.rstrip("/"), transport
        self._client = RESTClient(api_key=key, base=self._base_url, retries=0)
        self._client.client = transport  # pyright: ignore[reportAttributeAccessIssue]  # has the pool's `request`
        self._has_new_actions = True

    @cached_property
    def _deprecated(self) -> "DeprecatedClient":
        """For the deprecated endpoints; few vendors need it, and loading it takes a tenth of a second."""
        from polygon import RESTClient as DeprecatedClient  # noqa: PLC0415 - see above

        client = DeprecatedClient(api_key=self._key, base=self._base_url, retries=0)
        client.client = self._transport  # pyright: ignore[reportAttributeAccessIssue]  # as above
        return client

    def market_status(self) -> dict[str, object]:
        """The body of the market status."""
        return _read_body(self._client.get_market_status(raw=True))

    def grouped_daily_bars(self, session: date) -> dict[str, object]:
        """The body of every ticker's unadjusted bar of one session."""
        answer = self._client.get_grouped_daily_aggs(session.isoformat(), adjusted=False, raw=True)
        return _read_body(answer)

    def ticker_events(self, ticker: str) -> dict[str, object]:
        """The body of one security's changes of ticker; `ticker` may be a FIGI."""
        return _read_body(self._client.get_ticker_events(ticker, types="ticker_change", raw=True))

    def splits(self, start: date, end: date) -> list[object]:
        """Splits and stock dividends by execution date, oldest first, every page."""
        return self._list_actions(
            lambda: self._client.list_stocks_splits(
                execution_date_gte=start.isoformat(),
                execution_date_lte=end.isoformat(),
                sort="execution_date.asc",
                limit=ACTIONS_PAGE_LIMIT,
            ),
            lambda: self._deprecated.list_splits(
                execution_date_gte=start.isoformat(),
                execution_date_lte=end.isoformat(),
                sort="execution_date",
                order="asc",
                limit=PAGE_LIMIT,
            ),
        )

    def dividends(self, start: date, end: date) -> list[object]:
        """Cash dividends by ex-date, oldest first, every page."""
        return self._list_actions(
            lambda: self._client.list_stocks_dividends(
                ex_dividend_date_gte=start.isoformat(),
                ex_dividend_date_lte=end.isoformat(),
                sort="ex_dividend_date.asc",
                limit=ACTIONS_PAGE_LIMIT,
            ),
            lambda: self._deprecated.list_dividends(
                ex_dividend_date_gte=start.isoformat(),
                ex_dividend_date_lte=end.isoformat(),
                sort="ex_dividend_date",
                order="asc",
                limit=PAGE_LIMIT,
            ),
        )

    def tickers(self, *, active: bool, ticker: str | None = None) -> Iterable[object]:
        """Listed or delisted stocks, all or those that had one ticker, every page."""
        return self._client.list_tickers(ticker=ticker, market="stocks", active=active, limit=PAGE_LIMIT)

    def _list_actions(
        self, new: Callable[[], Iterable[object]], deprecated: Callable[[], Iterable[object]]
    ) -> list[object]:
        """Every page of the new endpoint, or of the deprecated one once the vendor refused the new one."""
        if self._has_new_actions:
            try:
                return list(new())
            except (UnknownTickerError, NotEntitledError) as refusal:
                logger.warning("vendor_lacks_stocks_v1_actions", answer=refusal.detail)
                self._has_new_actions = False
        return list(deprecated())


def _read_body(answer: object) -> dict[str, object]:
    """The body of a raw answer, which the client returns as the transport made it."""
    if not isinstance(answer, VendorAnswer):
        raise TypeError(f"the vendor's client returned {type(answer).__name__} instead of the raw answer")
    return answer.body
