"""Portfolio history, filters, watchlists and announcements, through the unmodified alpaca-py and plain HTTP."""

# alpaca-py annotates its answers as unions with raw data
# pyright: reportUnknownMemberType=false

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import CorporateActionType
from alpaca.trading.models import PortfolioHistory, Watchlist
from alpaca.trading.requests import (
    CreateWatchlistRequest,
    GetCorporateAnnouncementsRequest,
    GetPortfolioHistoryRequest,
    UpdateWatchlistRequest,
)

from applications.exchange.tests.exchange_in_process import LocalExchange, run_exchange
from applications.exchange.tests.exchange_kit import KEY_ID, SECRET
from internal.dates import session_close, session_open

NEW_YORK = ZoneInfo("America/New_York")
HISTORY = "/v2/account/portfolio/history"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExchange]:
    """An exchange that has played three sessions: shares bought at the first open, half of them sold at the third."""
    with run_exchange(tmp_path_factory.mktemp("exchange") / "state") as running:
        symbol = first_symbol(running)
        running.order(symbol=symbol, qty="100").raise_for_status()
        for _ in range(2):
            running.move("next_close")
        running.order(symbol=symbol, qty="50", side="sell").raise_for_status()
        running.move("next_close")
        yield running


@pytest.fixture(scope="module")
def client(exchange: LocalExchange) -> TradingClient:
    """The unmodified client."""
    return TradingClient(KEY_ID, SECRET, url_override=exchange.url)


def first_symbol(exchange: LocalExchange) -> str:
    """A ticker that can be traded."""
    return str(exchange.trade("GET", "/v2/assets", params={"status": "active"}).json()[0]["symbol"])


def history(exchange: LocalExchange, **parameters: str) -> dict[str, Any]:
    """The portfolio history as it goes over the wire."""
    answer = exchange.trade("GET", HISTORY, params=parameters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_daily_history(exchange: LocalExchange, client: TradingClient) -> None:
    """One point a session, labelled 20:00 New York; equity is the account's at the closes, profit from the base."""
    found = client.get_portfolio_history(GetPortfolioHistoryRequest(period="1M", timeframe="1D"))
    assert isinstance(found, PortfolioHistory)
    points = exchange.exchange.repository.equity_points()
    closes = {point.moment: float(point.equity) for point in points}
    labels = [datetime.fromtimestamp(moment, NEW_YORK) for moment in found.timestamp]
    assert [(20, 0)] * 4 == [(label.hour, label.minute) for label in labels]  # the opening session and three more
    assert [closes[session_close(label.date())] for label in labels] == found.equity
    assert 100_000 == found.base_value == found.equity[0]
    assert [equity - 100_000 for equity in found.equity] == pytest.approx(found.profit_loss)
    assert float(exchange.trade("GET", "/v2/account").json()["equity"]) == found.equity[-1]


def test_minutes_of_a_session(exchange: LocalExchange) -> None:
    """From the open to the close every quarter of an hour; equity changes at the open and at the close."""
    today = exchange.exchange.clock.today()
    body = history(
        exchange, timeframe="15Min", start=session_open(today).isoformat(), end=session_close(today).isoformat()
    )
    assert (27, "15Min") == (len(body["timestamp"]), body["timeframe"])
    assert 900 == body["timestamp"][1] - body["timestamp"][0]
    points = exchange.exchange.repository.equity_points()
    assert [float(points[-2].equity)] * 26 + [float(points[-1].equity)] == body["equity"]
    assert pytest.approx(float(points[-1].equity - points[-3].equity)) == body["profit_loss"][-1]
    assert points[-3].moment.date().isoformat() == body["base_value_asof"]


def test_cash_flows(exchange: LocalExchange) -> None:
    """Fees are charged on the day of the sale alone; their sum is that of the activities."""
    body = history(exchange, timeframe="1D", cashflow_types="ALL")
    fees = exchange.trade("GET", "/v2/account/activities/FEE").json()
    assert [0, 0, 0] == body["cashflow"]["FEE"][:3]
    assert pytest.approx(sum(float(fee["net_amount"]) for fee in fees)) == body["cashflow"]["FEE"][3]
    assert {} == history(exchange, timeframe="1D", cashflow_types="CSD")["cashflow"]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"period": "1M", "start": "2025-01-02T00:00:00Z", "end": "2025-01-03T00:00:00Z"}, "only two of start, end"),
        ({"period": "1X"}, "invalid period"),
        ({"period": "0D"}, "invalid period"),
        ({"period": "6M", "timeframe": "15Min"}, "timeframe must be 1D"),
        ({"timeframe": "2D"}, "timeframe is invalid"),
        ({"start": "2999-01-01T00:00:00Z"}, "start must be before end"),
        ({"intraday_reporting": "never"}, "intraday_reporting is invalid"),
    ],
)
def test_refused_history(exchange: LocalExchange, parameters: dict[str, str], sentence: str) -> None:
    """What the endpoint cannot answer is refused in a sentence."""
    answer = exchange.trade("GET", HISTORY, params=parameters)
    assert (422, True) == (answer.status_code, sentence in answer.json()["message"]), answer.text


