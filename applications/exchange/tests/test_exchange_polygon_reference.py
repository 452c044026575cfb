"""Tickers, details, splits and dividends of the exchange's Polygon API."""

from datetime import date, timedelta

import polars as pl
import pytest

from applications.exchange.tests.exchange_kit import HTTP
from applications.exchange.tests.polygon_exchange import KEY, Exchange, split_ticker
from internal.dates import next_session, session_close

TICKER_KEYS = {
    "ticker",
    "name",
    "market",
    "locale",
    "primary_exchange",
    "type",
    "active",
    "currency_name",
    "cik",
    "composite_figi",
    "share_class_figi",
    "last_updated_utc",
}
DETAILS_KEYS = (TICKER_KEYS - {"last_updated_utc"}) | {
    "market_cap",
    "phone_number",
    "address",
    "description",
    "sic_code",
    "sic_description",
    "ticker_root",
    "homepage_url",
    "total_employees",
    "list_date",
    "branding",
    "share_class_shares_outstanding",
    "weighted_shares_outstanding",
}
DIVIDEND_KEYS = {
    "cash_amount",
    "currency",
    "declaration_date",
    "dividend_type",
    "ex_dividend_date",
    "frequency",
    "id",
    "pay_date",
    "record_date",
    "ticker",
}


