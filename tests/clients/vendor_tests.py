"""What both of Polygon's clients must be able to do, under its old name and its new one."""

from typing import Any

import pytest

from conftest import Exchange

RANGE = ("2024-06-03", "2024-06-14")


class VendorTests:
    """The tests; a client's file says which library it is."""

    library: Any

    @pytest.fixture
    def client(self, exchange: Exchange) -> Any:  # noqa: ANN401 - either library's client
        """The client with nothing changed but its address."""
        return self.library.RESTClient(exchange.market_data_key, base=exchange.url)

    def test_daily_bars(self, client: Any, symbol: str) -> None:  # noqa: ANN401 - as above
        """A range, a whole session, and the day before."""
        assert len(client.get_aggs(symbol, 1, "day", *RANGE)) == 10
        assert len(client.get_grouped_daily_aggs(RANGE[0])) > 1
        assert client.get_previous_close_agg(symbol)

    def test_reference(self, client: Any, symbol: str) -> None:  # noqa: ANN401 - as above
        """Tickers, details and types."""
        assert symbol in {one.ticker for one in client.list_tickers(market="stocks", limit=1000)}
        assert client.get_ticker_details(symbol).list_date
        assert client.get_ticker_types()

    def test_corporate_actions(self, client: Any) -> None:  # noqa: ANN401 - as above
        """Splits and dividends."""
        assert list(client.list_dividends(ex_dividend_date_gte="2024-01-01", limit=100))
        assert list(client.list_splits(limit=100)) is not None

    def test_open_close(self, client: Any, symbol: str) -> None:  # noqa: ANN401 - as above
        """One day's prices."""
        assert client.get_daily_open_close_agg(symbol, RANGE[0]).symbol == symbol

    def test_snapshots(self, client: Any, symbol: str) -> None:  # noqa: ANN401 - as above
        """One ticker, all, and those that moved most."""
        assert client.get_snapshot_ticker("stocks", symbol).day.close > 0
        assert len(client.get_snapshot_all("stocks")) > 1
        assert client.get_snapshot_direction("stocks", "gainers") is not None

    def test_market_status(self, client: Any) -> None:  # noqa: ANN401 - as above
        """Now, and the holidays to come."""
        assert client.get_market_status().market == "closed" or client.get_market_status().server_time
        assert client.get_market_holidays()
