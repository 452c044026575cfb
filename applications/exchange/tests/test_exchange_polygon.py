"""Polygon's API of the exchange, asked by the unmodified polygon-api-client and by plain HTTP on loopback.

The expected keys are those of the vendor's recorded answers (polygon-api-client's own recordings and the vendor's
pages); the expected moments are worked out by hand or taken from recordings.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import polars as pl
import pytest
from fastapi import FastAPI
from polygon.exceptions import BadResponse
from pydantic import ValidationError

from applications.exchange.tests.exchange_in_process import configure
from applications.exchange.tests.exchange_in_process import serve as serve_application
from applications.exchange.tests.exchange_kit import HTTP
from applications.exchange.tests.vendor_client import NewerClient, VendorClient, connect, connect_newer
from exchange.routes import polygon, polygon_actions, reference
from exchange.statements import Statement, StatementKind
from internal.action_kinds import ActionKind
from internal.bar_files.replay import load_replay
from internal.dates import last_closed_session, next_session, session_close, session_open, sessions
from internal.venue.market.protocol import MarketData
from internal.venue.market.simulated import SimulatedMarket

KEY = "a-key-that-must-not-come-back"
GROUPED = "/v2/aggs/grouped/locale/us/market/stocks"
BAR_KEYS = {"v", "vw", "o", "c", "h", "l", "t", "n"}
ENVELOPE_KEYS = {"queryCount", "resultsCount", "adjusted", "results", "status", "request_id", "count"}
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


@dataclass
class Clock:
    """A clock that a test sets."""

    moment: datetime

    def now(self) -> datetime:
        """The moment, UTC."""
        return self.moment

    def last_closed_session(self) -> date:
        """The latest session whose close has passed."""
        return last_closed_session(self.moment)


@dataclass
class Statements:
    """How the vendor states corporate actions; a test fills the list."""

    stated: list[Statement] = field(default_factory=list[Statement])

    def list_statements(self) -> list[Statement]:
        """What the test put there."""
        return self.stated


@dataclass
class Exchange:
    """The routes, served on a free port of loopback, with a market and a clock."""

    market: MarketData
    clock: Clock
    statements: "Statements"
    url: str

    def client(self) -> VendorClient:
        """The vendor's own client, its base URL set and nothing else changed."""
        return connect(self.url, KEY)

    def get(self, path: str, **parameters: str | int) -> httpx.Response:
        """One answer, whatever its status."""
        return HTTP.get(self.url + path, params=parameters or None, headers={"Authorization": f"Bearer {KEY}"})

    def body(self, path: str, **parameters: str | int) -> dict[str, Any]:
        """The body of an answer that is 200."""
        response = self.get(path, **parameters)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body


def serve(market: MarketData, **settings: str) -> Iterator[Exchange]:
    """Serve the two routers as the exchange's server does, until the generator is closed."""
    clock = Clock(session_close(market.opening_session()))
    application = FastAPI()
    statements = Statements()
    application.state.exchange = SimpleNamespace(market=market, clock=clock, faults=statements)
    application.state.configuration = configure(Path(), exchange_market_data_key="", **settings)
    application.include_router(polygon.router)
    application.include_router(reference.router)
    application.include_router(polygon_actions.router)
    with serve_application(application) as port:
        yield Exchange(market, clock, statements, f"http://127.0.0.1:{port}")


@pytest.fixture(scope="module")
def served() -> Iterator[Exchange]:
    """A simulated market behind the routes; tests take it through `exchange`, which sets the clock back."""
    yield from serve(SimulatedMarket(ticker_count=240))


@pytest.fixture
def exchange(served: Exchange) -> Exchange:
    """The exchange at the close of its opening session."""
    served.clock.moment = session_close(served.market.opening_session())
    served.statements.stated.clear()
    return served


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """Two tickers without average price and transactions, over the start of daylight saving in 2005."""
    days = sessions(date(2005, 3, 28), date(2005, 4, 29))
    rows = [(ticker, day, 10.0, 12.0, 9.0, 11.0, 500.5) for day in days for ticker in ("AAA", "BBB")]
    schema = ["ticker", "date", "open", "high", "low", "close", "volume"]
    path = tmp_path_factory.mktemp("polygon") / "bars.parquet"
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(path)
    yield from serve(load_replay(path).market)


