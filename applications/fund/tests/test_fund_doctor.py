"""Each check of `fund doctor` reports its fault together with a remedy, and no fault on a healthy machine."""

import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import override

import pytest

from fund import doctor, doctor_accounts, doctor_fund
from fund.addresses import Addresses
from fund.broker_account import BrokerAccount
from fund.broker_record import BrokerRecord
from fund.findings import Finding, format_findings
from fund.folder import FundFolder
from fund.services import Service
from fund.settings.fund_settings import FundSettings, parse_settings
from fund.settings.secrets import Secret, write_secret
from fund.vendor_check import check_vendor
from internal.baselines.trees import require_lightgbm
from internal.errors import ConfigurationError
from internal.modes import Mode
from libraries.python.tests.free_ports import free_port

PAPER = "https://paper-api.alpaca.markets"
LIVE = "https://api.alpaca.markets"
OWN_EXCHANGE = "http://127.0.0.1:8090"


def faults(findings: list[Finding]) -> list[str]:
    """The subjects at fault."""
    return [finding.subject for finding in findings if not finding.healthy]


class Vendor(ThreadingHTTPServer):
    """A vendor that answers every question alike, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer, self.asked = (200, "{}"), list[str]()
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                vendor.asked.append(self.path)
                status, body = vendor.answer
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            @override
            def log_message(self, format: str, *args: object) -> None:
                del format, args

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.mark.parametrize(("version", "healthy"), [((3, 12), True), ((3, 11), False), ((3, 13), False)])
def test_python(version: tuple[int, int], healthy: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """Any version but 3.12 is a fault."""
    assert healthy == doctor.check_python(version).healthy


def test_compiler_missing() -> None:
    """Without a compiler the remedy names the package that has one."""

    def nothing() -> None:
        raise ConfigurationError("no clang")

    finding = doctor.check_compiler(nothing)

    assert not finding.healthy
    assert "ziglang" in (finding.remedy or "")


def test_lightgbm() -> None:
    """Without the system's OpenMP library the remedy names its package; LightGBM itself is optional."""

    def nothing() -> None:
        raise ConfigurationError("install the OpenMP library (Debian: libgomp1, macOS: libomp)")

    assert "libgomp1" in (doctor.check_lightgbm(nothing).remedy or "")
    assert doctor.check_lightgbm(require_lightgbm).healthy
    assert doctor.check_lightgbm(None).healthy


def test_proxies() -> None:
    """Proxies of the environment are named, in whatever case, and are no fault."""
    (finding,) = doctor.check_proxies({"http_proxy": "http://a:1", "ALL_PROXY": "socks5://b:2", "NO_PROXY": "c"})
    assert finding.healthy
    assert finding.seen.startswith("ALL_PROXY, http_proxy set; not used")
    assert doctor.check_proxies({"HTTPS_PROXY": ""}) == []


def test_port_in_use(tmp_path: Path) -> None:
    """Another program on the port is a fault, whose remedy moves it; a fund at a broker needs none for an exchange."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken: int = other.getsockname()[1]
        folder = FundFolder(tmp_path)
        addresses = Addresses(dict.fromkeys(Service, taken))

        assert "EXCHANGE_PORT" in (doctor.check_port(folder, addresses, Service.EXCHANGE).remedy or "")
        assert len(doctor.check_ports(folder, addresses)) == len(Service)
        folder.save_record(BrokerRecord(Mode.PAPER, PAPER, "PA1"))
        assert "exchange" not in " ".join(one.seen for one in doctor.check_ports(folder, addresses))


def test_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Below 2 GiB the disk is a fault; a folder that does not exist yet is judged by its parent."""
    assert doctor.check_disk(tmp_path / "not" / "yet").healthy
    monkeypatch.setattr(doctor, "DISK_BYTES", 2**62)
    assert not doctor.check_disk(tmp_path / "not" / "yet").healthy


def test_folder_of_a_fund_at_a_broker(tmp_path: Path) -> None:
    """It is said whose fund the folder holds."""
    folder = FundFolder(tmp_path)
    assert doctor.check_folder(folder).seen.endswith(": no fund yet")
    folder.save_record(BrokerRecord(Mode.LIVE, LIVE, "PA123"))
    assert doctor.check_folder(folder).seen.endswith(": a live fund, account PA123")


