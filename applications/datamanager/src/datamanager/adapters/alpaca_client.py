# pyright: reportUnknownMemberType=false
# alpaca-py annotates answers and requests as bare dicts
"""The typed surface of alpaca-py: each endpoint that datamanager uses, through `AlpacaTransport`.

Answers are requested raw, so that a row can be stored as received. Vendor's pages: https://docs.alpaca.markets/reference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast, override

from alpaca.common.rest import RESTClient
from alpaca.data.enums import Adjustment, DataFeed
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.requests import CorporateActionsRequest, StockBarsRequest
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetClass
from alpaca.trading.requests import GetAssetsRequest
from requests.adapters import HTTPAdapter

from datamanager.adapters.alpaca_transport import AlpacaTransport
from internal.errors import UpstreamError

OWN_NAMES = "-"  # `asof`: each symbol's own bars, no mapping of renamed ones
type Row = Mapping[str, object]


@dataclass(frozen=True)
class AlpacaAccess:
    """Keys and addresses."""

    key_id: str
    secret: str
    data_url: str
    trading_url: str


class _Transported(RESTClient):
    """A client of alpaca-py that sends through the transport instead of its own session handling."""

    transport: AlpacaTransport

    @override
    def _one_request(self, method: str, url: str, opts: dict[str, Any], retry: int) -> Any:
        del retry  # alpaca-py's own count of attempts: the transport decides what is asked again
        return self.transport.request(self._session, method, url, opts)

    def use(self, transport: AlpacaTransport, connections: int) -> None:
        """Send through this transport, over so many connections."""
        self.transport = transport
        self._session.trust_env = False  # a netrc of the environment must not replace the keys
        adapter = HTTPAdapter(pool_maxsize=connections)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def close(self) -> None:
        """Close every connection."""
        self._session.close()


class _Bars(_Transported, StockHistoricalDataClient):
    """Bars."""


class _Actions(_Transported, CorporateActionsClient):
    """Corporate actions."""


class _Trading(_Transported, TradingClient):
    """Assets and the clock."""


class AlpacaClient:
    """Alpaca's endpoints.

    Args:
        access: Keys and addresses.
        transport: Sends every request.
        connections: The number of concurrent requests.
    """

    def __init__(self, access: AlpacaAccess, transport: AlpacaTransport, connections: int) -> None:
        keys = (access.key_id, access.secret)
        self._bars = _Bars(*keys, raw_data=True, url_override=access.data_url)
        self._actions = _Actions(*keys, raw_data=True, url_override=access.data_url)
        self._trading = _Trading(*keys, raw_data=True, url_override=access.trading_url)
        for client in (self._bars, self._actions, self._trading):
            client.use(transport, connections)

    def clock(self) -> Row:
        """The trading API's clock."""
        return _read_object("the clock", self._trading.get_clock())

    def assets(self) -> list[Row]:
        """Every US equity, inactive ones included."""
        answer = self._trading.get_all_assets(GetAssetsRequest(asset_class=AssetClass.US_EQUITY))
        return _read_rows("the assets", answer)

    def daily_bars(self, symbols: Sequence[str], start: datetime, end: datetime) -> dict[str, list[Row]]:
        """Unadjusted consolidated daily bars by symbol, every page."""
        request = StockBarsRequest(
            symbol_or_symbols=list(symbols),
            timeframe=cast("TimeFrame", TimeFrame.Day),
            start=start,
            end=end,
            adjustment=Adjustment.RAW,
            feed=DataFeed.SIP,
            asof=OWN_NAMES,
        )
        return _read_lists("the bars", lambda: self._bars.get_stock_bars(request))

    def corporate_actions(self, start: date, end: date) -> dict[str, list[Row]]:
        """Corporate actions by type that are processed from start to end, every page."""
        request = CorporateActionsRequest(start=start, end=end, limit=None)
        return _read_lists("the corporate actions", lambda: self._actions.get_corporate_actions(request))

    def close(self) -> None:
        """Close every connection."""
        for client in (self._bars, self._actions, self._trading):
            client.close()


def _read_lists(what: str, call: Any) -> dict[str, list[Row]]:  # noqa: ANN401 - alpaca-py's own annotation
    try:
        answer = call()
    except (ValueError, KeyError, TypeError, AttributeError) as failure:
        raise UpstreamError(f"the vendor's answer with {what} is not in its format: {failure}") from failure
    return {name: _read_rows(what, rows) for name, rows in _read_object(what, answer).items()}


def _read_object(what: str, answer: object) -> Row:
    if not isinstance(answer, dict):
        raise UpstreamError(f"the vendor's answer with {what} is a JSON {type(answer).__name__} instead of an object")
    return cast("Row", answer)


def _read_rows(what: str, answer: object) -> list[Row]:
    rows = cast("list[object]", answer) if isinstance(answer, list) else None
    if rows is None or not all(isinstance(row, dict) for row in rows):
        raise UpstreamError(f"the vendor's answer with {what} is no list of objects")
    return cast("list[Row]", rows)
