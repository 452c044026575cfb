"""massive, the vendor's client under its new name."""

import massive
from vendor_tests import VendorTests

from conftest import Exchange


class TestMassive(VendorTests):
    """What it must be able to do, and what only it has."""

    library = massive

    def test_newer_corporate_actions(self, exchange: Exchange) -> None:
        """Splits and dividends of the endpoints that replace the older ones."""
        client = massive.RESTClient(exchange.market_data_key, base=exchange.url)
        assert list(client.list_stocks_dividends(limit=100))
        assert list(client.list_stocks_splits(limit=100)) is not None
