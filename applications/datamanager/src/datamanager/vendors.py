"""Makes the market data vendor that the settings choose, and the comparison with a second one.

A vendor's client is imported where that vendor is chosen: Alpaca's imports pandas, a third of the service's start.
"""

from pydantic import SecretStr

from datamanager.adapters.files import FilesOnly
from datamanager.configuration import Configuration, MarketDataVendor
from datamanager.cross_check import CrossCheck
from datamanager.ports import MarketData
from internal.lake.store import Lake

SESSIONS_COMPARED: dict[MarketDataVendor, int | None] = {
    MarketDataVendor.POLYGON: 5,  # one request a session, and a free plan has five requests a minute
    MarketDataVendor.ALPACA: None,  # many sessions a request
}


def make_market_data(vendor: MarketDataVendor, settings: Configuration) -> MarketData:
    """The vendor, with its keys, addresses and limits; nothing is asked yet."""
    match vendor:
        case MarketDataVendor.POLYGON:
            return _make_polygon(settings)
        case MarketDataVendor.ALPACA:
            return _make_alpaca(settings)
        case MarketDataVendor.FILES:
            return FilesOnly()


def _make_polygon(settings: Configuration) -> MarketData:
    from datamanager.adapters.polygon import Polygon  # noqa: PLC0415 - see above

    return Polygon(_read(settings.polygon_api_key), settings.polygon_base_url, settings.polygon_requests_per_minute)


def _make_alpaca(settings: Configuration) -> MarketData:
    from datamanager.adapters.alpaca import AlpacaMarketData  # noqa: PLC0415 - see above
    from datamanager.adapters.alpaca_client import AlpacaAccess  # noqa: PLC0415 - see above

    access = AlpacaAccess(
        _read(settings.alpaca_api_key_id),
        _read(settings.alpaca_api_secret),
        settings.alpaca_data_url,
        settings.alpaca_base_url,
    )
    return AlpacaMarketData(access, settings.alpaca_data_requests_per_minute, settings.alpaca_data_delay_minutes)


def make_cross_check(lake: Lake, vendor: MarketData, settings: Configuration) -> CrossCheck:
    """The comparison with the second vendor; it compares nothing where the settings choose none."""
    second = settings.second_market_data_vendor
    if second is None:
        return CrossCheck(lake, vendor.source, None, 0)
    return CrossCheck(lake, vendor.source, make_market_data(second, settings), SESSIONS_COMPARED[second])


def _read(key: SecretStr | None) -> str:
    return "" if key is None else key.get_secret_value()
