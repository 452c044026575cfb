"""Configuration: which keys go where, which names are read, and what a wrong one says."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from loaded_strategies import TEN_BY_TEN

from internal.errors import ConfigurationError
from internal.modes import LIVE_HOST, PAPER_HOST, Mode, mode_of, require_matching_keys
from internal.trading.limits import RiskLimits
from internal.trading.name_filter import NameFilter
from portfoliomanager.configuration import Configuration

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
    hosts = {f"https://{PAPER_HOST}": Mode.PAPER, f"https://{LIVE_HOST}": Mode.LIVE}
    assert mode_of(url) is hosts.get(url, Mode.SIMULATED)


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
        if name.startswith(("ALPACA_", "APCA_", "STRATEGY", "DATAMANAGER_", "FUND_API")):
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


def test_strategy_and_parameters(variables: pytest.MonkeyPatch) -> None:
    """File, class and parameters reach the strategy that decides; all are in its record."""
    variables.setenv("STRATEGY", TEN_BY_TEN)
    variables.setenv("STRATEGY_PARAMETERS", 'names_per_side=20 same_day_lock=false schedule="every 5 sessions"')
    record = Configuration().load_strategy().record
    parameters = json.loads(record.parameters)
    assert (parameters["names_per_side"], parameters["same_day_lock"]) == (20, False)
    assert parameters["schedule"] == "every 5 sessions"
    assert record.name == "ten_by_ten"
    assert record.digest == hashlib.sha256(Path(TEN_BY_TEN.partition(":")[0]).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("strategy", "parameters", "complaint"),
    [
        (TEN_BY_TEN, "names_per_side", "name=value"),
        (TEN_BY_TEN, "names_per_side=1 names_per_side=2", "given twice"),
        (TEN_BY_TEN, 'schedule="daily', "No closing quotation"),
        (TEN_BY_TEN, "names=5", "no parameter names; it has"),
        (TEN_BY_TEN, "names_per_side=many", "names_per_side=many"),
        ("strategies/none.py:None", "", "there is no file strategies/none.py"),
        ("strategies/ten_by_ten.py", "", "FILE.py:Class"),
        (TEN_BY_TEN.replace("TenByTen", "Absent"), "", "has no class Absent"),
    ],
)
def test_a_wrong_strategy_is_refused(
    variables: pytest.MonkeyPatch, strategy: str, parameters: str, complaint: str
) -> None:
    """Each says which setting is wrong, and why."""
    variables.setenv("STRATEGY", strategy)
    variables.setenv("STRATEGY_PARAMETERS", parameters)
    with pytest.raises(ConfigurationError, match=complaint) as refused:
        Configuration().load_strategy()
    assert "STRATEGY" in refused.value.detail


def test_a_process_without_settings_says_which(variables: pytest.MonkeyPatch) -> None:
    """The real process ends with a code that is not 0 and one sentence on the variable, without a secret."""
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
    assert ended.stderr.startswith("error: ALPACA_BASE_URL is not set")
    assert "Traceback" not in ended.stderr
    assert "hidden-words" not in ended.stderr + ended.stdout


def test_limits_are_settings(variables: pytest.MonkeyPatch) -> None:
    """Every limit has a setting with its own default, is documented, and refuses what makes no sense by its name."""
    settings = Configuration()
    assert settings.risk_limits(NameFilter()) == RiskLimits()
    page = Path("docs/reference/settings.md").read_text(encoding="utf-8")
    names = [f"LIMIT_{one.name.upper()}" for one in fields(RiskLimits) if one.name != "names"]
    assert [name for name in names if f"`{name}`" not in page] == []
    variables.setenv("LIMIT_ORDERS_A_DAY", "7")
    assert Configuration().risk_limits(NameFilter()).orders_a_day == 7
    variables.setenv("LIMIT_ORDERS_A_DAY", "many")
    with pytest.raises(ConfigurationError, match="LIMIT_ORDERS_A_DAY is wrong"):
        Configuration()