def split_ticker(exchange: Exchange) -> tuple[str, date, float]:
    """A ticker that split in the past, the day, and new shares per old one."""
    splits = exchange.market.splits(date(2023, 1, 1), exchange.clock.last_closed_session())
    row = splits.join(splits.group_by("ticker").len().filter(len=1), on="ticker", how="semi").row(0, named=True)
    return row["ticker"], row["execution_date"], row["split_to"] / row["split_from"]


class TestGrouped:
    """`/v2/aggs/grouped`: one session, every ticker."""

    def test_rows(self, exchange: Exchange) -> None:
        """The client gets the market's own bars, unadjusted when it asks for them."""
        day = date(2024, 12, 31)
        rows = exchange.client().get_grouped_daily_aggs(day, adjusted=False)
        expected = exchange.market.bars(day)
        fields = {
            "ticker": "ticker",
            "open": "open",
            "high": "high",
            "low": "low",
            "close": "close",
            "volume": "volume",
        }
        fields |= {"vwap": "volume_weighted_average_price", "transactions": "transactions"}

        assert len(rows) == expected.height > 200
        for ours, theirs in fields.items():
            assert expected.get_column(theirs).to_list() == [getattr(row, ours) for row in rows]

    def test_keys(self, exchange: Exchange) -> None:
        """Every key of the recorded body, and `t` at 16:00 New York."""
        body = exchange.body(f"{GROUPED}/2024-12-31")
        moment = datetime(2024, 12, 31, 21, tzinfo=UTC)

        assert body.keys() == ENVELOPE_KEYS
        assert all(row.keys() == BAR_KEYS | {"T"} for row in body["results"])
        assert body["resultsCount"] == body["queryCount"] == body["count"] == len(body["results"])
        assert body["status"] == "OK"
        assert len(body["request_id"]) == 32
        assert {row["t"] for row in body["results"]} == {int(moment.timestamp() * 1000)}

    def test_early_close(self, exchange: Exchange) -> None:
        """`t` is 16:00 New York on an early close too, and in summer an hour earlier in UTC."""
        early, summer = (exchange.body(f"{GROUPED}/{day}")["results"][0]["t"] for day in ("2024-11-29", "2024-07-01"))

        assert datetime.fromtimestamp(early / 1000, UTC) == datetime(2024, 11, 29, 21, tzinfo=UTC)
        assert datetime.fromtimestamp(summer / 1000, UTC) == datetime(2024, 7, 1, 20, tzinfo=UTC)

    @pytest.mark.parametrize("day", ["2024-12-25", "2024-12-28", "2001-01-02"])
    def test_no_session(self, exchange: Exchange, day: str) -> None:
        """A holiday, a weekend and a day before the history: 200, nothing counted, no `results`."""
        body = exchange.body(f"{GROUPED}/{day}")

        assert body["resultsCount"] == body["queryCount"] == 0
        assert "results" not in body
        assert exchange.client().get_grouped_daily_aggs(day) == []

    def test_unknown_figures(self, replayed: Exchange) -> None:
        """`vw` and `n` are missing where the file does not have them; volume may be fractional."""
        rows = replayed.body(f"{GROUPED}/2005-04-01")["results"]

        assert [row["T"] for row in rows] == ["AAA", "BBB"]
        assert all(row.keys() == BAR_KEYS - {"vw", "n"} | {"T"} for row in rows)
        assert rows[0]["v"] == 500.5


