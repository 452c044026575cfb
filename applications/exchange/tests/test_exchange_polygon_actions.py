"""Corporate actions of the exchange's newer Polygon API, and the versions in which the vendor states them."""

import math
from collections.abc import Iterator
from datetime import date

import pytest
from pydantic import ValidationError

from applications.exchange.tests.polygon_exchange import GROUPED, KEY, Exchange, serve
from applications.exchange.tests.vendor_client import NewerClient, connect_newer
from exchange.statements import Statement, StatementKind
from internal.action_kinds import ActionKind
from internal.venue.market.simulated import SimulatedMarket


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
