"""Bodies, paths, keys and tickers as clients send them: always an answer of the vendor's, never a 500."""

import csv
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from applications.exchange.tests.exchange_in_process import LocalExchange, run_exchange
from internal.dates import sessions

FIELDS = (
    *("symbol", "qty", "notional", "side", "type", "time_in_force", "limit_price", "stop_price", "trail_price"),
    *("trail_percent", "client_order_id", "position_intent", "order_class", "take_profit", "stop_loss", "legs"),
    *("extended_hours", "order_type", "asset_class"),
)
WORDS = ("buy", "sell", "market", "limit", "stop", "stop_limit", "trailing_stop", "day", "gtc", "ioc", "fok", "bracket")
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "0", "1", "1.5", "-1", "1e400", "NaN", "Infinity", " ", *WORDS]),
    st.text(max_size=5),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["limit_price", "stop_price", "x"]), inner, max_size=2),
    ),
    max_leaves=4,
)
EMPTY: tuple[object, ...] = (None, "", {}, [])


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExchange]:
    """One exchange for the module."""
    with run_exchange(tmp_path_factory.mktemp("exchange") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def symbol(exchange: LocalExchange) -> str:
    """A ticker that can be traded in fractions and sold short."""
    assets = exchange.trade("GET", "/v2/assets", params={"status": "active"}).json()
    return str(next(asset["symbol"] for asset in assets if asset["shortable"] and asset["fractionable"]))


@pytest.mark.parametrize("empty", EMPTY, ids=["null", "text", "object", "list"])
def test_empty_fields_count_as_left_out(exchange: LocalExchange, symbol: str, empty: object) -> None:
    """Clients send every field that they know, most of them empty: the order is the one without them."""
    names = [name for name in FIELDS if name not in {"symbol", "qty", "side", "type", "time_in_force"}]
    answer = exchange.order(symbol=symbol, **dict.fromkeys(names, empty))
    assert (200, "1", None) == (answer.status_code, answer.json()["qty"], answer.json()["notional"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5))
def test_any_body_is_answered(exchange: LocalExchange, symbol: str, changes: dict[str, object]) -> None:
    """Whatever a field holds: 200, or a refusal with the broker's code and a sentence."""
    answer = exchange.order(**({"symbol": symbol} | changes))
    assert answer.status_code in {200, 403, 422}, answer.text
    if answer.status_code != 200:
        assert {"code", "message"} <= set(answer.json())


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"1", b'"x"', b"{", b'{"qty": NaN}', b"\xff", b"[" * 100_000])
def test_body_that_is_no_object(exchange: LocalExchange, content: bytes) -> None:
    """400 in the broker's words."""
    answer = exchange.trade("POST", "/v2/orders", content=content)
    assert (400, 40010000) == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH", "PUT"])
@pytest.mark.parametrize("path", ["/v2/nothing", "/v2/account/nothing", "/v1/nothing", "/v2/clock/nothing"])
def test_unknown_path_of_the_broker(exchange: LocalExchange, method: str, path: str) -> None:
    """404 in the broker's own body (recorded by a user: https://github.com/alpacahq/Alpaca-API/issues/137)."""
    answer = exchange.trade(method, path)
    assert (404, {"code": 40410000, "message": "endpoint not found"}) == (answer.status_code, answer.json())


def test_unknown_path_of_the_vendor(exchange: LocalExchange) -> None:
    """404 with the vendor's keys; the exchange's own interface keeps its problem details."""
    answer = exchange.look_up("/v3/nothing")
    assert (404, {"status", "request_id", "message"}) == (answer.status_code, set(answer.json()))
    assert "type" in exchange.http.get("/control/nothing").json()


@pytest.mark.parametrize("key", ["another-key", "a-market-data-ke", "a-market-data-key2", "k\u00e9y"])
def test_wrong_market_data_key(exchange: LocalExchange, key: str) -> None:
    """Any other key is refused in the vendor's words, in the header and in the query."""
    refused = [exchange.http.get("/v1/marketstatus/now", params={"apiKey": key})]
    if key.isascii():
        refused.append(exchange.look_up("/v1/marketstatus/now", key))
    assert [(401, "Unknown API Key")] * len(refused) == [(one.status_code, one.json()["error"]) for one in refused]


@pytest.fixture(scope="module")
def class_shares(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExchange]:
    """An exchange that replays two tickers, one of which is written with a slash."""
    folder = tmp_path_factory.mktemp("replayed")
    with (folder / "bars.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "ticker", "open", "high", "low", "close", "volume"])
        for day in sessions(date(2024, 1, 2), date(2024, 12, 31)):
            for ticker in ("AAA", "BF/B"):
                writer.writerow([day, ticker, 50, 51, 49, 50, 1_000_000])
    with run_exchange(folder / "state", exchange_bars_file=folder / "bars.csv") as running:
        yield running


@pytest.mark.parametrize("name", ["BF/B", "BF%2FB", "BF.B"])
def test_class_share_is_found(class_shares: LocalExchange, name: str) -> None:
    """Under its slash, percent-encoded, and with a dot: asset, order, position, bars, previous close, details."""
    trade, look_up = class_shares.trade, class_shares.look_up
    assert "BF/B" == trade("GET", f"/v2/assets/{name}").json()["symbol"]
    order = class_shares.order(symbol=name.replace("%2F", "/"), side="buy")
    assert (200, "BF/B") == (order.status_code, order.json()["symbol"])
    class_shares.move("next_open")
    assert "BF/B" == trade("GET", f"/v2/positions/{name}").json()["symbol"]
    assert 200 == trade("DELETE", f"/v2/positions/{name}").status_code
    class_shares.move("next_close")
    bars = look_up(f"/v2/aggs/ticker/{name}/range/1/day/2024-01-02/2024-01-05").json()
    assert ("BF/B", 4) == (bars["ticker"], bars["resultsCount"])
    assert 1 == look_up(f"/v2/aggs/ticker/{name}/prev").json()["resultsCount"]
    assert "BF/B" == look_up(f"/v3/reference/tickers/{name}").json()["results"]["ticker"]