class TestFuture:
    """Nothing later than the clock is ever served."""

    def test_today(self, exchange: Exchange) -> None:
        """Today's bars come with the close, not a millisecond before."""
        day = date(2024, 12, 31)
        exchange.clock.moment = session_close(day) - timedelta(milliseconds=1)
        before = exchange.get(f"{GROUPED}/{day}")
        exchange.clock.moment = session_close(day)
        after = exchange.get(f"{GROUPED}/{day}")

        assert (before.status_code, before.json()["status"]) == (403, "NOT_AUTHORIZED")
        assert before.json().keys() == {"status", "request_id", "message"}
        assert (after.status_code, after.json()["status"]) == (200, "OK")

    @pytest.mark.parametrize("day", ["2025-01-01", "2025-01-02", "2026-06-01", "2099-01-01"])
    def test_later(self, exchange: Exchange, day: str) -> None:
        """A later day is refused, session or not."""
        assert exchange.get(f"{GROUPED}/{day}").status_code == 403

    def test_saturday(self, exchange: Exchange) -> None:
        """On a Saturday, that Saturday has no bars; it is no future."""
        exchange.clock.moment = datetime(2025, 1, 4, 15, tzinfo=UTC)

        assert exchange.body(f"{GROUPED}/2025-01-04")["resultsCount"] == 0

    def test_range(self, exchange: Exchange) -> None:
        """A range into the future ends at the last closed session; `prev` is that session."""
        ticker = exchange.market.listings(date(2022, 6, 1))[0].ticker
        exchange.clock.moment = session_open(date(2024, 12, 31))
        bars = exchange.body(f"/v2/aggs/ticker/{ticker}/range/1/day/2024-12-01/2026-12-31")["results"]
        previous = exchange.client().get_previous_close_agg(ticker)[0]

        assert bars[-1]["t"] == int(datetime(2024, 12, 30, 5, tzinfo=UTC).timestamp() * 1000)
        assert previous.timestamp == int(datetime(2024, 12, 30, 21, tzinfo=UTC).timestamp() * 1000)
        assert previous.close == bars[-1]["c"]

    def test_reference(self, exchange: Exchange) -> None:
        """Listings, delistings, splits and dividends appear on their day: at every clock, none is of a later one."""
        for day in (date(2023, 1, 3), date(2024, 12, 31), date(2026, 3, 2)):
            exchange.clock.moment = session_open(day)
            client = exchange.client()
            listed = {listing.ticker for listing in exchange.market.listings(day)}
            tickers = [*client.list_tickers(limit=1000), *client.list_tickers(active=False, limit=1000)]

            assert {ticker.ticker for ticker in tickers} == listed
            assert all(ticker.delisted_utc[:10] <= str(day) for ticker in tickers if ticker.delisted_utc)
            assert max(split.execution_date for split in client.list_splits(limit=1000)) <= str(day)
            assert max(dividend.ex_dividend_date for dividend in client.list_dividends(limit=1000)) <= str(day)

    def test_unlisted(self, exchange: Exchange) -> None:
        """A company that lists later is not found, and found from its first day."""
        coming = next(
            listing
            for listing in exchange.market.listings(exchange.market.sessions()[-1])
            if listing.listed_date > date(2024, 12, 31)
        )
        before = exchange.get(f"/v3/reference/tickers/{coming.ticker}")
        exchange.clock.moment = session_open(coming.listed_date)
        after = exchange.get(f"/v3/reference/tickers/{coming.ticker}")

        assert (before.status_code, before.json()["status"]) == (404, "NOT_FOUND")
        assert after.json()["results"]["list_date"] == str(coming.listed_date)

    def test_split_adjustment(self, exchange: Exchange) -> None:
        """A split adjusts earlier bars from the morning of its execution, and not the evening before."""
        ticker, day, ratio = split_ticker(exchange)
        path = f"/v2/aggs/ticker/{ticker}/range/1/day/{day - timedelta(days=10)}/{day - timedelta(days=1)}"
        exchange.clock.moment = session_open(day) - timedelta(hours=14)
        evening = exchange.body(path)["results"]
        exchange.clock.moment = session_open(day)
        morning = exchange.body(path)["results"]
        as_traded = exchange.body(path, adjusted="false")

        assert as_traded["adjusted"] is False
        assert as_traded["results"] == evening
        assert [row["c"] / ratio for row in evening] == pytest.approx([row["c"] for row in morning], rel=1e-6)
        assert [row["v"] * ratio for row in evening] == pytest.approx([row["v"] for row in morning], rel=1e-9)

    def test_forged_cursor(self, exchange: Exchange) -> None:
        """A cursor cannot carry a later day than the clock's."""
        exchange.clock.moment = session_close(date(2026, 6, 1))
        late = exchange.body("/v3/reference/splits", limit=1)["next_url"]
        exchange.clock.moment = session_close(date(2024, 12, 31))
        page = HTTP.get(late, headers={"Authorization": f"Bearer {KEY}"}).json()

        assert page["results"][0]["execution_date"] <= "2024-12-31"


