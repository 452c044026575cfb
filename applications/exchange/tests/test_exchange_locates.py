"""Locates: what is hard to borrow is quoted, located, paid for and listed; bodies follow Alpaca's published schemas."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from applications.exchange.tests.exchange_in_process import HEADERS, LocalExchange, run_exchange
from internal.venue.market.listing import Listing

PATH = "/v1/locates"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExchange]:
    """One exchange for the module, with tickers enough that some are hard to borrow."""
    with run_exchange(tmp_path_factory.mktemp("exchange") / "state", exchange_ticker_count=80) as running:
        yield running


def listings(exchange: LocalExchange, *, easy: bool) -> list[Listing]:
    """Active tickers that are, or are not, easy to borrow and traded in the last session."""
    today, last = exchange.exchange.clock.today(), exchange.exchange.clock.last_closed_session()
    market = exchange.exchange.market
    found = [one for one in market.listings(today) if one.is_active(today) and one.easy_to_borrow is easy]
    return [one for one in found if market.bar(one.ticker, last) is not None]


@pytest.fixture
def hard(exchange: LocalExchange) -> Listing:
    """A ticker that is hard to borrow."""
    return listings(exchange, easy=False)[0]


def ask(exchange: LocalExchange, key: str | None = None, **body: object) -> httpx.Response:
    """`POST /v1/locates`."""
    own = {} if key is None else {"Idempotency-Key": key}
    return exchange.http.post(PATH, json=body, headers=HEADERS | own)


def test_quotes(exchange: LocalExchange, hard: Listing) -> None:
    """One day of the borrow rate at the last close, in round lots; what is easy to borrow needs no locate."""
    easy = listings(exchange, easy=True)[0].ticker
    answer = exchange.trade("GET", f"{PATH}/quotes", params={"symbols": f"{hard.ticker},{easy},NOSUCH"}).json()
    [quote] = answer["quotes"]
    bar = exchange.exchange.market.bar(hard.ticker, exchange.exchange.clock.last_closed_session())
    assert bar is not None
    assert pytest.approx(bar.close * hard.borrow_rate / 360, abs=5.1e-5) == float(quote["price"])
    assert int(bar.volume / 100) // 100 * 100 == quote["available_qty"]
    codes = {error["symbol"]: error["code"] for error in answer["errors"]}
    assert {easy: "easy_to_borrow", "NOSUCH": "symbol_not_found"} == codes
    many = ",".join(f"T{number}" for number in range(101))
    refused = exchange.trade("GET", f"{PATH}/quotes", params={"symbols": many})
    assert (400, "invalid_symbols") == (refused.status_code, refused.json()["code"])


def test_locate(exchange: LocalExchange, hard: Listing) -> None:
    """Located once for one key, charged once, listed, and expired at 20:00 New York."""
    cash = Decimal(exchange.trade("GET", "/v2/account").json()["cash"])
    made = ask(exchange, key="once", symbol=hard.ticker, qty=100)
    again = ask(exchange, key="once", symbol=hard.ticker, qty=100)
    assert (201, "active", made.json()) == (made.status_code, made.json()["status"], again.json())
    fee = Decimal(made.json()["total_fee"])
    assert cash - fee == Decimal(exchange.trade("GET", "/v2/account").json()["cash"])
    newest = exchange.trade("GET", "/v2/account/activities/FEE").json()[0]
    assert (-fee, hard.ticker) == (Decimal(newest["net_amount"]), newest["symbol"])
    assert 422 == ask(exchange, key="once", symbol=hard.ticker, qty=200).status_code
    assert made.json() == exchange.trade("GET", f"{PATH}/{made.json()['id']}").json()
    expires = datetime.fromisoformat(made.json()["expires_at"])
    moved = {"timestamp": (expires + timedelta(minutes=1)).isoformat()}
    exchange.http.post("/control/clock", json=moved).raise_for_status()
    assert "expired" == exchange.trade("GET", f"{PATH}/{made.json()['id']}").json()["status"]


def test_rejected(exchange: LocalExchange, hard: Listing) -> None:
    """Too dear, or more than there is when all are wanted: rejected, and nothing is charged."""
    cash = exchange.trade("GET", "/v2/account").json()["cash"]
    dear = ask(exchange, symbol=hard.ticker, qty=100, limit_price="0.00001").json()
    many = ask(exchange, symbol=hard.ticker, qty=10**9, all_or_none=True).json()
    reasons = [("rejected", "limit_price_exceeded"), ("rejected", "inventory_unavailable")]
    assert reasons == [(one["status"], one["rejection_reason"]) for one in (dear, many)]
    assert not {"located_qty", "total_fee", "expires_at"} & set(dear)
    assert cash == exchange.trade("GET", "/v2/account").json()["cash"]
    page = exchange.trade("GET", PATH, params={"status": "rejected", "limit": 1}).json()
    assert 1 == len(page["locates"])
    following = exchange.trade("GET", PATH, params={"status": "rejected", "page_token": page["next_page_token"]}).json()
    ids = {page["locates"][0]["id"], *(one["id"] for one in following["locates"])}
    assert ({dear["id"], many["id"]}, None) == (ids, following["next_page_token"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"qty": 150}, 400, "invalid_input"),
        ({"qty": -100}, 400, "invalid_input"),
        ({"qty": None}, 400, "invalid_input"),
        ({"limit_price": "cheap"}, 400, "invalid_limit_price"),
        ({"limit_price": "-1"}, 400, "invalid_limit_price"),
        ({"symbol": "NOSUCH"}, 422, "symbol_not_found"),
    ],
)
def test_refused(exchange: LocalExchange, hard: Listing, body: dict[str, object], status: int, code: str) -> None:
    """Bad input is refused with the code of the published schema."""
    answer = ask(exchange, None, **({"symbol": hard.ticker, "qty": 100} | body))
    assert (status, code) == (answer.status_code, answer.json()["code"])


def test_other_refusals(exchange: LocalExchange) -> None:
    """No JSON, no such locate, no key pair."""
    broken = exchange.trade("POST", PATH, content=b"{")
    assert (400, "invalid_request_body") == (broken.status_code, broken.json()["code"])
    assert 404 == exchange.trade("GET", f"{PATH}/nothing").status_code
    assert 401 == exchange.http.get(PATH).status_code
