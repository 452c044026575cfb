"""`fund.toml`: what is read, what wins, what each mistake is answered with, and that no setting is missing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

import datamanager.configuration
import models.configuration
import portfoliomanager.configuration
import scheduler.configuration
from fund.market_settings import MarketSettings
from fund.real_run import name_market
from fund.settings.fund_settings import SECTIONS, FundSettings, explain_defaults, read_settings
from fund.settings.reference import reference_page
from fund.settings.secrets import Secret, read_secret, secret_file, secret_variables, write_secret
from fund.settings.sections import switch_volatility
from fund.settings.variables import as_text, service_variables
from internal.errors import ConfigurationError
from internal.modes import Mode
from internal.settings import variable_names
from internal.venue.market.volatility_regime import LARGEST_MULTIPLIER

ROOT = Path(__file__).parents[3]
SET_BY_RUN = {  # by the mode, or by what runs where
    *("alpaca_base_url", "datamanager_url", "drain_seconds", "event_subscribers", "fund_api_token", "log_format"),
    *("models_state_directory", "portfoliomanager_url", "retrain_model", "scheduler_url", "state_directory"),
}
SERVICES: tuple[type[BaseSettings], ...] = (
    datamanager.configuration.Configuration,
    portfoliomanager.configuration.Configuration,
    models.configuration.Configuration,
    scheduler.configuration.Configuration,
)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FUND_MODE", *Secret, *(key.upper() for one in SECTIONS.values() for key in one.model_fields)):
        monkeypatch.delenv(name, raising=False)


def read(folder: Path, text: str) -> FundSettings:
    """The settings of a file with this text."""
    path = folder / "fund.toml"
    path.write_text(text)
    return read_settings(path)


def offered() -> Mapping[str, Any]:
    """Every key with its default."""
    return {key: field.default for section in SECTIONS.values() for key, field in section.model_fields.items()}


def test_no_file(tmp_path: Path) -> None:
    """Without a file everything has its default, and the fund is simulated."""
    assert read_settings(tmp_path / "fund.toml").mode is Mode.SIMULATED


def test_values_and_variables(tmp_path: Path) -> None:
    """What the file says reaches the services under the key's name in capitals; numbers may stand for texts."""
    settings = read(
        tmp_path,
        'mode = "paper"\n[trading]\ncapital = 50000\n[broker]\ntrade_updates = false\n[simulation]\nexchange_seed = 3',
    )
    variables = service_variables(settings)

    assert settings.mode is Mode.PAPER
    assert variables["CAPITAL"] == "50000"
    assert variables["TRADE_UPDATES"] == "false"
    assert variables["MARKET_DATA_VENDOR"] == "polygon"
    assert "DATA_BUCKET" not in variables
    assert "EXCHANGE_SEED" not in variables


def test_volatility_regime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The switch of volatility is a date of the file, or a text, and belongs to the market; variables win."""
    written = "exchange_regime_date = 2026-03-02\nexchange_regime_multiplier = 2.5\n"
    monkeypatch.setenv("EXCHANGE_REGIME_SESSIONS", "40")
    expected = {"regime_date": "2026-03-02", "regime_multiplier": "2.5", "regime_sessions": "40"}
    for text in (written, written.replace("2026-03-02", '"2026-03-02"')):
        settings = read(tmp_path, f"[simulation]\n{text}")
        assert settings.simulation.switch == expected
        assert name_market(settings) == MarketSettings(bars=None, details=None, seed=1, tickers=120, **expected)
    monkeypatch.delenv("EXCHANGE_REGIME_SESSIONS")
    assert read(tmp_path, "").simulation.switch == {}
    largest = "[simulation]\nexchange_regime_date = 2026-03-02\nexchange_regime_multiplier = "
    read(tmp_path, f"{largest}{LARGEST_MULTIPLIER}")
    with pytest.raises(ConfigurationError, match="line 3: exchange_regime_multiplier is wrong: input should be less"):
        read(tmp_path, f"{largest}{LARGEST_MULTIPLIER + 0.1}")


def test_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable wins over the file, and so does the file that `NAME_FILE` names; the rest of the section stays."""
    (tmp_path / "capital").write_text("30%\n")
    monkeypatch.setenv("CAPITAL_FILE", str(tmp_path / "capital"))
    monkeypatch.setenv("DO_NOT_TRADE", "TSLA")
    settings = read(tmp_path, '[trading]\ncapital = "50%"\nonly_trade = "AAPL"\ndo_not_trade = ""\n')

    trading = settings.trading
    assert (trading.capital, trading.only_trade, trading.do_not_trade) == ("30%", "AAPL", "TSLA")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('mode = "papr"', r"fund\.toml, line 1: mode is wrong: input should be 'simulated', 'paper' or 'live'"),
        ('\n[trading]\ncaptial = "1"', r"line 3: captial is no setting\. Did you mean capital\?"),
        ('[broker]\ncapital = "1"', r"line 2: capital is no setting\. It belongs below \[trading\]"),
        ('capital = "1"', r"line 1: capital is no section or setting\. It belongs below \[trading\]"),
        ("[tradng]\nx = 1", r"line 1: tradng is no section or setting\. Did you mean trading\?"),
        ("[broker]\nzzz = 1", r"line 2: zzz is no setting\. Below \[broker\] are: trade_updates, lease_seconds"),
        ("[services]\ndatamanager_port = 70000", r"line 2: datamanager_port is wrong: input should be less than"),
        ("[models]\nmodel_size = 'big'", r"line 2: model_size is wrong: input should be 'small' or 'full'"),
        (
            "[trading]\nsecurity_types = 'CS,XYZ'",
            r"line 2: security_types is wrong: no such type: XYZ; there are CS, PFD",
        ),
        ("[trading]\nonly_trade = 'industry:Coal'", r"line 2: only_trade is wrong: 'industry:Coal' is no entry"),
        ("[trading]\ncapital = 'much'", r"line 2: capital is wrong: .*'much': write dollars above 0"),
        (
            "[simulation]\nexchange_regime_sessions = 40",
            r"line 2: exchange_regime_sessions is wrong: it needs exchange_regime_date: set that too, or leave",
        ),
        (
            "[simulation]\nexchange_regime_date = 2026-03-02\nexchange_bars_file = 'bars.csv'",
            r"line 2: exchange_regime_date is wrong: it is for the simulated market: leave it out where a file",
        ),
        (
            "[simulation]\nexchange_details_file = 'details.csv'",
            r"line 2: exchange_details_file is wrong: it belongs to exchange_bars_file: set both, or neither",
        ),
        ("mode = paper", r"fund\.toml, line 1: the value cannot be read: mode = paper\nA text is in quotes"),
        ("[trading]\ncapital = 50%", r"line 2: something follows the value: capital = 50%\nA text is in quotes"),
        ('mode = "paper\n[trading]\n', r'line 1: the text has no closing quote: mode = "paper\n'),
        ("mode = 'paper", r"line 1: the text has no closing quote: mode = 'paper\n"),
        ("[trading]\ncapital 5", r"line 2: there is no = behind the key: capital 5\nWrite one setting a line"),
        ("[trading\n", r"line 1: the section has no closing bracket: \[trading\n"),
        ("!", r"line 1: this is no setting and no section: !\n"),
        ("[broker]\nx = 1\nx = 2\n", r"line 3: this key was set before: x = 2\nRemove one"),
        ("[broker]\n[broker]\n", r"line 2: this section was there before: \[broker\]\nPut all"),
        ("x = [1,", r"line 1: the value cannot be read: x = \[1,"),
        ("x = {a.b.c = 1, a.b = 2}", r"line 1: duplicate inline table key 'b': x = "),
        ("trading = 3", r"line 1: trading is wrong"),
        ("[broker]\nALPACA_API_SECRET = 'x'", r"line 2: ALPACA_API_SECRET is a secret.*secrets/ALPACA_API_SECRET"),
        ("apca_api_key_id = 'x'", r"line 1: apca_api_key_id is a secret.*secrets/ALPACA_API_KEY_ID.*fund init"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    """Each mistake is answered with its line, what is allowed, and what was meant."""
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path, text)