class TestRange:
    """`/v2/aggs/ticker/.../range`: one ticker's windows."""

    def test_midnight(self, replayed: Exchange) -> None:
        """`t` is 00:00 New York, daylight saving counted: 2005-04-01 is 1112331600000, the Monday after in EDT."""
        bars = replayed.client().get_aggs("AAA", 1, "day", "2005-04-01", "2005-04-04")

        assert [bar.timestamp for bar in bars] == [1112331600000, 1112331600000 + 71 * 3_600_000]

    def test_keys(self, exchange: Exchange) -> None:
        """Every key of the recorded body, and the ticker."""
        ticker = exchange.market.listings(date(2022, 6, 1))[0].ticker
        for path in (f"/v2/aggs/ticker/{ticker}/range/1/day/2024-12-02/2024-12-06", f"/v2/aggs/ticker/{ticker}/prev"):
            body = exchange.body(path)
            assert body.keys() == ENVELOPE_KEYS | {"ticker"}
            assert body["ticker"] == ticker
            assert all(row.keys() - {"T"} == BAR_KEYS for row in body["results"])

    @pytest.mark.parametrize("sort", ["asc", "desc"])
    @pytest.mark.parametrize("limit", [1, 7, 100])
    def test_pages(self, exchange: Exchange, sort: str, limit: int) -> None:
        """Pages of any size join to the whole, in either order."""
        ticker = exchange.market.listings(date(2022, 6, 1))[0].ticker
        asked = (ticker, 1, "day", "2024-11-01", "2024-12-31")
        whole = exchange.client().get_aggs(*asked, sort=sort)

        assert list(exchange.client().list_aggs(*asked, sort=sort, limit=limit)) == whole
        assert len(whole) == len(sessions(date(2024, 11, 1), date(2024, 12, 31)))

    def test_next_url(self, exchange: Exchange) -> None:
        """`next_url` is absolute, has a cursor and no key, whichever way the key came."""
        ticker = exchange.market.listings(date(2022, 6, 1))[0].ticker
        for path in (f"/v2/aggs/ticker/{ticker}/range/1/day/2024-11-01/2024-12-31", "/v3/reference/tickers"):
            response = HTTP.get(exchange.url + path, params={"limit": 2, "apiKey": KEY})

            assert response.json()["next_url"].startswith(exchange.url + "/v")
            assert "cursor=" in response.json()["next_url"]
            assert KEY not in response.text

    def test_milliseconds(self, exchange: Exchange) -> None:
        """Bounds may be moments: the client sends them as milliseconds."""
        ticker = exchange.market.listings(date(2022, 6, 1))[0].ticker
        days = exchange.client().get_aggs(ticker, 1, "day", "2024-12-02", "2024-12-06")
        moments = exchange.client().get_aggs(
            ticker, 1, "day", datetime(2024, 12, 2, 5, tzinfo=UTC), datetime(2024, 12, 7, 4, tzinfo=UTC)
        )

        assert days == moments
        assert len(days) == 5

    @pytest.mark.parametrize(
        ("timespan", "first", "count"),
        [("week", "2024-09-29", 5), ("month", "2024-10-01", 1), ("year", "2024-01-01", 1)],
    )
    def test_windows(self, exchange: Exchange, timespan: str, first: str, count: int) -> None:
        """Windows gather daily bars: first open, highest high, last close, all volume; a week starts on Sunday."""
        ticker = exchange.market.listings(date(2022, 6, 1))[0].ticker
        span = ("2024-10-01", "2024-10-31")
        days = exchange.client().get_aggs(ticker, 1, "day", *span)
        windows = exchange.client().get_aggs(ticker, 1, timespan, *span)
        midnight = datetime.fromisoformat(first).replace(hour=5 if timespan == "year" else 4, tzinfo=UTC)

        assert len(windows) == count
        assert windows[0].timestamp == int(midnight.timestamp() * 1000)
        assert (windows[0].open, windows[-1].close) == (days[0].open, days[-1].close)
        assert max(window.high for window in windows) == max(day.high for day in days)
        assert min(window.low for window in windows) == min(day.low for day in days)
        assert sum(window.volume for window in windows) == sum(day.volume for day in days)
        assert sum(window.transactions for window in windows) == sum(day.transactions for day in days)

    def test_unknown_ticker(self, exchange: Exchange) -> None:
        """An unknown ticker is 200 with nothing counted."""
        for path in ("/v2/aggs/ticker/NOSUCH/range/1/day/2024-12-02/2024-12-06", "/v2/aggs/ticker/NOSUCH/prev"):
            body = exchange.body(path)
            assert (body["resultsCount"], body["status"], body["ticker"]) == (0, "OK", "NOSUCH")
            assert "results" not in body

    def test_weekend(self, exchange: Exchange) -> None:
        """A weekend is 200 with nothing counted."""
        ticker = exchange.market.listings(date(2022, 6, 1))[0].ticker
        body = exchange.body(f"/v2/aggs/ticker/{ticker}/range/1/day/2024-12-07/2024-12-08")

        assert body["resultsCount"] == 0


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


