"""The doctor names each fault together with what to do, and finds nothing wrong where nothing is."""

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fund import doctor
from fund.home import Home
from fund.services import Addresses
from internal.baselines.trees import load_lightgbm
from internal.errors import ConfigurationError

PAPER = "https://paper-api.alpaca.markets"
LIVE = "https://api.alpaca.markets"


def faults(findings: list[doctor.Finding]) -> list[str]:
    """The subjects at fault."""
    return [finding.subject for finding in findings if not finding.healthy]


@pytest.mark.parametrize(("version", "healthy"), [((3, 12), True), ((3, 11), False), ((3, 13), False)])
def test_python(version: tuple[int, int], healthy: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """Only 3.12 will do."""
    assert healthy == doctor.check_python(version).healthy


def test_compiler_missing() -> None:
    """Without a compiler the remedy is `uv sync`, which brings one."""

    def nothing() -> None:
        raise ConfigurationError("no clang")

    finding = doctor.check_compiler(nothing)

    assert not finding.healthy
    assert "uv sync" in (finding.remedy or "")


def test_openmp_missing() -> None:
    """Without the system's OpenMP library the remedy names its package; here it is present."""

    def nothing() -> None:
        raise ConfigurationError("install the OpenMP library (Debian: libgomp1, macOS: libomp)")

    assert "libgomp1" in (doctor.check_openmp(nothing).remedy or "")
    assert doctor.check_openmp(load_lightgbm).healthy


def test_port_taken_by_a_stranger(tmp_path: Path) -> None:
    """A stranger on the port is a fault; the remedy names the variable."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        addresses = Addresses({"exchange": other.getsockname()[1]})

        assert "EXCHANGE_PORT" in (doctor.check_port(Home(tmp_path), addresses, "exchange").remedy or "")


def test_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Below 2 GiB the disk is a fault; a folder that does not exist yet is judged by its parent."""
    assert doctor.check_disk(tmp_path / "not" / "yet").healthy
    monkeypatch.setattr(doctor, "DISK_BYTES", 2**62)
    assert not doctor.check_disk(tmp_path / "not" / "yet").healthy


def test_no_account() -> None:
    """No account is what the offline fund expects."""
    assert faults(doctor.check_configuration({})) == []


@pytest.mark.parametrize(
    ("key", "url", "expected"),
    [("PKX", PAPER, []), ("AKX", LIVE, []), ("PKX", LIVE, ["broker key"]), ("AKX", PAPER, ["broker key"])],
)
def test_key_and_address(key: str, url: str, expected: list[str]) -> None:
    """A paper key at the live address (and the reverse) is a fault, under either set of names."""
    whole = {"APCA_API_SECRET_KEY": "s", "MASSIVE_API_KEY": "m"}

    assert expected == faults(doctor.check_configuration(whole | {"APCA_API_KEY_ID": key, "APCA_API_BASE_URL": url}))
    assert expected == faults(doctor.check_configuration(whole | {"ALPACA_API_KEY_ID": key, "ALPACA_BASE_URL": url}))


def test_half_an_account_names_what_is_missing_and_no_secret() -> None:
    """Half a configuration names the other half; secrets are never shown."""
    findings = doctor.check_configuration({"ALPACA_API_SECRET": "topsecret"})

    assert faults(findings) == ["configuration"]
    assert "ALPACA_API_KEY_ID" in findings[-1].seen
    assert "topsecret" not in str(findings)


@pytest.mark.parametrize(("second", "healthy"), [(0, True), (30, True), (31, False)])
def test_clock(second: int, healthy: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """Half a minute apart is tolerated, more is a fault."""
    now = datetime(2026, 11, 20, 12, 0, second, tzinfo=UTC)

    assert healthy == doctor.check_clock("exchange", "Fri, 20 Nov 2026 12:00:00 GMT", now).healthy


def test_unreachable(free_port: Callable[[], int]) -> None:
    """A service that does not answer is a fault with its address."""
    url = f"http://127.0.0.1:{free_port()}/ready"
    finding = doctor.check_answer("datamanager", url, datetime.now(UTC))[0]

    assert url in (finding.remedy or "")
