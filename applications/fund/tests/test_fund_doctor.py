"""Each check of `fund doctor` reports its fault together with a remedy, and no fault on a healthy machine."""

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fund import doctor
from fund.addresses import Addresses, Service
from fund.folder import FundFolder
from internal.baselines.trees import load_lightgbm
from internal.errors import ConfigurationError

PAPER = "https://paper-api.alpaca.markets"
LIVE = "https://api.alpaca.markets"


def faults(findings: list[doctor.Finding]) -> list[str]:
    """The subjects at fault."""
    return [finding.subject for finding in findings if not finding.healthy]


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
    assert doctor.check_lightgbm(load_lightgbm).healthy
    assert doctor.check_lightgbm(None).healthy


def test_proxies() -> None:
    """Proxies of the environment are named, in whatever case, and are no fault."""
    (finding,) = doctor.check_proxies({"http_proxy": "http://a:1", "ALL_PROXY": "socks5://b:2", "NO_PROXY": "c"})
    assert finding.healthy
    assert finding.seen.startswith("ALL_PROXY, http_proxy set; not used")
    assert doctor.check_proxies({"HTTPS_PROXY": ""}) == []


def test_port_in_use(tmp_path: Path) -> None:
    """Another program on the port is a fault; the remedy names the variable that moves it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        addresses = Addresses({Service.EXCHANGE: other.getsockname()[1]})

        assert "EXCHANGE_PORT" in (doctor.check_port(FundFolder(tmp_path), addresses, Service.EXCHANGE).remedy or "")


def test_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Below 2 GiB the disk is a fault; a folder that does not exist yet is judged by its parent."""
    assert doctor.check_disk(tmp_path / "not" / "yet").healthy
    monkeypatch.setattr(doctor, "DISK_BYTES", 2**62)
    assert not doctor.check_disk(tmp_path / "not" / "yet").healthy


def test_no_account() -> None:
    """No account is no fault: the fund runs offline."""
    assert faults(doctor.check_configuration({})) == []


@pytest.mark.parametrize(
    ("key", "url", "expected"),
    [("PKX", PAPER, []), ("AKX", LIVE, []), ("PKX", LIVE, ["broker key"]), ("AKX", PAPER, ["broker key"])],
)
def test_key_and_address(key: str, url: str, expected: list[str]) -> None:
    """A paper key at the live address (and the reverse) is a fault, under either set of names."""
    whole = {"APCA_API_SECRET_KEY": "s", "MASSIVE_API_KEY": "m", "EDGAR_USER_AGENT": "A name a@b.c"}

    assert expected == faults(doctor.check_configuration(whole | {"APCA_API_KEY_ID": key, "APCA_API_BASE_URL": url}))
    assert expected == faults(doctor.check_configuration(whole | {"ALPACA_API_KEY_ID": key, "ALPACA_BASE_URL": url}))


def test_incomplete_account() -> None:
    """An incomplete configuration names the missing settings; secrets are never shown."""
    findings = doctor.check_configuration({"ALPACA_API_SECRET": "topsecret"})

    assert faults(findings) == ["configuration"]
    assert "ALPACA_API_KEY_ID" in findings[-1].seen
    assert "topsecret" not in str(findings)


@pytest.mark.parametrize(("second", "healthy"), [(0, True), (30, True), (31, False)])
def test_clock(second: int, healthy: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """A difference of up to 30 seconds is tolerated."""
    now = datetime(2026, 11, 20, 12, 0, second, tzinfo=UTC)

    assert healthy == doctor.check_clock("exchange", "Fri, 20 Nov 2026 12:00:00 GMT", now).healthy


def test_unreachable(free_port: Callable[[], int]) -> None:
    """A service that does not answer is a fault with its address."""
    url = f"http://127.0.0.1:{free_port()}/ready"
    finding = doctor.check_answer("datamanager", url, datetime.now(UTC))[0]

    assert url in (finding.remedy or "")
