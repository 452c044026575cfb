"""Datamanager with the simulated exchange as its vendor, both as processes, as in `fund up`."""

import time
from collections.abc import Generator
from dataclasses import dataclass
from datetime import date, timedelta

import httpx
import polars as pl
import pytest
from structlog.testing import capture_logs

from applications.datamanager.tests.datamanager_process import datamanager_environment, run_service
from applications.datamanager.tests.datamanager_vendor import QUICK
from datamanager.adapters.alpaca import AlpacaMarketData
from datamanager.adapters.alpaca_client import AlpacaAccess
from datamanager.quality import check_bars
from internal.dates import next_session, previous_session, session_close, sessions
from internal.errors import UpstreamError
from internal.http.client import read_frame_response
from internal.price_adjustment import adjust_bars
from internal.schemas import corporate_actions, equity_bars, equity_details

START = date(2023, 6, 1)
OPENING = date(2023, 12, 29)
TICKER_COUNT = 120


@dataclass(frozen=True)
class Pair:
    """An exchange and the datamanager that ingests from it."""

    exchange: httpx.Client
    datamanager: httpx.Client


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pair]:
    """Both services; the exchange starts at the close of the last session of 2023."""
    folder = tmp_path_factory.mktemp("pair")
    exchange_environment = {
        "STATE_DIRECTORY": str(folder / "exchange"),
        "EXCHANGE_API_KEY_ID": "PKTEST",
        "EXCHANGE_API_SECRET": "secret",
        "EXCHANGE_TICKER_COUNT": str(TICKER_COUNT),
        "EXCHANGE_START_DATE": str(OPENING),
    }
    with run_service("exchange", exchange_environment) as exchange:
        url = str(exchange.client.base_url).rstrip("/")
        second = {
            "SECOND_MARKET_DATA_VENDOR": "alpaca",
            "ALPACA_API_KEY_ID": "PKTEST",
            "ALPACA_API_SECRET": "secret",
            "ALPACA_BASE_URL": url,
            "ALPACA_DATA_URL": url,
            "ALPACA_DATA_REQUESTS_PER_MINUTE": "0",
        }
        environment = datamanager_environment(url, folder, **second)
        with run_service("datamanager", environment) as datamanager:
            yield Pair(exchange.client, datamanager.client)


def test_backfill(pair: Pair) -> None:
    """The ingested bars of a ticker equal the exchange's own."""
    wanted = {"start_date": str(START), "end_date": str(OPENING)}
    answer = pair.datamanager.post("/equity-bars", json=wanted).raise_for_status().json()
    assert [outcome["date"] for outcome in answer["sessions"]] == [str(day) for day in sessions(START, OPENING)]
    assert answer["quarantined"] == 0
    bars = equity_bars.validate(read_frame_response(pair.datamanager.get("/equity-bars", params=wanted)))
    assert bars.height == answer["rows"] > 0
    ticker = bars.item(0, "ticker")
    path = f"/v2/aggs/ticker/{ticker}/range/1/day/{START}/{OPENING}"
    theirs = pair.exchange.get(path, params={"adjusted": "false"}, headers={"Authorization": "Bearer any"}).json()
    closes = bars.filter(pl.col("ticker") == ticker).get_column("close").to_list()
    assert closes == [row["c"] for row in theirs["results"]]


def test_details(pair: Pair) -> None:
    """Every ticker with bars has details with a sector from its SIC code."""
    pair.datamanager.post("/equity-bars", json={"date": str(OPENING)}).raise_for_status()
    pair.datamanager.post("/equity-details", json={}).raise_for_status()
    details = read_frame_response(pair.datamanager.get("/equity-details"))
    assert details.schema == equity_details.ANSWER_COLUMNS
    assert details.get_column("security_id").null_count() == 0
    day = {"start_date": str(OPENING), "end_date": str(OPENING)}
    bars = read_frame_response(pair.datamanager.get("/equity-bars", params=day))
    assert set(bars.get_column("ticker")) <= set(details.get_column("ticker"))
    assert details.get_column("sector").null_count() == 0
    assert details.get_column("sector").n_unique() > 3


