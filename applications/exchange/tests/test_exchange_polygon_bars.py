"""Bars by session and by ticker of the exchange's Polygon API, to the vendor's own client and to plain HTTP."""

from datetime import UTC, date, datetime

import pytest

from applications.exchange.tests.exchange_kit import HTTP
from applications.exchange.tests.polygon_exchange import GROUPED, KEY, Exchange
from internal.dates import sessions

BAR_KEYS = {"v", "vw", "o", "c", "h", "l", "t", "n"}
ENVELOPE_KEYS = {"queryCount", "resultsCount", "adjusted", "results", "status", "request_id", "count"}


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
