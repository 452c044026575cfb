"""Polygon's API of the exchange says nothing about days that the simulated market has not reached."""

from datetime import UTC, date, datetime, timedelta

import pytest

from applications.exchange.tests.exchange_kit import HTTP
from applications.exchange.tests.polygon_exchange import GROUPED, KEY, Exchange, split_ticker
from internal.dates import session_close, session_open


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