def test_a_fund_that_nobody_set_up(tmp_path: Path) -> None:
    """Without a file the fund says that it is simulated, and which command changes that; with one, nothing."""
    path = tmp_path / "fund.toml"
    assert "is simulated, with default settings: `./fund init`" in (explain_defaults(path) or "")
    path.touch()
    assert explain_defaults(path) is None


def test_mistake_in_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong value of the environment is not blamed on the file."""
    monkeypatch.setenv("LEASE_SECONDS", "soon")
    with pytest.raises(ConfigurationError, match=r"^the environment's LEASE_SECONDS is wrong: input should be a valid"):
        read(tmp_path, "[broker]\nlease_seconds = 30\n")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("EXCHANGE_REGIME_MULTIPLIER", "99", "input should be less than or equal to 10"),
        (
            "EXCHANGE_REGIME_MULTIPLIER",
            "2",
            "it needs EXCHANGE_REGIME_DATE: set that too, or leave this out",
        ),
        ("EXCHANGE_DETAILS_FILE", "details.csv", "it belongs to EXCHANGE_BARS_FILE: set both, or neither"),
    ],
)
def test_a_wrong_market_in_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    """`fund run` and `fund up` answer with one sentence, which names the variable once."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as told_by_run:
        read(tmp_path, "")
    with pytest.raises(ConfigurationError) as told_by_up:
        switch_volatility(
            MarketSettings(None, value if name == "EXCHANGE_DETAILS_FILE" else None, 1, 120), {name: value}
        )
    assert told_by_up.value.detail == f"{name} is wrong: {expected}"
    assert told_by_run.value.detail == f"the environment's {told_by_up.value.detail}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_is_offered(service: type[BaseSettings]) -> None:
    """Each setting of a service is a key with the same default, a secret, or set by `fund run` itself."""
    for name, field in service.model_fields.items():
        variable = variable_names(name, field)[0]
        if name in SET_BY_RUN or variable in set(Secret):
            continue
        assert not isinstance(field.default, SecretStr)
        assert variable.lower() in offered(), f"{variable} is in no section of fund.settings.sections"
        if not field.is_required():
            assert as_text(offered()[variable.lower()]) == as_text(field.default), name


def test_reference_page() -> None:
    """The page is what the settings say, and the page of all variables names each."""
    variables = (ROOT / "docs" / "reference" / "settings.md").read_text()

    assert (ROOT / "docs" / "reference" / "fund_toml.md").read_text() == reference_page()
    assert [key for key in offered() if key.upper() not in variables and not key.startswith("exchange_")] == []


def test_secrets_are_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret's file has mode 600 in a folder of mode 700; the environment wins; a file for all is refused."""
    write_secret(tmp_path, Secret.POLYGON_API_KEY, " key\n")
    path = secret_file(tmp_path, Secret.POLYGON_API_KEY)

    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert read_secret(tmp_path, Secret.POLYGON_API_KEY) == "key"
    assert secret_variables(tmp_path, {}) == {"POLYGON_API_KEY_FILE": str(path)}
    assert secret_variables(tmp_path, {"POLYGON_API_KEY": "other"}) == {}
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="may be read by others: run `chmod 600"):
        secret_variables(tmp_path, {})
    monkeypatch.setenv("POLYGON_API_KEY", "other")
    assert read_secret(tmp_path, Secret.POLYGON_API_KEY) == "other"
