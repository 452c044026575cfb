"""The typed surface of polygon-api-client: each endpoint that datamanager uses, through `VendorTransport`.

Bodies are requested raw where possible: the client itself answers `[]` to a truncated body, a delayed one and a holiday
alike. Vendor's pages: https://polygon.io/docs/rest/stocks.
"""

from collections.abc import Iterable
from datetime import date

from polygon import RESTClient

from datamanager.adapters.polygon_answers import VendorAnswer
from datamanager.adapters.polygon_transport import VendorTransport

PAGE_LIMIT = 1000


class PolygonClient:
    """Polygon's endpoints.

    Args:
        key: The API key, sent as a bearer token in a header.
        base_url: `https://api.polygon.io`, or a server with the same API.
        transport: Sends every request.
    """

    def __init__(self, key: str, base_url: str, transport: VendorTransport) -> None:
        self._client = RESTClient(api_key=key, base=base_url.rstrip("/"), retries=0)
        self._client.client = transport  # pyright: ignore[reportAttributeAccessIssue]  # has the pool's `request`

    def market_status(self) -> dict[str, object]:
        """The body of the market status."""
        return _read_body(self._client.get_market_status(raw=True))

    def grouped_daily_bars(self, session: date) -> dict[str, object]:
        """The body of every ticker's unadjusted bar of one session."""
        answer = self._client.get_grouped_daily_aggs(session.isoformat(), adjusted=False, raw=True)
        return _read_body(answer)

    def ticker_details(self, ticker: str) -> dict[str, object]:
        """The body of one company's details."""
        return _read_body(self._client.get_ticker_details(ticker, raw=True))

    def splits(self, start: date, end: date) -> Iterable[object]:
        """Splits by execution date, oldest first, every page."""
        return self._client.list_splits(
            execution_date_gte=start.isoformat(),
            execution_date_lte=end.isoformat(),
            sort="execution_date",
            order="asc",
            limit=PAGE_LIMIT,
        )

    def dividends(self, start: date, end: date) -> Iterable[object]:
        """Cash dividends by ex-date, oldest first, every page."""
        return self._client.list_dividends(
            ex_dividend_date_gte=start.isoformat(),
            ex_dividend_date_lte=end.isoformat(),
            sort="ex_dividend_date",
            order="asc",
            limit=PAGE_LIMIT,
        )

    def tickers(self, *, active: bool) -> Iterable[object]:
        """Listed or delisted stocks, every page."""
        return self._client.list_tickers(market="stocks", active=active, limit=PAGE_LIMIT)


def _read_body(answer: object) -> dict[str, object]:
    """The body of a raw answer, which the client returns as the transport made it."""
    if not isinstance(answer, VendorAnswer):
        raise TypeError(f"polygon-api-client returned {type(answer).__name__} instead of the raw answer")
    return answer.body
