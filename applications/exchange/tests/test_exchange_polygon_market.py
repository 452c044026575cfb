"""Holidays, types, open and close, and snapshots, through both of the vendor's unmodified clients."""

# both clients annotate every answer as a union with raw data, massive its methods in part
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportGeneralTypeIssues=false

from collections.abc import Iterator
from typing import Any

import massive
import polygon
import pytest

from applications.exchange.tests.exchange_in_process import MARKET_DATA_KEY, LocalExchange, run_exchange
from internal.dates import previous_session

SNAPSHOTS = "/v2/snapshot/locale/us/markets/stocks"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExchange]:
    """One exchange for the module, at the close of its opening session (2024-12-31)."""
    with run_exchange(tmp_path_factory.mktemp("exchange") / "state", exchange_start_date="2024-12-31") as running:
        yield running


@pytest.fixture(params=[polygon, massive], ids=["polygon", "massive"])
def client(request: pytest.FixtureRequest, exchange: LocalExchange) -> Any:  # noqa: ANN401 - either of two libraries' clients
    """The vendor's client under its old name and its new one."""
    return request.param.RESTClient(MARKET_DATA_KEY, base=exchange.url)


def test_holidays(client: Any) -> None:  # noqa: ANN401 - as above
    """The exchanges' own calendar of 2025, by hand; the day of mourning was not foreseen by any list."""
    nyse = [one for one in client.get_market_holidays() if one.exchange == "NYSE"]
    closed = {one.date: one.name for one in nyse if one.status == "closed"}
    expected = ["01-01", "01-20", "02-17", "04-18", "05-26", "06-19", "07-04", "09-01", "11-27", "12-25"]
    assert {f"2025-{day}" for day in expected} == set(closed) - {"2025-01-09"}
    names = ("2025-01-20", "2025-04-18", "2025-11-27")
    assert ["Martin Luther King, Jr. Day", "Good Friday", "Thanksgiving"] == [closed[day] for day in names]
    early = {one.date: (one.open, one.close) for one in nyse if one.status == "early-close"}
    assert {"2025-07-03", "2025-11-28", "2025-12-24"} == set(early)
    assert ("2025-11-28T14:30:00.000Z", "2025-11-28T18:00:00.000Z") == early["2025-11-28"]


def test_types(client: Any) -> None:  # noqa: ANN401 - as above
    """Common stock is CS; other classes of assets are not listed here."""
    assert "Common Stock" == {one.code: one.description for one in client.get_ticker_types(asset_class="stocks")}["CS"]
    assert [] == client.get_ticker_types(asset_class="crypto")


def test_open_close(exchange: LocalExchange, client: Any) -> None:  # noqa: ANN401 - as above
    """The day's prices are the day's bar; 404 for a day without one and for a day to come."""
    day = exchange.exchange.clock.last_closed_session()
    bar = exchange.exchange.market.bars(day).row(0, named=True)
    found = client.get_daily_open_close_agg(bar["ticker"], day.isoformat(), adjusted=False)
    names = ("open", "high", "low", "close", "volume")
    assert [bar[name] for name in names] == [getattr(found, name) for name in names]
    for path in (f"{bar['ticker']}/2024-12-25", f"{bar['ticker']}/2025-01-02", "NOSUCH/2024-12-31"):
        answer = exchange.look_up(f"/v1/open-close/{path}")
        assert (404, "NOT_FOUND") == (answer.status_code, answer.json()["status"])


def test_snapshots(exchange: LocalExchange, client: Any) -> None:  # noqa: ANN401 - as above
    """Every ticker's day and the day before, its change by hand, and who moved most."""
    day = exchange.exchange.clock.last_closed_session()
    bars = {row["ticker"]: row for row in exchange.exchange.market.bars(day).to_dicts()}
    before = {row["ticker"]: row for row in exchange.exchange.market.bars(previous_session(day)).to_dicts()}
    found = {one.ticker: one for one in client.get_snapshot_all("stocks")}
    assert set(bars) | set(before) == set(found)
    for ticker in bars.keys() & before.keys():
        assert bars[ticker]["close"] == found[ticker].day.close
        change = 100 * (bars[ticker]["close"] / found[ticker].prev_day.close - 1)
        assert change == pytest.approx(found[ticker].todays_change_percent, abs=1e-3)
    ticker = next(iter(bars))
    assert found[ticker].day.close == client.get_snapshot_ticker("stocks", ticker).day.close
    gainers = [one.todays_change_percent for one in client.get_snapshot_direction("stocks", "gainers")]
    assert sorted(gainers, reverse=True) == gainers
    assert all(change > 0 for change in gainers)


def test_snapshot_of_a_running_session(exchange: LocalExchange) -> None:
    """Nothing but the open is known while the session runs; an unknown ticker is 404."""
    exchange.move("next_open")
    day = exchange.exchange.clock.today()
    bar = exchange.exchange.market.bars(day).row(0, named=True)
    snapshot = exchange.look_up(f"{SNAPSHOTS}/tickers/{bar['ticker']}").json()["ticker"]["day"]
    assert dict.fromkeys("ohlc", bar["open"]) | {"v": 0} == snapshot
    assert 404 == exchange.look_up(f"{SNAPSHOTS}/tickers/NOSUCH").status_code
    assert 400 == exchange.look_up(f"{SNAPSHOTS}/sideways").status_code