def check(folder: Path, variables: dict[str, str]) -> list[Finding]:
    """The configuration of a fund that is `fund up`'s."""
    accounts = doctor_accounts.read_accounts(folder, None, variables)
    return doctor_accounts.check_configuration(accounts, "polygon", runs_for_real=False)


def test_no_account(tmp_path: Path) -> None:
    """No account is no fault: the fund runs offline."""
    assert faults(check(tmp_path, {})) == []


@pytest.mark.parametrize(
    ("key", "url", "expected"),
    [
        ("PKX", PAPER, []),
        ("AKX", LIVE, []),
        ("PKX", OWN_EXCHANGE, []),
        ("PKX", LIVE, ["broker key"]),
        ("AKX", PAPER, ["broker key"]),
    ],
)
def test_key_and_address(tmp_path: Path, key: str, url: str, expected: list[str]) -> None:
    """A paper key at the live address (and the reverse) is a fault, under either set of names."""
    whole = {"APCA_API_SECRET_KEY": "s", "MASSIVE_API_KEY": "m", "EDGAR_USER_AGENT": "A name a@b.c"}

    assert expected == faults(check(tmp_path, whole | {"APCA_API_KEY_ID": key, "APCA_API_BASE_URL": url}))
    assert expected == faults(check(tmp_path, whole | {"ALPACA_API_KEY_ID": key, "ALPACA_BASE_URL": url}))


def test_incomplete_account(tmp_path: Path) -> None:
    """An incomplete configuration names the missing settings; secrets are never shown."""
    findings = check(tmp_path, {"ALPACA_API_SECRET": "topsecret"})

    assert faults(findings) == ["configuration"]
    assert "ALPACA_API_KEY_ID" in findings[-1].seen
    assert "topsecret" not in format_findings(findings)


def test_keys_of_files(tmp_path: Path) -> None:
    """Keys are found by NAME_FILE and among the fund's secrets, the rest in fund.toml; others may read no file."""
    settings = parse_settings(
        tmp_path / "fund.toml", 'mode = "live"\n[market_data]\nedgar_user_agent = "A name a@b.c"\n'
    )
    named = tmp_path / "key"
    named.write_text("AKX\n")
    for secret in (Secret.ALPACA_API_SECRET, Secret.POLYGON_API_KEY):
        write_secret(tmp_path, secret, "topsecret")

    accounts = doctor_accounts.read_accounts(tmp_path, settings, {"ALPACA_API_KEY_ID_FILE": str(named)})

    assert (accounts["ALPACA_API_KEY_ID"], accounts["ALPACA_BASE_URL"]) == ("AKX", LIVE)
    assert faults(doctor_accounts.check_configuration(accounts, "polygon", runs_for_real=True)) == []
    assert faults(doctor_accounts.check_secret_files(tmp_path, {})) == []
    (tmp_path / "secrets" / "POLYGON_API_KEY").chmod(0o644)
    assert faults(doctor_accounts.check_secret_files(tmp_path, {})) == ["keys"]
    with pytest.raises(ConfigurationError, match="ALPACA_API_KEY_ID_FILE"):
        doctor_accounts.read_accounts(tmp_path, settings, {"ALPACA_API_KEY_ID_FILE": str(tmp_path / "nothing")})


def test_account_of_the_folder() -> None:
    """Another account, or one that may not trade, is a fault."""
    account = BrokerAccount(
        account_number="A1", status="ACTIVE", equity=1000.0, trading_blocked=False, account_blocked=False
    )
    assert doctor_fund.check_account(account, None).healthy
    assert doctor_fund.check_account(account, BrokerRecord(Mode.PAPER, PAPER, "A1")).healthy
    assert not doctor_fund.check_account(account, BrokerRecord(Mode.PAPER, PAPER, "A2")).healthy
    assert not doctor_fund.check_account(account.model_copy(update={"trading_blocked": True}), None).healthy


