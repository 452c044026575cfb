"""Alpaca's market data API of the exchange, asked by the unmodified alpaca-py and by plain HTTP on loopback.

Expected rows are the market's own; expected moments, ratios and shapes are worked out by hand or those of alpaca-py.
"""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import polars as pl
import pytest
import uvicorn
from alpaca.common.enums import Sort
from alpaca.common.exceptions import APIError
from alpaca.data.enums import Adjustment, CorporateActionsType, DataFeed
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.models import BarSet
from alpaca.data.models.bars import Bar
from alpaca.data.models.corporate_actions import (
    CashDividend,
    CorporateAction,
    CorporateActionsSet,
    ForwardSplit,
    ReverseSplit,
)
from alpaca.data.requests import CorporateActionsRequest, StockBarsRequest
from alpaca.data.timeframe import TimeFrame
from fastapi import FastAPI

from applications.exchange.tests.exchange_kit import HTTP, KEY_ID, SECRET
from exchange.adapters.database import Database
from exchange.adapters.fault_repository import SqliteFaultRepository
from exchange.bodies.alpaca_corporate_actions import make_actions_body
from exchange.configuration import Configuration
from exchange.request_limit import RequestLimit
from exchange.routes import alpaca_corporate_actions, alpaca_data
from exchange.services import open_exchange
from exchange.symbol_names import Name, NameChange, find_names
from internal.action_kinds import ActionKind
from internal.dates import sessions
from internal.schemas.corporate_actions import CORPORATE_ACTIONS_COLUMNS
from internal.venue.market.simulated import SimulatedMarket
from internal.venue.repository import InMemoryRepository

LAST_SESSION = date(2024, 12, 31)
HEADERS = {"APCA-API-KEY-ID": KEY_ID, "APCA-API-SECRET-KEY": SECRET}
MARKET = SimulatedMarket(ticker_count=240)
TICKERS = [listing.ticker for listing in MARKET.listings(LAST_SESSION)]