@pytest.fixture(scope="module")
def eventful() -> Iterator[Exchange]:
    """A market of 60 securities with every kind of corporate action, at the end of its first year."""
    market = SimulatedMarket(
        ticker_count=60,
        events="realistic",
        first_day=date(2024, 1, 2),
        opening_day=date(2024, 12, 31),
        last_day=date(2025, 1, 31),
    )
    yield from serve(market, exchange_bars_status="DELAYED")


class TestCorporateActions:
    """`/stocks/v1/splits` and `/dividends`, ticker events, and a vendor that states actions wrongly."""

    def client(self, exchange: Exchange) -> NewerClient:
        """The vendor's newer client, unmodified."""
        exchange.statements.stated.clear()
        return connect_newer(exchange.url, KEY)

    def test_splits(self, eventful: Exchange) -> None:
        """Pages of three join to the market's list, stock dividends included; a factor is the product of later ones."""
        found = self.client(eventful).list_stocks_splits(
            execution_date_gte="2024-01-01", sort="execution_date.asc", limit=3
        )
        pages = list(found)
        known = eventful.market.corporate_actions(date(2024, 1, 1), date(2024, 12, 31))
        kinds = {ActionKind.FORWARD_SPLIT, ActionKind.REVERSE_SPLIT, ActionKind.STOCK_DIVIDEND}
        expected = {
            (one.ticker, str(one.effective_date), one.kind.value, *(float(shares) for shares in one.own_terms))
            for one in known
            if one.kind in kinds
        }
        rows = [(row.ticker, row.execution_date, row.adjustment_type, row.split_from, row.split_to) for row in pages]
        assert expected == set(rows)
        assert len(rows) == len(expected)
        assert [row.execution_date for row in pages] == sorted(row.execution_date for row in pages)
        for row in pages:
            later = [one for one in pages if one.ticker == row.ticker and one.execution_date >= row.execution_date]
            factor = math.prod(one.split_from / one.split_to for one in later)
            assert row.historical_adjustment_factor == pytest.approx(factor)

    def test_dividends(self, eventful: Exchange) -> None:
        """Special ones are marked in the old list and the new one; both have the same rows."""
        client = self.client(eventful)
        new = {row.id: row for row in client.list_stocks_dividends(limit=5000, sort="ex_dividend_date.asc")}
        old = {row.id: row for row in client.list_dividends(limit=100)}
        special = [row for row in new.values() if row.distribution_type == "special"]
        assert new.keys() == old.keys()
        assert special
        assert all(row.frequency == 0 for row in special)
        assert {row.id for row in special} == {row.id for row in old.values() if row.dividend_type == "SC"}
        assert special == list(client.list_stocks_dividends(distribution_type="special", sort="ex_dividend_date.asc"))

    def test_ticker_events(self, eventful: Exchange) -> None:
        """Every ticker of a renamed security, by its present ticker and by its FIGI; the old one is unknown."""
        client, today = self.client(eventful), date(2024, 12, 31)
        renamed = next(one for one in eventful.market.listings(today) if len(one.tickers) == 2)
        for name in (renamed.ticker, renamed.composite_figi or ""):
            found = client.get_ticker_events(name)
            tickers = [event["ticker_change"]["ticker"] for event in found.events]
            assert [period.ticker for period in reversed(renamed.tickers)] == tickers
        assert eventful.get("/vX/reference/tickers/NOSUCH/events").status_code == 404
        types = {row.type for row in client.list_tickers(limit=1000)}
        assert {"CS", "ETF", "PFD", "WARRANT"} <= types

    def test_statements(self, eventful: Exchange) -> None:
        """An action is stated late, corrected, stated twice in other numbers, and withdrawn, each from a day on."""
        client = self.client(eventful)
        row = next(iter(client.list_stocks_dividends(limit=1)))

        def stated(kind: StatementKind, day: str, **terms: float) -> list[float]:
            statement = Statement(kind=kind, action_id=row.id, day=date.fromisoformat(day), **terms)
            eventful.statements.stated[:] = [statement]
            found = client.list_stocks_dividends(ticker=row.ticker, ex_dividend_date=row.ex_dividend_date)
            return [one.cash_amount for one in found]

        amount = row.cash_amount
        assert [] == stated(StatementKind.LATE, "2025-01-10")
        assert [amount] == stated(StatementKind.LATE, "2024-12-31")
        assert [0.07] == stated(StatementKind.CORRECTED, "2024-12-31", cash_amount=0.07)
        assert sorted([amount, 9.5]) == sorted(stated(StatementKind.REPEATED, "2024-12-31", cash_amount=9.5))
        assert [] == stated(StatementKind.WITHDRAWN, "2024-12-31")
        assert [amount] == stated(StatementKind.WITHDRAWN, "2025-01-02")
        with pytest.raises(ValidationError, match="need one"):
            stated(StatementKind.CORRECTED, "2024-12-31")

    def test_delayed_plan(self, eventful: Exchange) -> None:
        """Bars are answered as `DELAYED` where the setting says so."""
        assert eventful.body(f"{GROUPED}/2024-12-30")["status"] == "DELAYED"