def test_split_adjustment_equals_the_vendors(pair: Pair) -> None:
    """Bars adjusted for splits alone equal, to the cent, those that the exchange adjusts as Polygon does."""
    wanted = {"start_date": str(START), "end_date": str(OPENING)}
    pair.datamanager.post("/equity-bars", json=wanted).raise_for_status()
    splits = corporate_actions.validate_splits(
        read_frame_response(pair.datamanager.get("/corporate-actions/splits", params=wanted))
    )
    assert splits.height > 0
    bars = read_frame_response(pair.datamanager.get("/equity-bars", params=wanted)).lazy()
    none = corporate_actions.empty_dividends().lazy()
    ours = adjust_bars(bars, bars, splits.lazy(), none, OPENING).sort("date").collect()
    for ticker in splits.get_column("ticker").unique():
        path = f"/v2/aggs/ticker/{ticker}/range/1/day/{START}/{OPENING}"
        theirs = pair.exchange.get(path, headers={"Authorization": "Bearer any"}).json()["results"]
        closes = ours.filter(pl.col("ticker") == ticker).get_column("close").to_list()
        assert closes == pytest.approx([row["c"] for row in theirs], abs=0.01)


def test_dividend_adjustment(pair: Pair) -> None:
    """The adjusted close of a ticker with a dividend is lower before the ex-date and the same from it on."""
    wanted = {"start_date": str(START), "end_date": str(OPENING)}
    pair.datamanager.post("/equity-bars", json=wanted).raise_for_status()
    dividends = corporate_actions.validate_dividends(
        read_frame_response(pair.datamanager.get("/corporate-actions/dividends", params=wanted))
    )
    splits = read_frame_response(pair.datamanager.get("/corporate-actions/splits", params=wanted))
    payers = dividends.filter(~pl.col("ticker").is_in(splits.get_column("ticker").implode()))
    ticker, ex_date = payers.select("ticker", "ex_dividend_date").sort("ex_dividend_date").row(-1)
    query = wanted | {"tickers": ticker, "columns": "date,close"}
    traded = read_frame_response(pair.datamanager.get("/equity-bars", params=query))
    back = read_frame_response(pair.datamanager.get("/equity-bars", params=query | {"adjusted_as_of": str(OPENING)}))
    lower = (traded.get_column("close") > back.get_column("close")).to_list()
    assert lower == [day < ex_date for day in traded.get_column("date")]


