"""Configuration: which keys go where, which names are read, and what a wrong one says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from internal.errors import ConfigurationError
from portfoliomanager.configuration import LIVE_HOST, PAPER_HOST, Configuration, require_matching_keys

PAPER, LIVE = "PKABCDEF", "AKABCDEF"


@pytest.mark.parametrize(
    ("key", "url"),
    [
        (PAPER, f"https://{PAPER_HOST}"),
        (LIVE, f"https://{LIVE_HOST}"),
        (PAPER, "http://127.0.0.1:8090"),
        (LIVE, "http://localhost:8090"),
        (LIVE, "http://[::1]:8090"),
        ("anything", "http://exchange:8090"),
    ],
)
def test_keys_that_match(key: str, url: str) -> None:
    """Paper keys to paper, live keys to live, any key to a loopback address, others to an exchange of our own."""
    require_matching_keys(key, url)


@pytest.mark.parametrize(
    ("key", "url"),
    [
        (LIVE, f"https://{PAPER_HOST}"),
        (PAPER, f"https://{LIVE_HOST}"),
        (LIVE, "http://exchange:8090"),
        (LIVE, "https://api.alpaca.markets.example.com"),
        (PAPER, f"http://{PAPER_HOST}"),
        (LIVE, f"http://{LIVE_HOST}"),
        (PAPER, "paper-api.alpaca.markets"),
    ],
)
def test_keys_that_do_not(key: str, url: str) -> None:
    """A key for another address, a live key to a stranger, keys in the open: refused without showing the key."""
    with pytest.raises(ConfigurationError) as refused:
        require_matching_keys(key, url)
    assert key not in refused.value.detail


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment with the least that the service needs."""
    for name in list(os.environ):
        if name.startswith(("ALPACA_", "APCA_", "GROSS_", "SAME_DAY", "DATAMANAGER_", "FUND_API")):
            monkeypatch.delenv(name)
    for name, value in {
        "STATE_DIRECTORY": str(tmp_path),
        "DATA_BUCKET": str(tmp_path),
        "REGISTRY_DIRECTORY": str(tmp_path),
        "APCA_API_KEY_ID": PAPER,
        "APCA_API_SECRET_KEY": "hidden-words",
        "APCA_API_BASE_URL": f"https://{PAPER_HOST}/v2/",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_both_names_and_files(variables: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """APCA_ names work as ALPACA_ ones do, also as NAME_FILE; the version in the address is dropped."""
    read = Configuration()
    assert (read.alpaca_api_secret.get_secret_value(), read.broker_url()) == ("hidden-words", f"https://{PAPER_HOST}")
    (tmp_path / "key").write_text("PKFROMFILE\n")
    variables.delenv("APCA_API_KEY_ID")
    variables.setenv("ALPACA_API_KEY_ID_FILE", str(tmp_path / "key"))
    assert Configuration().alpaca_api_key_id.get_secret_value() == "PKFROMFILE"


def test_policy_switches(variables: pytest.MonkeyPatch) -> None:
    """Gross exposure and the lock reach the policy; nonsense is refused by the variable's name."""
    variables.setenv("GROSS_EXPOSURE", "1.5")
    variables.setenv("SAME_DAY_LOCK", "false")
    policy = Configuration().policy()
    assert (policy.gross_exposure, policy.same_day_lock, policy.side_target(100.0)) == (1.5, False, 75.0)
    variables.setenv("GROSS_EXPOSURE", "7")
    with pytest.raises(ConfigurationError, match="GROSS_EXPOSURE"):
        Configuration()


def test_a_process_without_settings_says_which(variables: pytest.MonkeyPatch) -> None:
    """The real process ends with a code that is not 0 and names the variable, without a secret."""
    variables.delenv("APCA_API_BASE_URL")
    command = [
        sys.executable,
        "-m",
        "internal.http.run",
        "portfoliomanager.server:create_application",
        "--port",
        "0",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own
    assert ended.returncode != 0
    assert "ALPACA_BASE_URL is not set" in ended.stderr
    assert "hidden-words" not in ended.stderr + ended.stdout