class TestStatus:
    """`/v1/marketstatus/now`: the exchange's own moment."""

    @pytest.mark.parametrize(
        ("moment", "market", "early", "late"),
        [
            (datetime(2024, 12, 30, 8, tzinfo=UTC), "closed", False, False),
            (datetime(2024, 12, 30, 13, tzinfo=UTC), "extended-hours", True, False),
            (datetime(2024, 12, 30, 14, 30, tzinfo=UTC), "open", False, False),
            (datetime(2024, 12, 30, 21, tzinfo=UTC), "extended-hours", False, True),
            (datetime(2024, 12, 31, 1, tzinfo=UTC), "closed", False, False),
            (datetime(2024, 11, 29, 18, tzinfo=UTC), "extended-hours", False, True),  # closes at 13:00
            (datetime(2024, 12, 28, 16, tzinfo=UTC), "closed", False, False),  # a Saturday
        ],
    )
    def test_phases(self, exchange: Exchange, moment: datetime, market: str, early: bool, late: bool) -> None:  # noqa: FBT001 - expected values
        """Early hours from 04:00 New York, the session, after hours to 20:00."""
        exchange.clock.moment = moment
        body = exchange.body("/v1/marketstatus/now")
        status = exchange.client().get_market_status()

        assert (status.market, status.early_hours, status.after_hours) == (market, early, late)
        assert datetime.fromisoformat(status.server_time) == moment
        assert body.keys() == {
            "afterHours",
            "currencies",
            "earlyHours",
            "exchanges",
            "indicesGroups",
            "market",
            "serverTime",
        }
        assert body["exchanges"].keys() == {"nasdaq", "nyse", "otc"}

    def test_server_time(self, exchange: Exchange) -> None:
        """`serverTime` is New York's, with its offset and without fractions."""
        assert exchange.body("/v1/marketstatus/now")["serverTime"] == "2024-12-31T16:00:00-05:00"