def test_future_session_is_refused(pair: Pair) -> None:
    """The session after the vendor's clock is 422, whatever this machine's clock says."""
    answer = pair.datamanager.post("/equity-bars", json={"date": str(next_session(OPENING))})
    assert (answer.status_code, f"last closed session is {OPENING}" in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize("kind", ["truncated_body", "html_body", "rate_limit", "server_error"])
def test_faults_of_the_exchange_are_retried(kind: str, pair: Pair) -> None:
    """A fault injected on the path of the bars occurs, and the session is ingested."""
    fault = {"kind": kind, "path": "/v2/aggs/grouped/*", "count": 1, "seconds": 0}
    pair.exchange.post("/control/faults", json=fault).raise_for_status()
    answer = pair.datamanager.post("/equity-bars", json={"date": str(OPENING), "force": True})
    assert answer.raise_for_status().json()["rows"] > 0
    assert {stored["remaining"] for stored in pair.exchange.get("/control/faults").json()} == {0}


def test_next_session(pair: Pair) -> None:
    """After the clock moves over a session, its event ingests it and its bars can be read."""
    for moment in ("next_open", "next_close"):
        pair.exchange.post("/control/clock", json={"to": moment}).raise_for_status()
    day = next_session(OPENING)
    event = {"specversion": "1.0", "type": "application.exchange.session.closed", "source": "/exchange"} | {
        "id": f"application.exchange.session.closed:{day}",
        "datacontenttype": "application/json",
        "data": {"date": str(day)},
    }
    structured = {"Content-Type": "application/cloudevents+json"}
    pair.datamanager.post("/events", json=event, headers=structured).raise_for_status()
    deadline = time.monotonic() + 120
    while f"equity_bars.synced:{day}" not in pair.datamanager.get("/events").text:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    query = {"start_date": str(day), "end_date": str(day)}
    bars = read_frame_response(pair.datamanager.get("/equity-bars", params=query))
    assert set(bars.get_column("timestamp")) == {session_close(day)}


@pytest.fixture
def alpaca(pair: Pair) -> Generator[AlpacaMarketData]:
    """The adapter for Alpaca's market data, on the same exchange, with a plan that excludes the last 15 minutes."""
    url = str(pair.exchange.base_url).rstrip("/")
    adapter = AlpacaMarketData(AlpacaAccess("PKTEST", "secret", url, url), 0, 15, QUICK)
    yield adapter
    adapter.close()


class TestAlpaca:
    """The port `MarketData` through alpaca-py."""

    def test_clock(self, alpaca: AlpacaMarketData) -> None:
        """A session has closed for this plan a quarter of an hour after its close."""
        assert alpaca.now() <= session_close(next_session(OPENING)) - timedelta(minutes=15)
        assert alpaca.has_answered_within(60)

    def test_bars(self, pair: Pair, alpaca: AlpacaMarketData) -> None:
        """Thirty sessions of every ticker equal those that Polygon's interface gave, in two requests besides assets."""
        days = sessions(date(2023, 11, 1), OPENING)[:30]
        wanted = {"start_date": str(days[0]), "end_date": str(days[-1])}
        pair.datamanager.post("/equity-bars", json=wanted).raise_for_status()
        fetched: list[int] = []
        answers = alpaca.daily_bars(days, lambda: fetched.append(1))
        ours = pl.concat([check_bars(answer.rows, answer.date).valid for answer in answers if answer.rows is not None])
        theirs = read_frame_response(pair.datamanager.get("/equity-bars", params=wanted))

        assert ours.sort("date", "ticker").equals(theirs.sort("date", "ticker"))
        assert len(fetched) == 30

    def test_symbols_that_the_vendor_refuses(self, alpaca: AlpacaMarketData, monkeypatch: pytest.MonkeyPatch) -> None:
        """Symbols of the list that the data API does not take are left out and named; the others' bars are there."""
        (whole,) = alpaca.daily_bars([START], lambda: None)
        listed = alpaca.listings()
        gone = pl.concat([listed.head(2), listed.head(2)]).with_columns(
            pl.Series("ticker", ["GONEA", "GONEB", "NEWA", "NEWB"]), pl.Series("active", [False, False, True, True])
        )
        monkeypatch.setattr(alpaca, "listings", lambda: pl.concat([listed, gone]).sort("ticker"))
        with capture_logs() as logged:
            (answer,) = alpaca.daily_bars([START], lambda: None)
            (again,) = alpaca.daily_bars([START], lambda: None)

        assert whole.rows is not None
        assert all(one.rows is not None and one.rows.equals(whole.rows) for one in (answer, again))
        assert sorted(line["symbol"] for line in logged) == ["GONEA", "GONEB", "NEWA", "NEWB"]

    def test_recent_session(self, pair: Pair, alpaca: AlpacaMarketData) -> None:
        """A session that is too young for the plan is missing with the vendor's reason; the one before is answered."""
        state = pair.exchange.get("/control/state").json()
        last = date.fromisoformat(state["session"])
        earlier, recent = alpaca.daily_bars([previous_session(last), last], lambda: None)

        assert earlier.rows is not None
        assert earlier.rows.height > 0
        assert recent.rows is None
        assert "recent SIP data" in (recent.missing or "")
        assert "ALPACA_DATA_DELAY_MINUTES" in (recent.missing or "")

    def test_splits(self, pair: Pair, alpaca: AlpacaMarketData) -> None:
        """The splits of half a year equal those that Polygon's interface gave."""
        wanted = {"start_date": str(START), "end_date": str(OPENING)}
        pair.datamanager.post("/equity-bars", json=wanted).raise_for_status()
        theirs = read_frame_response(pair.datamanager.get("/corporate-actions/splits", params=wanted))
        actions = alpaca.corporate_actions(START, OPENING).lazy()
        ours = corporate_actions.splits_of(actions).sort("execution_date", "ticker").collect()

        assert ours.height > 0
        assert ours.equals(theirs)

    @pytest.mark.parametrize("kind", ["truncated_body", "html_body", "rate_limit", "server_error"])
    def test_faults_are_retried(self, kind: str, pair: Pair, alpaca: AlpacaMarketData) -> None:
        """A fault on the path of the bars occurs, and the session is answered."""
        fault = {"kind": kind, "path": "/v2/stocks/*", "count": 2, "seconds": 0}
        pair.exchange.post("/control/faults", json=fault).raise_for_status()
        (answer,) = alpaca.daily_bars([START], lambda: None)

        assert answer.rows is not None
        assert {stored["remaining"] for stored in pair.exchange.get("/control/faults").json()} == {0}

    def test_listings_follow_the_vendors_clock(self, pair: Pair, alpaca: AlpacaMarketData) -> None:
        """An answer is used again until the vendor's clock has gone on by an hour, however little time has passed."""
        alpaca.now()
        first = alpaca.listings()
        alpaca.now()
        again = alpaca.listings()
        for moment in ("next_open", "next_close"):
            pair.exchange.post("/control/clock", json={"to": moment}).raise_for_status()
        alpaca.now()

        assert again is first
        assert alpaca.listings() is not first

    def test_wrong_key(self, pair: Pair) -> None:
        """A refused key pair is named, not quoted, and not sent again."""
        url = str(pair.exchange.base_url).rstrip("/")
        adapter = AlpacaMarketData(AlpacaAccess("PKTEST", "wrong-secret", url, url), 0, 15, QUICK)

        with pytest.raises(UpstreamError, match="Check ALPACA_API_KEY_ID and ALPACA_API_SECRET") as raised:
            adapter.now()
        assert "wrong-secret" not in raised.value.detail
        adapter.close()

    def test_cross_check(self, pair: Pair) -> None:
        """Both interfaces of one market agree; a figure that a file changed is found, with both values."""
        day = date(2023, 11, 15)
        wanted = {"start_date": str(day), "end_date": str(day)}
        pair.datamanager.post("/equity-bars", json=wanted).raise_for_status()
        agreed = pair.datamanager.post("/disagreements", json=wanted).raise_for_status().json()
        bars = read_frame_response(pair.datamanager.get("/equity-bars", params=wanted))
        volume = bars.item(0, "volume")
        changed = bars.with_columns(
            pl.when(pl.col("ticker") == bars.item(0, "ticker")).then(volume * 2).otherwise("volume").alias("volume")
        )
        body = changed.write_ipc_stream(None, compat_level=pl.CompatLevel.oldest()).getvalue()
        headers = {"Content-Type": "application/vnd.apache.arrow.stream"}
        pair.datamanager.post("/equity-bars/import?replace=true", content=body, headers=headers).raise_for_status()
        differing = pair.datamanager.post("/disagreements", json=wanted).raise_for_status().json()
        rows = read_frame_response(pair.datamanager.get("/disagreements", params=wanted))

        assert (agreed["sessions"], agreed["missing"], sum(agreed["disagreements"].values())) == (1, [], 0)
        assert {field: count for field, count in differing["disagreements"].items() if count} == {"volume": 1}
        assert rows.select("ticker", "field", "value", "second_value", "vendor", "second_vendor").rows() == [
            (bars.item(0, "ticker"), "volume", volume * 2, volume, "polygon", "alpaca")
        ]
        assert 'datamanager_vendor_disagreements{field="volume"} 1.0' in pair.datamanager.get("/metrics").text