@dataclass
class DataApi:
    """The data API at the close of the opening session, served on loopback."""

    url: str
    application: FastAPI

    def bars(self, request: StockBarsRequest) -> dict[str, list[Bar]]:
        """What alpaca-py reads."""
        answer = StockHistoricalDataClient(KEY_ID, SECRET, url_override=self.url).get_stock_bars(request)
        assert isinstance(answer, BarSet)
        return answer.data

    def actions(self, request: CorporateActionsRequest) -> dict[str, list[CorporateAction]]:
        """What alpaca-py reads."""
        client = CorporateActionsClient(KEY_ID, SECRET, url_override=self.url)
        answer = client.get_corporate_actions(request)
        assert isinstance(answer, CorporateActionsSet)
        return answer.data

    def get(self, path: str, **parameters: str | int) -> httpx.Response:
        """One answer, whatever its status."""
        return HTTP.get(self.url + path, params=parameters, headers=HEADERS)

    def refusal(self, path: str, **parameters: str | int) -> tuple[int, str]:
        """Status and sentence of a refusal."""
        response = self.get(path, **parameters)
        return response.status_code, str(response.json()["message"])


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataApi]:
    """Both routers as the exchange's server wires them, with the delay of a plan without recent data set to 0."""
    folder = tmp_path_factory.mktemp("alpaca-data")
    database = Database(folder)
    application = FastAPI()
    exchange = open_exchange(MARKET, InMemoryRepository(), SqliteFaultRepository(database), Decimal(1))
    application.state.exchange = exchange
    application.state.configuration = configuration(folder, 0)
    application.state.request_limit = RequestLimit(0)
    application.include_router(alpaca_data.router)
    application.include_router(alpaca_corporate_actions.router)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(application, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield DataApi(f"http://127.0.0.1:{listener.getsockname()[1]}", application)
        server.should_exit = True
        thread.join()
    database.close()


def configuration(folder: Path, delay_minutes: int) -> Configuration:
    """An exchange's settings."""
    return Configuration.model_validate(
        {
            "state_directory": folder,
            "exchange_api_key_id": KEY_ID,
            "exchange_api_secret": SECRET,
            "exchange_sip_delay_minutes": delay_minutes,
        }
    )


def daily(symbols: list[str], start: date, end: date, **more: object) -> StockBarsRequest:
    """A request for daily bars, as alpaca-py makes it."""
    fields = {
        "symbol_or_symbols": symbols,
        "timeframe": TimeFrame.Day,
        "start": datetime.combine(start, datetime.min.time(), UTC),
        "end": datetime.combine(end, datetime.max.time(), UTC),
    }
    return StockBarsRequest.model_validate(fields | more)


class TestBars:
    """`/v2/stocks/bars` and `/v2/stocks/{symbol}/bars`."""

    def test_all_pages(self, api: DataApi) -> None:
        """Sixty sessions of every ticker, over several pages of 10,000: each of the market's bars once, none other."""
        first = date(2024, 10, 4)
        received = api.bars(daily(TICKERS, first, LAST_SESSION))
        expected = MARKET.bars_between(first, LAST_SESSION)

        assert sum(map(len, received.values())) == expected.height > 10_000
        for (ticker,), bars in expected.group_by("ticker"):
            rows = bars.sort("date")
            assert [bar.close for bar in received[str(ticker)]] == rows.get_column("close").to_list()
            assert [bar.volume for bar in received[str(ticker)]] == rows.get_column("volume").to_list()
            assert [bar.trade_count for bar in received[str(ticker)]] == rows.get_column("transactions").to_list()
            assert [bar.timestamp.date() for bar in received[str(ticker)]] == rows.get_column("date").to_list()

    def test_moment(self, api: DataApi) -> None:
        """`t` is New York's midnight: 04:00 UTC in summer, 05:00 in winter; both ends of a range of dates count."""
        ticker = TICKERS[0]
        summer = api.get(f"/v2/stocks/{ticker}/bars", timeframe="1Day", start="2024-07-01", end="2024-07-02").json()
        winter = api.get(f"/v2/stocks/{ticker}/bars", timeframe="1Day", start="2024-12-31", end="2024-12-31").json()

        assert [bar["t"] for bar in summer["bars"]] == ["2024-07-01T04:00:00Z", "2024-07-02T04:00:00Z"]
        assert [bar["t"] for bar in winter["bars"]] == ["2024-12-31T05:00:00Z"]
        assert summer.keys() == {"bars", "symbol", "next_page_token"}
        assert summer["bars"][0].keys() == {"t", "o", "h", "l", "c", "v", "n", "vw"}

    @pytest.mark.parametrize("sort", [Sort.ASC, Sort.DESC])
    @pytest.mark.parametrize("first", [date(2024, 12, 20), date(2023, 1, 3)])
    def test_small_pages(self, api: DataApi, sort: Sort, first: date) -> None:
        """Pages of seven, of a short and of a long range, are the same rows in the same order as one page."""
        symbols = [TICKERS[3], TICKERS[1]]
        query = {"symbols": ",".join(symbols), "timeframe": "1Day", "start": str(first), "end": "2024-12-31"}
        pages: list[tuple[str, str]] = []
        token: str | None = ""
        while token is not None and len(pages) < 60:
            body = api.get("/v2/stocks/bars", **query, sort=sort.value, limit=7, page_token=token).json()
            pages += [(symbol, bar["t"]) for symbol, bars in body["bars"].items() for bar in bars]
            token = body["next_page_token"]
        whole = api.bars(daily(symbols, first, LAST_SESSION, sort=sort))
        expected = [
            (symbol, bar.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ"))
            for symbol in sorted(symbols)
            for bar in whole[symbol]
        ]

        assert pages == expected[: len(pages)]
        assert len(pages) == min(len(expected), 63)

    def test_split_adjustment(self, api: DataApi) -> None:
        """Before a split prices are divided by its ratio and volume multiplied, from its day on they are as traded."""
        splits = MARKET.splits(date(2023, 6, 1), LAST_SESSION)
        row = splits.join(splits.group_by("ticker").len().filter(len=1), on="ticker", how="semi").row(0, named=True)
        days = sessions(date(2023, 1, 3), LAST_SESSION)
        ratio = row["split_to"] / row["split_from"]
        raw = api.bars(daily([row["ticker"]], days[0], days[-1]))[row["ticker"]]
        adjusted = api.bars(daily([row["ticker"]], days[0], days[-1], adjustment=Adjustment.SPLIT))[row["ticker"]]

        for before, after in zip(raw, adjusted, strict=True):
            factor = ratio if before.timestamp.date() < row["execution_date"] else 1.0
            assert after.close == pytest.approx(before.close / factor)
            assert after.volume == pytest.approx(before.volume * factor)

    def test_dividend_adjustment(self, api: DataApi) -> None:
        """The return over an ex-date in adjusted prices is that of the owner: the price and the cash."""
        dividends = MARKET.dividends(date(2024, 10, 1), LAST_SESSION)
        row = dividends.join(MARKET.splits(date(2024, 9, 1), LAST_SESSION), on="ticker", how="anti").row(0, named=True)
        ticker, day = row["ticker"], row["ex_dividend_date"]
        raw = api.bars(daily([ticker], date(2024, 9, 1), day))[ticker]
        adjusted = api.bars(daily([ticker], date(2024, 9, 1), day, adjustment=Adjustment.DIVIDEND))[ticker]

        assert raw[-1].timestamp.date() == day
        owner = raw[-1].close / (raw[-2].close - row["cash_amount"])
        assert adjusted[-1].close / adjusted[-2].close == pytest.approx(owner)
        assert adjusted[-2].volume == raw[-2].volume

    def test_iex(self, api: DataApi) -> None:
        """The feed of one exchange has the same prices and a fortieth of the volume."""
        ticker = TICKERS[0]
        both, one = (
            api.bars(daily([ticker], LAST_SESSION, LAST_SESSION, feed=feed))[ticker][0]
            for feed in (DataFeed.SIP, DataFeed.IEX)
        )

        assert (one.open, one.close) == (both.open, both.close)
        assert one.volume == pytest.approx(both.volume / 40, abs=1)

    def test_symbols_without_bars(self, api: DataApi) -> None:
        """A symbol without bars is left out of many, and null alone; the first one that never was listed is named."""
        young = next(one for one in MARKET.listings(LAST_SESSION) if one.listed_date > MARKET.sessions()[0])
        query = {"timeframe": "1Day", "start": str(MARKET.sessions()[0]), "end": str(MARKET.sessions()[0])}
        many = api.get("/v2/stocks/bars", symbols=f"{TICKERS[0]},{young.ticker}", **query).json()
        one = api.get(f"/v2/stocks/{young.ticker}/bars", **query).json()

        assert many["bars"].keys() <= {TICKERS[0]}
        assert one == {"bars": None, "symbol": young.ticker, "next_page_token": None}
        for symbols in (f"{TICKERS[0]},ZZZZZ,YYYYY", "ZZZZZ"):
            assert (400, "invalid symbol: ZZZZZ") == api.refusal("/v2/stocks/bars", symbols=symbols, **query)

    @pytest.mark.parametrize(
        ("parameters", "sentence"),
        [
            ({"timeframe": "1Min"}, "invalid timeframe: 1Min"),
            ({"timeframe": ""}, "timeframe is required"),
            ({"symbols": "bad symbol"}, "invalid symbol: bad symbol"),
            ({"symbols": ""}, "symbols is required"),
            ({"adjustment": "raw,split"}, "invalid adjustment: raw,split"),
            ({"start": "yesterday"}, "invalid start: expected RFC3339 or YYYY-MM-DD, not yesterday"),
            ({"asof": "now"}, "invalid asof: expected YYYY-MM-DD or -, not now"),
            ({"page_token": "!"}, "invalid page_token: !"),
            ({"limit": 10_001}, "invalid limit: Input should be less than or equal to 10000"),
        ],
    )
    def test_refusals(self, api: DataApi, parameters: dict[str, str | int], sentence: str) -> None:
        """A parameter that is wrong is 400 with one sentence."""
        good: dict[str, str | int] = {"symbols": TICKERS[0], "timeframe": "1Day"}

        assert api.refusal("/v2/stocks/bars", **good | parameters) == (400, sentence)


class TestPlan:
    """What the plan allows."""

    def test_recent_data(self, api: DataApi, tmp_path: Path) -> None:
        """Of the consolidated feed the last 15 minutes are refused; without an end the bars stop before them."""
        api.application.state.configuration = configuration(tmp_path, 15)
        query = {"symbols": TICKERS[0], "timeframe": "1Day", "start": "2024-12-27"}
        refused = api.refusal("/v2/stocks/bars", **query, end="2024-12-31")
        iex = api.get("/v2/stocks/bars", **query, end="2024-12-31", feed="iex").json()["bars"][TICKERS[0]]
        without_end = api.get("/v2/stocks/bars", **query).json()["bars"][TICKERS[0]]
        api.application.state.configuration = configuration(tmp_path, 0)

        assert refused == (403, "subscription does not permit querying recent SIP data")
        assert iex[-1]["t"] == "2024-12-31T05:00:00Z"
        assert without_end[-1]["t"] == "2024-12-30T05:00:00Z"

    def test_keys(self, api: DataApi) -> None:
        """A wrong key pair is 403, as the vendor's pages say."""
        client = StockHistoricalDataClient(KEY_ID, "wrong", url_override=api.url)

        with pytest.raises(APIError, match="forbidden"):
            client.get_stock_bars(daily([TICKERS[0]], LAST_SESSION, LAST_SESSION))

    def test_request_limit(self, api: DataApi) -> None:
        """The third request of a minute that allows two is 429; the headers say when the next minute begins."""
        api.application.state.request_limit = RequestLimit(2, lambda: 100 * 60 + 7.0)
        query = {"symbols": TICKERS[0], "timeframe": "1Day"}
        answers = [api.get("/v2/stocks/bars", **query) for _ in range(3)]
        api.application.state.request_limit = RequestLimit(0)

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
        assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"2"}
        assert {answer.headers["X-RateLimit-Reset"] for answer in answers} == {str(101 * 60)}


class TestCorporateActions:
    """`/v1/corporate-actions`."""

    def test_splits(self, api: DataApi) -> None:
        """The market's splits by direction, each with its rates, days and an id; none of the future."""
        request = CorporateActionsRequest(
            types=[CorporateActionsType.FORWARD_SPLIT, CorporateActionsType.REVERSE_SPLIT],
            start=date(2022, 6, 1),
            end=date(2026, 12, 31),
        )
        received = api.actions(request)
        rows = [
            (action.symbol, action.ex_date, action.old_rate, action.new_rate)
            for actions in received.values()
            for action in actions
            if isinstance(action, ForwardSplit | ReverseSplit)
        ]
        expected = MARKET.splits(date(2022, 6, 1), LAST_SESSION)

        assert sorted(rows) == sorted(expected.select("ticker", "execution_date", "split_from", "split_to").iter_rows())
        forward = [one for one in received["forward_splits"] if isinstance(one, ForwardSplit)]
        assert all(one.new_rate > one.old_rate for one in forward)

    def test_dividends(self, api: DataApi) -> None:
        """Dividends of every page by the day on which they are paid; one declared and not yet ex is among them."""
        request = CorporateActionsRequest(
            types=[CorporateActionsType.CASH_DIVIDEND], start=date(2024, 1, 1), end=date(2026, 12, 31), limit=10_000
        )
        received = [action for action in api.actions(request)["cash_dividends"] if isinstance(action, CashDividend)]
        declared = MARKET.dividends(date(2023, 6, 1), date(2026, 12, 31)).filter(
            pl.col("pay_date") >= date(2024, 1, 1), pl.col("declaration_date") <= LAST_SESSION
        )
        keys = ["ticker", "ex_dividend_date", "pay_date", "cash_amount"]

        assert sorted((one.symbol, one.ex_date, one.process_date, one.rate) for one in received) == sorted(
            declared.select(keys).iter_rows()
        )
        assert [one.process_date for one in received] == sorted(one.process_date for one in received)
        assert any(one.ex_date > LAST_SESSION for one in received)

    def test_one_symbol(self, api: DataApi) -> None:
        """Symbols, ids and a limit choose; a token leads on."""
        query = {"start": "2023-01-01", "end": "2024-12-31", "types": "cash_dividend"}
        ticker = MARKET.dividends(date(2023, 6, 1), date(2023, 12, 31)).get_column("ticker")[0]
        whole = api.get("/v1/corporate-actions", symbols=ticker, **query).json()["corporate_actions"]["cash_dividends"]
        first = api.get("/v1/corporate-actions", symbols=ticker, **query, limit=1).json()
        second = api.get(
            "/v1/corporate-actions", symbols=ticker, **query, limit=1, page_token=first["next_page_token"]
        ).json()
        by_id = api.get("/v1/corporate-actions", ids=whole[1]["id"]).json()

        assert {row["symbol"] for row in whole} == {ticker}
        assert first["corporate_actions"]["cash_dividends"] == whole[:1]
        assert second["corporate_actions"]["cash_dividends"] == whole[1:2]
        assert by_id["corporate_actions"]["cash_dividends"] == whole[1:2]

    def test_cusips_of_days_without_actions(self, api: DataApi) -> None:
        """A CUSIP on a day on which nothing happened is an empty answer."""
        found = api.get("/v1/corporate-actions", cusips="037833100", start="2023-01-01", end="2023-01-01")

        assert found.status_code == 200
        assert found.json()["corporate_actions"] == {}

    @pytest.mark.parametrize(
        ("parameters", "sentence"),
        [
            ({"types": "split"}, "invalid types: split"),
            ({"ids": "a", "symbols": "AAPL"}, "ids is mutually exclusive with the other filters"),
            ({"page_token": "!"}, "invalid page_token: !"),
        ],
    )
    def test_refusals(self, api: DataApi, parameters: dict[str, str | int], sentence: str) -> None:
        """A parameter that is wrong is 400 with one sentence."""
        assert api.refusal("/v1/corporate-actions", **parameters) == (400, sentence)

    def test_every_shape(self) -> None:
        """alpaca-py reads each of the thirteen types as the class that it has for it."""
        terms = {
            "action_id": "one",
            "ticker": "OLD",
            "effective_date": date(2024, 5, 6),
            "pay_date": date(2024, 5, 9),
            "old_shares": 4.0,
            "new_shares": 1.0,
            "new_ticker": "NEW",
            "second_shares": 0.5,
            "second_ticker": "NEWW",
            "cash_amount": 2.5,
            "special": True,
            "process_date": date(2024, 5, 9),
        }
        rows = [dict.fromkeys(CORPORATE_ACTIONS_COLUMNS) | terms | {"kind": kind.value} for kind in ActionKind]
        parsed = CorporateActionsSet(make_actions_body(list(rows), None).model_dump()["corporate_actions"]).data
        fields = {kind: parsed[f"{kind.value}s"][0].model_dump() for kind in ActionKind}

        assert len(parsed) == 13
        assert fields[ActionKind.STOCK_DIVIDEND]["rate"] == fields[ActionKind.RIGHTS_DISTRIBUTION]["rate"] == 0.25
        assert fields[ActionKind.UNIT_SPLIT]["alternate_symbol"] == "NEWW"
        assert fields[ActionKind.STOCK_AND_CASH_MERGER]["cash_rate"] == fields[ActionKind.CASH_MERGER]["rate"] == 2.5
        assert (
            fields[ActionKind.STOCK_MERGER]["acquiree_symbol"] == fields[ActionKind.NAME_CHANGE]["old_symbol"] == "OLD"
        )
        assert fields[ActionKind.SPIN_OFF]["source_rate"] == fields[ActionKind.STOCK_MERGER]["acquiree_rate"] == 4.0


class TestNames:
    """What `asof` maps a symbol to."""

    CHANGES = (
        NameChange("FB", "META", date(2022, 6, 9)),
        NameChange("META", "METV", date(2022, 1, 31)),
        NameChange("AA", "BB", date(2021, 1, 4)),
        NameChange("BB", "CC", date(2022, 1, 3)),
    )

    def test_today(self) -> None:
        """META today was FB before, and not the fund that was called META until then."""
        assert find_names("META", date(2024, 1, 2), self.CHANGES) == [
            Name("FB", date.min, date(2022, 6, 8)),
            Name("META", date(2022, 6, 9)),
        ]

    def test_earlier_holder(self) -> None:
        """The META of 2021 is another security, called METV today."""
        assert find_names("META", date(2021, 6, 1), self.CHANGES) == [
            Name("META", date.min, date(2022, 1, 30)),
            Name("METV", date(2022, 1, 31)),
        ]

    def test_two_changes(self) -> None:
        """A security that was renamed twice, asked for under its middle name."""
        assert find_names("BB", date(2021, 6, 1), self.CHANGES) == [
            Name("AA", date.min, date(2021, 1, 3)),
            Name("BB", date(2021, 1, 4), date(2022, 1, 2)),
            Name("CC", date(2022, 1, 3)),
        ]
