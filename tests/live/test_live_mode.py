"""Live mode whole: init, run, arm, a dry run, orders with "real money", halt, resume, flatten, the arming's end.

The exchange answers as Alpaca's live host and as every vendor, under their own names and over TLS. One story: each test
goes on where the one before has ended.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from internal.modes import LIVE_HOST, PAPER_HOST
from live.broker import Broker
from live.owner import Owner, collect_messages, init_words, key_options, open_owner, wait_for
from live.stage import NEEDS_ROOT, open_network

KEYS = {"ALPACA_API_KEY_ID": "AKOWNER", "ALPACA_API_SECRET": "an owner's secret"}
BANNER = " LIVE  REAL MONEY: orders go to Alpaca's live account"
ARM = "arm --live --without-evidence momentum"
pytestmark = [pytest.mark.long, pytest.mark.timeout(900), NEEDS_ROOT]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The exchange as the live broker and as every vendor, in a network of its own."""
    with open_network(tmp_path_factory.mktemp("network"), LIVE_HOST, KEYS) as broker:
        yield broker


@pytest.fixture(scope="module")
def owner(network: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    """An owner with an empty folder, in that network."""
    assert network.host == LIVE_HOST
    with open_owner(tmp_path_factory.mktemp("owner") / "fund") as owner:
        yield owner


@pytest.fixture(scope="module")
def messages(owner: Owner) -> Iterator[str]:
    """The apprise URL of the owner's target of messages."""
    with collect_messages(owner.messages) as url:
        yield url


def test_what_does_not_agree_is_refused(owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mode, key and address are of one kind, or nothing is written."""
    paper = key_options(tmp_path, KEYS | {"ALPACA_API_KEY_ID": "PKOWNER"})
    code, printed = owner.type(f"{init_words('live', 'alpaca')} {paper}")
    assert (code, "is no live key (AK...)" in printed) == (1, True), printed

    live = key_options(tmp_path, KEYS)
    monkeypatch.setenv("ALPACA_BASE_URL", f"https://{PAPER_HOST}")
    code, printed = owner.type(f"{init_words('live', 'alpaca')} {live}")
    assert (code, "which is paper: remove the variable" in printed) == (1, True), printed
    monkeypatch.delenv("ALPACA_BASE_URL")

    code, printed = owner.type(f"{init_words('paper', 'alpaca')} {live}")
    assert (code, "is no paper key (PK...)" in printed) == (1, True), printed
    assert not owner.fund.home.exists()


def test_unarmed(owner: Owner, network: Broker, tmp_path: Path) -> None:
    """It collects, says LIVE everywhere, and sends nothing."""
    code, printed = owner.type(f"{init_words('live', 'alpaca')} {key_options(tmp_path, KEYS)}")
    assert code == 0, printed
    assert f"The broker answers: account {network.account_number()}" in printed
    printed = owner.start()
    assert BANNER in printed
    wait_for(lambda: "rebalance_suspended" in (owner.fund.home / "logs" / "portfoliomanager.log").read_text())
    _, status = owner.type("status")
    metrics = httpx.get(owner.fund.url(2, "/metrics"), timeout=30).text.splitlines()

    assert BANNER in status
    assert "LIVE: nothing is sent: this account holds real money and was never armed" in status
    assert "LIVE" in httpx.get(owner.fund.url(2, "/"), timeout=30).text
    assert 'trading_mode{mode="live"} 1.0' in metrics
    assert network.orders() == []


def test_doctor(owner: Owner, network: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """It compares the clock with the broker's, names the proxy that is not used, and asks for a target of messages."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    code, printed = owner.type("doctor")

    assert code == 1, printed
    assert f"broker: account {network.account_number()}, ACTIVE" in printed
    assert "proxy: HTTPS_PROXY set; not used" in printed
    assert "fault clock: " in printed, "the exchange is years behind"
    assert "s from the broker's" in printed
    assert "fault messages: no targets" in printed
    assert printed.count("fault ") == 2, printed


def test_messages(owner: Owner, tmp_path: Path, messages: str) -> None:
    """A target that `fund init` is given later is used by the next run; titles begin with LIVE."""
    owner.stop()
    code, printed = owner.type(f"init --yes {key_options(tmp_path, {'NOTIFICATION_URLS': messages})}")
    assert code == 0, printed
    owner.start()
    code, printed = owner.type("notify test")

    assert code == 0, printed
    assert owner.messages[-1].startswith("[LIVE] ")


def test_arming(owner: Owner, network: Broker) -> None:
    """Without evidence it has to be named, and the number that is typed must be the account's."""
    number = network.account_number()
    code, printed = owner.type("arm --live", f"{number}\n")
    assert (code, "--without-evidence momentum" in printed) == (1, True), printed
    code, printed = owner.type(ARM, "PA12345\n")
    assert (code, "nothing was armed" in printed) == (1, True), printed
    code, printed = owner.type(f"{ARM} --for 9", f"{number}\n")

    assert code == 0, printed
    assert "LIVE: armed until " in printed
    assert "are a dry run: shown, and not sent." in printed


def test_dry_run(owner: Owner, network: Broker) -> None:
    """The orders of the first session are shown, in the message of the day too, and the broker has none."""
    session = network.pass_session()
    wait_for(lambda: "the market's clock jumped" in owner.problem())
    owner.wake_scheduler()
    owner.wait_decided(session)
    planned = owner.orders_of(session)

    assert len(planned) > 20
    assert {(order["state"], order["reason"].partition(":")[0]) for order in planned} == {("dropped", "dry run")}
    assert network.orders() == []
    wait_for(lambda: [title for title in owner.messages if session in title])
    code, report = owner.type("report")
    assert (code, planned[0]["ticker"] in report) == (0, True), report


def test_orders_with_real_money(owner: Owner, network: Broker) -> None:
    """The next session's orders are at the broker, each once, and fill at the next open."""
    session = network.pass_session()
    owner.wake_scheduler()
    owner.wait_decided(session)
    sent = network.orders()

    assert len(sent) > 20
    assert len({order["client_order_id"] for order in sent}) == len(sent)
    assert len(owner.orders_of(session)) == len(sent)
    wait_for(lambda: [title for title in owner.messages if title.startswith("[LIVE] ") and session in title])


def test_stream_of_order_updates(owner: Owner, network: Broker) -> None:
    """Fills are recorded by the broker's stream, which is trusted by the same authorities as its requests."""
    network.request("POST", "/control/clock", {"to": "next_open"})
    wait_for(lambda: {order["state"] for order in owner.orders()} == {"filled", "dropped"})

    assert "CERTIFICATE_VERIFY_FAILED" not in (owner.fund.home / "logs" / "portfoliomanager.log").read_text()


def test_halted(owner: Owner, network: Broker) -> None:
    """Halted, the next session sends nothing; resumed, the same session is decided."""
    code, printed = owner.type("halt --reason 'data look wrong'")
    assert (code, "LIVE: trading is halted" in printed) == (0, True), printed
    before = len(network.orders())
    session = str(network.request("POST", "/control/clock", {"to": "next_close"})["session"])
    owner.wake_scheduler()
    wait_for(lambda: owner.run_of("decision", session)["outcome"] == "held")
    assert len(network.orders()) == before

    code, printed = owner.type("resume --reason 'they are right'")
    assert (code, "LIVE: trading is active" in printed) == (0, True), printed
    owner.wait_decided(session)
    assert len(network.orders()) > before


def test_end_of_the_arming(owner: Owner, network: Broker) -> None:
    """Expired, nothing is opened any more: what is sent makes positions smaller."""
    sessions = [network.pass_session() for _ in range(5)]
    held = {position["symbol"]: float(position["qty"]) for position in network.positions()}
    before = {order["client_order_id"] for order in network.orders()}
    owner.wake_scheduler()
    owner.wait_decided(sessions[-1])
    _, status = owner.type("status")
    sent = [order for order in network.orders() if order["client_order_id"] not in before]

    assert held
    assert "LIVE: only exits are sent: this account was armed until " in status
    opened = [order for order in sent if (order["side"] == "buy") == (held.get(order["symbol"], 0) > 0)]
    assert opened == []


def test_flatten(owner: Owner, network: Broker) -> None:
    """Everything is closed at the next open although nothing is armed, and stays so over a close and a new run."""
    code, printed = owner.type("flatten --reason 'enough'")
    assert (code, "The market is closed: what has not filled yet" in printed) == (0, True), printed
    network.request("POST", "/control/clock", {"to": "next_open"})
    wait_for(lambda: network.positions() == [])
    wait_for(lambda: "The fund is flat." in owner.type("flatten --reason 'enough'")[1])
    owner.stop()
    before, session = len(network.orders()), network.pass_session()
    owner.start()
    wait_for(lambda: owner.run_of("decision", session)["outcome"] == "held")

    assert len(network.orders()) == before
    assert owner.stop().strip() == "Ending the services."