class TestReference:
    """`/v3/reference`: tickers, details, splits, dividends."""

    def test_tickers(self, exchange: Exchange) -> None:
        """Active ones by default, ordered by ticker, with every key of the recorded rows; delisted ones on request."""
        day = exchange.clock.last_closed_session()
        active = exchange.body("/v3/reference/tickers", limit=1000)
        delisted = exchange.body("/v3/reference/tickers", limit=1000, active="false")["results"]
        expected = [listing.ticker for listing in exchange.market.listings(day) if listing.is_active(day)]

        assert active.keys() == {"results", "status", "request_id", "count"}
        assert [row["ticker"] for row in active["results"]] == expected
        assert all(row.keys() == TICKER_KEYS for row in active["results"])
        assert all(row.keys() == TICKER_KEYS | {"delisted_utc"} for row in delisted)
        assert delisted
        assert not any(row["active"] for row in delisted)

    def test_ticker_pages(self, exchange: Exchange) -> None:
        """The client walks through all pages."""
        whole = list(exchange.client().list_tickers(limit=1000))

        assert list(exchange.client().list_tickers(limit=23)) == whole
        assert list(exchange.client().list_tickers(limit=23, order="desc")) == whole[::-1]

    def test_ticker_filters(self, exchange: Exchange) -> None:
        """By ticker and its bounds, by exchange, by words in the name, and by an earlier day."""
        client = exchange.client()
        every = list(client.list_tickers(limit=1000))
        middle = every[20]

        assert [middle] == list(client.list_tickers(ticker=middle.ticker))
        assert every[20:] == list(client.list_tickers(ticker_gte=middle.ticker, limit=1000))
        assert every[:20] == list(client.list_tickers(ticker_lt=middle.ticker, limit=1000))
        assert every[3:5] == list(client.list_tickers(params={"ticker.any_of": f"{every[3].ticker},{every[4].ticker}"}))
        assert [row for row in every if row.primary_exchange == "XNAS"] == list(client.list_tickers(exchange="XNAS"))
        assert middle in list(client.list_tickers(search=str(middle.name).lower()))
        assert list(client.list_tickers(market="crypto")) == []
        earlier = {listing.ticker for listing in exchange.market.listings(date(2022, 6, 1))}
        assert {row.ticker for row in client.list_tickers(date="2022-06-01", limit=1000)} == earlier

    def test_details(self, exchange: Exchange) -> None:
        """Every key of the recorded details; market capital is shares times the last close."""
        listings = exchange.market.listings(date(2022, 6, 1))[:10]
        for listing in listings:
            results = exchange.body(f"/v3/reference/tickers/{listing.ticker}")["results"]
            last = exchange.market.history(listing.ticker, date(2022, 6, 1), date(2024, 12, 31))["close"][-1]

            assert results.keys() - {"delisted_utc"} == DETAILS_KEYS | {"round_lot"}
            assert results["sic_code"] == listing.sic_code
            assert results["sic_description"] == listing.sic_description
            assert results["market_cap"] == pytest.approx(results["share_class_shares_outstanding"] * last)

        details = exchange.client().get_ticker_details(listings[0].ticker)
        assert (details.ticker, details.list_date) == (listings[0].ticker, str(listings[0].listed_date))

    def test_outstanding(self, exchange: Exchange) -> None:
        """A split multiplies the shares outstanding on its day."""
        ticker, day, ratio = split_ticker(exchange)
        before, after = (
            exchange.client().get_ticker_details(ticker, date=str(on)).share_class_shares_outstanding
            for on in (day - timedelta(days=1), day)
        )

        assert after == pytest.approx(before * ratio, rel=1e-6)

    def test_replayed_details(self, replayed: Exchange) -> None:
        """What a file does not say is left out, not invented."""
        results = replayed.body("/v3/reference/tickers/AAA")["results"]

        assert not results.keys() & {"cik", "sic_code", "market_cap", "description", "total_employees"}
        assert results["list_date"] == "2005-03-28"

    def test_splits(self, exchange: Exchange) -> None:
        """Newest first, ten a page, whole numbers, with an id; 2 for 1 is from 1 to 2."""
        body = exchange.body("/v3/reference/splits")
        days = [row["execution_date"] for row in body["results"]]
        expected = exchange.market.splits(date(2022, 1, 1), date(2024, 12, 31))

        assert len(days) == min(10, expected.height)
        assert days == sorted(days, reverse=True)
        assert days[0] == str(expected.get_column("execution_date").max())
        for row in body["results"]:
            assert row.keys() == {"execution_date", "id", "split_from", "split_to", "ticker"}
            assert isinstance(row["split_from"], int)
            match = expected.filter(ticker=row["ticker"], execution_date=date.fromisoformat(row["execution_date"]))
            assert match.select("split_from", "split_to").row(0) == (row["split_from"], row["split_to"])

    def test_reverse_splits(self, exchange: Exchange) -> None:
        """`reverse_split` chooses one kind."""
        both = list(exchange.client().list_splits(limit=1000))
        reverse = list(exchange.client().list_splits(reverse_split=True, limit=1000))

        assert reverse == [split for split in both if split.split_from > split.split_to]

    def test_dividends(self, exchange: Exchange) -> None:
        """Newest first, with every key of the vendor's rows; the client's pages join to the market's own list."""
        body = exchange.body("/v3/reference/dividends")
        rows = list(exchange.client().list_dividends(limit=37))
        expected = exchange.market.dividends(date(2022, 1, 1), date(2024, 12, 31))

        assert len(body["results"]) == 10
        assert all(row.keys() == DIVIDEND_KEYS for row in body["results"])
        assert len({row.id for row in rows}) == len(rows) == expected.height > 100
        assert sum(row.cash_amount for row in rows) == pytest.approx(expected.get_column("cash_amount").sum())

    def test_dividend_filters(self, exchange: Exchange) -> None:
        """By range of days and of amounts, in ascending order, as datamanager asks."""
        start, end = date(2024, 3, 1), date(2024, 6, 28)
        rows = exchange.client().list_dividends(
            ex_dividend_date_gte=start, ex_dividend_date_lte=end, cash_amount_gt=0.2, order="asc", limit=1000
        )
        expected = exchange.market.dividends(start, end).filter(pl.col("cash_amount") > 0.2)

        assert [(row.ex_dividend_date, row.ticker) for row in rows] == [
            (str(day), ticker) for day, ticker in expected.select("ex_dividend_date", "ticker").rows()
        ]

    def test_stable_pages(self, exchange: Exchange) -> None:
        """Pages go through the list of the first page's day, though the clock moves on in between."""
        whole = exchange.body("/v3/reference/dividends", limit=20)["results"]
        first = exchange.body("/v3/reference/dividends", limit=10)
        exchange.clock.moment = session_close(next_session(date(2024, 12, 31), 60))
        second = HTTP.get(first["next_url"], headers={"Authorization": f"Bearer {KEY}"}).json()

        assert whole == first["results"] + second["results"]