def test_what_a_real_fund_needs() -> None:
    """A wrong clock, a calendar that ends, too little memory and live trading without messages are faults."""
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert doctor_fund.check_broker_clock(noon, noon + timedelta(seconds=30)).healthy
    assert not doctor_fund.check_broker_clock(noon, noon - timedelta(seconds=31)).healthy
    assert doctor_fund.check_calendar(date(2034, 12, 31)).healthy
    assert not doctor_fund.check_calendar(date(2035, 1, 1)).healthy
    assert not doctor.check_memory(1024**3 - 1).healthy
    assert doctor_fund.check_notifications(has_targets=False, mode=Mode.PAPER).healthy
    assert not doctor_fund.check_notifications(has_targets=False, mode=Mode.LIVE).healthy


def test_vendor_plan() -> None:
    """The delay and the limit of requests that the settings name are shown."""
    settings = FundSettings().market_data
    assert "polygon: 5 requests a minute" in doctor_fund.describe_plan(settings).seen
    late = settings.model_copy(update={"market_data_vendor": "alpaca"})
    assert "200 requests a minute, bars at least 15 minutes old" in doctor_fund.describe_plan(late).seen


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """A vendor on loopback."""
    with Vendor() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "remedy"),
    [
        (200, "{}", None),
        (403, '{"message": "subscription does not permit querying recent SIP data"}', "alpaca_data_delay_minutes"),
        (403, '{"message": "forbidden."}', "Copy the key again"),
        (429, '{"message": "too many requests."}', "alpaca_data_requests_per_minute"),
        (500, "", "status page"),
        (400, '{"message": "invalid symbol: SPY"}', None),
    ],
)
def test_the_vendor_is_asked(vendor: Vendor, status: int, body: str, remedy: str | None) -> None:
    """The newest bars that the plan is said to have, with the keys; answered as Alpaca's documentation says."""
    vendor.answer = status, body
    settings = FundSettings().market_data.model_copy(
        update={"market_data_vendor": "alpaca", "alpaca_data_url": vendor.url, "alpaca_data_delay_minutes": 15}
    )
    keys = {"ALPACA_API_KEY_ID": "PKONE", "ALPACA_API_SECRET": "hidden"}
    finding = check_vendor(settings, keys, datetime(2026, 11, 20, 16, tzinfo=UTC))
    assert finding.healthy is (remedy is None)
    assert (remedy or "") in (finding.remedy or "")
    assert "200 requests a minute" in finding.seen
    assert "hidden" not in finding.seen
    (asked,) = vendor.asked
    assert "end=2026-11-20T15%3A45" in asked


def test_the_vendor_is_asked_with_its_own_key(vendor: Vendor) -> None:
    """Polygon's; without a key, and of files, nobody is asked; a vendor that does not answer is a fault."""
    settings = FundSettings().market_data.model_copy(update={"polygon_base_url": vendor.url})
    now, keys = datetime(2026, 11, 20, 16, tzinfo=UTC), {"POLYGON_API_KEY": "hidden"}
    assert check_vendor(settings, keys, now).healthy
    assert vendor.asked == ["/v1/marketstatus/now"]
    assert check_vendor(settings, {}, now).healthy
    assert check_vendor(settings.model_copy(update={"market_data_vendor": "files"}), keys, now).healthy
    assert len(vendor.asked) == 1
    vendor.server_close()
    assert "no answer" in check_vendor(settings, keys, now).seen


@pytest.mark.parametrize(("second", "healthy"), [(0, True), (30, True), (31, False)])
def test_clock(second: int, healthy: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """A difference of up to 30 seconds is tolerated."""
    now = datetime(2026, 11, 20, 12, 0, second, tzinfo=UTC)

    assert healthy == doctor.check_clock("exchange", "Fri, 20 Nov 2026 12:00:00 GMT", now).healthy


def test_unreachable() -> None:
    """A service that does not answer is a fault with its address."""
    url = f"http://127.0.0.1:{free_port()}/ready"
    finding = doctor.check_answer("datamanager", url, datetime.now(UTC))[0]

    assert url in (finding.remedy or "")