def test_activity_filters(exchange: LocalExchange) -> None:
    """Categories and groups of types divide the history; a type that does not exist is refused in Alpaca's words."""

    def activities(**parameters: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = exchange.trade("GET", "/v2/account/activities", params=parameters).json()
        return found

    whole, trades, others = (
        activities(),
        activities(category="trade_activity"),
        activities(category="non_trade_activity"),
    )
    assert len(whole) == len(trades) + len(others)
    assert {"FILL"} == {row["activity_type"] for row in trades}
    assert [] == activities(activity_types="TRANS")
    assert [row for row in others if row["activity_type"] != "DIV"] == activities(activity_types="MISC")
    assert {"REG", "TAF"} == {row["activity_sub_type"] for row in activities(activity_types="FEE")}
    assert {"date", "created_at", "currency"} <= set(others[0])
    refused = exchange.trade("GET", "/v2/account/activities/FFFFF")
    assert (422, {"code": 40010001, "message": "invalid activity type: FFFFF"}) == (refused.status_code, refused.json())
    both = {"activity_types": "FEE", "category": "trade_activity"}
    assert 422 == exchange.trade("GET", "/v2/account/activities", params=both).status_code


def test_order_and_asset_filters(exchange: LocalExchange) -> None:
    """Orders before and after another, by class of asset; assets by attribute; what can be borrowed by its new name."""
    orders = exchange.trade("GET", "/v2/orders", params={"status": "all", "direction": "asc"}).json()

    def ids(**parameters: str) -> list[str]:
        answer = exchange.trade("GET", "/v2/orders", params={"status": "all", "direction": "asc"} | parameters)
        return [order["id"] for order in answer.json()]

    first, second = [order["id"] for order in orders]
    assert ([second], [first]) == (ids(after_order_id=first), ids(before_order_id=second))
    assert ([first, second], []) == (ids(asset_class="us_option,us_equity"), ids(asset_class="crypto"))
    for wrong, status in (({"after_order_id": first, "before_order_id": second}, 422), ({"after_order_id": "x"}, 404)):
        assert status == exchange.trade("GET", "/v2/orders", params=wrong).status_code
    assets = exchange.trade("GET", "/v2/assets").json()
    assert {("easy_to_borrow", True), ("hard_to_borrow", False)} >= {
        (a["borrow_status"], a["easy_to_borrow"]) for a in assets
    }
    assert [] == exchange.trade("GET", "/v2/assets", params={"attributes": "ptp_no_exception,ipo"}).json()


def test_nested_orders(exchange: LocalExchange) -> None:
    """Exits are shown under their entry, once, and count as one order of a page; flat they stand beside it."""
    symbol = first_symbol(exchange)
    exits = {"take_profit": {"limit_price": "99999"}, "stop_loss": {"stop_price": "0.5"}}
    entry = exchange.order(symbol=symbol, order_class="bracket", **exits).json()
    legs = [leg["id"] for leg in entry["legs"]]
    path = "/v2/orders"
    page = exchange.trade("GET", path, params={"nested": "true", "limit": 1}).json()
    assert [(entry["id"], legs)] == [(order["id"], [leg["id"] for leg in order["legs"]]) for order in page]
    flat = exchange.trade("GET", path, params={"direction": "asc"}).json()
    assert [entry["id"], *legs] == [order["id"] for order in flat]
    assert legs == [leg["id"] for leg in exchange.trade("GET", f"{path}/{entry['id']}?nested=true").json()["legs"]]
    exchange.trade("DELETE", path)


def test_watchlists(exchange: LocalExchange, client: TradingClient) -> None:
    """Made, changed, added to, taken from and deleted by id with the client; the same by name over the wire."""
    symbols = [asset["symbol"] for asset in exchange.trade("GET", "/v2/assets").json()[:3]]
    made = client.create_watchlist(CreateWatchlistRequest(name="first", symbols=symbols[:1]))
    assert isinstance(made, Watchlist)
    added = client.add_asset_to_watchlist_by_id(made.id, symbols[1])
    assert isinstance(added, Watchlist)
    assert symbols[:2] == [asset.symbol for asset in added.assets or []]
    renamed = client.update_watchlist_by_id(made.id, UpdateWatchlistRequest(name="second", symbols=symbols[1:]))
    assert isinstance(renamed, Watchlist)
    assert ("second", symbols[1:]) == (renamed.name, [asset.symbol for asset in renamed.assets or []])
    removed = client.remove_asset_from_watchlist_by_id(made.id, symbols[2])
    assert isinstance(removed, Watchlist)
    by_name = exchange.trade("GET", "/v2/watchlists:by_name", params={"name": "second"}).json()
    assert [symbols[1]] == [asset["symbol"] for asset in by_name["assets"]]
    assert 422 == exchange.trade("POST", "/v2/watchlists", json={"name": "second", "symbols": []}).status_code
    assert 422 == exchange.trade("POST", "/v2/watchlists", json={"name": "third", "symbols": ["NOSUCH"]}).status_code
    client.delete_watchlist_by_id(made.id)
    assert [] == client.get_watchlists()
    assert 404 == exchange.trade("GET", "/v2/watchlists:by_name", params={"name": "second"}).status_code


def test_announcements(exchange: LocalExchange, client: TradingClient) -> None:
    """Dividends and splits of the market, as the market itself lists them; nothing after the clock."""
    today = exchange.exchange.clock.today()
    since = today - timedelta(days=90)
    kinds = [CorporateActionType.DIVIDEND, CorporateActionType.SPLIT]
    found = client.get_corporate_announcements(
        GetCorporateAnnouncementsRequest(ca_types=kinds, since=since, until=today)
    )
    expected = exchange.exchange.market.dividends(since, today)
    cash = [one for one in found if not isinstance(one, str) and one.ca_sub_type == "cash"]
    assert expected.height == len(cash) > 0
    assert pytest.approx(sorted(expected["cash_amount"].to_list())) == sorted(one.cash for one in cash)
    too_long = {"ca_types": "dividend", "since": "2024-01-01", "until": "2024-12-31"}
    path = "/v2/corporate_actions/announcements"
    assert 422 == exchange.trade("GET", path, params=too_long).status_code
    assert 422 == exchange.trade("GET", path, params=too_long | {"ca_types": "x", "until": "2024-01-31"}).status_code
    assert 404 == exchange.trade("GET", f"{path}/nothing").status_code


def test_charges_of_a_debit(tmp_path: Path) -> None:
    """From July 2025 on trades cost the CAT fee, and owed cash interest: by hand, and cash is the sum of the rows."""
    settings = {"exchange_start_date": "2025-06-30", "exchange_cash": "100000"}
    with run_exchange(tmp_path, **settings) as running:
        market, day = running.exchange.market, date(2025, 6, 30)
        bars = {one.ticker: bar for one in market.listings(day) if (bar := market.bar(one.ticker, day)) is not None}
        symbol = max(bars, key=lambda ticker: bars[ticker].close * bars[ticker].volume)
        running.order(symbol=symbol, qty=str(int(150_000 / bars[symbol].close))).raise_for_status()
        running.move("next_close")
        rows = running.trade("GET", "/v2/account/activities", params={"direction": "asc"}).json()
        cash = Decimal(running.trade("GET", "/v2/account").json()["cash"])
    fills = [row for row in rows if row["activity_type"] == "FILL"]
    shares, paid = (
        sum(Decimal(fill["qty"]) * (Decimal(fill["price"]) if priced else 1) for fill in fills)
        for priced in (False, True)
    )
    (fee,) = [row for row in rows if row["activity_type"] == "FEE"]
    (interest,) = [row for row in rows if row["activity_type"] == "INT"]
    fee_by_hand = (shares * Decimal("0.0000265")).quantize(Decimal("0.01"), ROUND_CEILING)
    debit = paid + fee_by_hand - 100_000
    assert debit > 0
    assert (fee["activity_sub_type"], Decimal(fee["net_amount"])) == ("CAT", -fee_by_hand)
    assert float(interest["net_amount"]) == pytest.approx(-float(debit) * 0.07 / 360, abs=0.01)
    assert "Margin interest" in interest["description"]
    assert cash == pytest.approx(-debit + Decimal(interest["net_amount"]), abs=Decimal("0.01"))