class TestRefusals:
    """Bad input gets the vendor's error body, never a stack trace and never the key."""

    @pytest.mark.parametrize(
        ("headers", "error"),
        [
            ({}, "API Key was not provided"),
            ({"Authorization": "Bearer"}, "API Key was not provided"),
            ({"Authorization": "Basic abc"}, "API Key was not provided"),
            ({"Authorization": "Bearer not a key"}, "Unknown API Key"),
        ],
    )
    @pytest.mark.parametrize(
        "path", [f"{GROUPED}/2024-12-31", f"{GROUPED}/nonsense", "/v3/reference/tickers", "/v1/marketstatus/now"]
    )
    def test_no_key(self, exchange: Exchange, path: str, headers: dict[str, str], error: str) -> None:
        """401 before anything else is looked at."""
        response = HTTP.get(exchange.url + path, headers=headers)

        assert response.status_code == 401
        assert response.json() == {"status": "ERROR", "request_id": response.json()["request_id"], "error": error}

    @pytest.mark.parametrize(
        ("path", "error"),
        [
            (f"{GROUPED}/nonsense", "Could not parse the time parameter: 'date'"),
            (f"{GROUPED}/2024-13-01", "Could not parse the time parameter: 'date'"),
            (f"{GROUPED}/2024-12-31?adjusted=perhaps", "Invalid parameter 'adjusted'"),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-32/2024-08-01", "Could not parse the time parameter: 'from'"),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-01/tomorrow", "Could not parse the time parameter: 'to'"),
            (
                "/v2/aggs/ticker/A/range/1/day/2024-07-01/99999999999999999999",
                "Could not parse the time parameter: 'to'",
            ),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-02/2024-07-01", "cannot be a time that occurs before 'from'"),
            ("/v2/aggs/ticker/A/range/0/day/2024-07-01/2024-07-02", "Invalid parameter 'multiplier'"),
            ("/v2/aggs/ticker/A/range/1/fortnight/2024-07-01/2024-07-02", "Invalid parameter 'timespan'"),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-01/2024-07-02?limit=0", "Invalid parameter 'limit'"),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-01/2024-07-02?limit=50001", "Invalid parameter 'limit'"),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-01/2024-07-02?sort=up", "Invalid parameter 'sort'"),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-01/2024-07-02?cursor=%21", "Invalid parameter 'cursor'"),
            ("/v3/reference/tickers?limit=1001", "Invalid parameter 'limit'"),
            ("/v3/reference/tickers?limit=ten", "Invalid parameter 'limit'"),
            ("/v3/reference/tickers?sort=beauty", "Invalid parameter 'sort'"),
            ("/v3/reference/tickers?order=up", "Invalid parameter 'order'"),
            ("/v3/reference/tickers?active=perhaps", "Invalid parameter 'active'"),
            ("/v3/reference/tickers?date=2025-06-01", "is in the future"),
            ("/v3/reference/tickers?date=June", "expected a date as YYYY-MM-DD"),
            ("/v3/reference/tickers?cursor=%C3%A9", "Invalid parameter 'cursor'"),
            ("/v3/reference/splits?cursor=bGltaXQ9MQ==", "Invalid parameter 'cursor'"),
            ("/v3/reference/splits?execution_date.gte=soon", "expected a date as YYYY-MM-DD"),
            ("/v3/reference/dividends?cash_amount.gt=much", "expected a number"),
            ("/v3/reference/dividends?cash_amount.near=1", "use one of gt, gte, lt, lte, any_of"),
        ],
    )
    def test_bad_request(self, exchange: Exchange, path: str, error: str) -> None:
        """400 with the vendor's body and a sentence that names the parameter."""
        response = exchange.get(path)

        assert response.status_code == 400, response.text
        assert response.json().keys() == {"status", "request_id", "error"}
        assert response.json()["status"] == "ERROR"
        assert error in response.json()["error"]

    def test_minutes(self, exchange: Exchange) -> None:
        """Daily bars are the finest: minutes are outside the plan."""
        response = exchange.get("/v2/aggs/ticker/A/range/5/minute/2024-07-01/2024-07-02")

        assert (response.status_code, response.json()["status"]) == (403, "NOT_AUTHORIZED")

    def test_client_sees(self, exchange: Exchange) -> None:
        """The client raises its BadResponse with the body in it."""
        with pytest.raises(BadResponse) as refusal:
            exchange.client().get_ticker_details("NOSUCH")

        assert json.loads(str(refusal.value))["message"] == "Ticker not found."
