"""`fund init`: unattended and asked, what it changes and what it leaves, keys, and what it says about mistakes."""

import os
import re
import sys
from pathlib import Path

import pytest
from terminal import Sender, Strike, Terminal
from typer.testing import CliRunner, Result

from fund.__main__ import application
from fund.broker_record import BrokerRecord
from fund.folder import FundFolder
from fund.settings.fund_settings import SECTIONS, FundSettings
from fund.settings.secrets import Secret, read_secret, secret_file
from internal.modes import Mode

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fund's folder of an owner without any setting in the environment, and without a network."""
    for name in ("FUND_MODE", *Secret, *(key.upper() for one in SECTIONS.values() for key in one.model_fields)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FUND_HOME", str(tmp_path / "fund"))
    monkeypatch.setenv("ALPACA_BASE_URL", NOBODY)
    return tmp_path / "fund"


def init(*options: str, typed: str = "") -> Result:
    """Run `fund init` with options, typing what it asks for."""
    return CliRunner().invoke(application, ["init", *options], input=typed)


def key_file(home: Path, value: str) -> str:
    """A file with a key."""
    path = home.parent / "key"
    path.write_text(f"{value}\n")
    return str(path)


def test_unattended(home: Path) -> None:
    """Options alone write the file and the keys, privately, and say that the broker did not answer."""
    result = init(
        *("--yes", "--mode", "paper", "--vendor", "alpaca", "--capital", "50%", "--limit", "daily_loss=0.03"),
        *("--key", f"ALPACA_API_KEY_ID={key_file(home, 'PKONE')}"),
        *("--key", f"ALPACA_API_SECRET={key_file(home, 'PKONE')}"),
    )

    assert result.exit_code == 0, result.output
    text = (home / "fund.toml").read_text()
    assert 'mode = "paper"' in text
    assert "limit_daily_loss = 0.03\n" in text
    assert "lease_seconds" not in text
    assert read_secret(home, Secret.ALPACA_API_KEY_ID) == "PKONE"
    assert "The keys were not checked: the broker at http://127.0.0.1:9 does not answer" in result.output
    modes = [path.stat().st_mode & 0o777 for path in (home, home / "secrets", home / "fund.toml")]
    assert modes == [0o700, 0o700, 0o600]


def test_asked(home: Path) -> None:
    """What is typed is written; Enter keeps the default, a wrong answer is asked for again, keys may come later."""
    typed = ["paper", "alpaca", "Jane Doe jane@example.com", "", "much", "60000", "", "", "0.02", "", "small", "", ""]
    result = init(typed="\n".join([*typed, "nowhere://hidden", "ntfy://topic", ""]) + "\n")

    assert result.exit_code == 0, result.output
    text = (home / "fund.toml").read_text()
    assert "'much': write dollars above 0" in result.output
    assert 'capital = "60000"' in text
    assert "limit_daily_loss = 0.02" in text
    assert 'model_size = "small"' in text
    assert "strategy =" not in text
    assert f"write the key into {secret_file(home, Secret.ALPACA_API_KEY_ID)}" in result.output
    assert "NOTIFICATION_URLS is wrong: line 1" in result.output
    assert "hidden" not in result.output
    assert secret_file(home, Secret.NOTIFICATION_URLS).read_text().split() == ["ntfy://topic"]
    assert secret_file(home, Secret.NOTIFICATION_URLS).stat().st_mode & 0o777 == 0o600


def test_without_answers(home: Path) -> None:
    """Where standard input ends at a question, as without a terminal, the error names the options; nothing is left."""
    result = init(typed="simulated\n")

    assert "give the answers as options and `--yes`" in getattr(result.exception, "detail", "")
    assert not home.exists()


def test_again(home: Path) -> None:
    """A second run changes what is answered; comments, other keys and stored secrets stay."""
    init("--yes", "--mode", "paper", "--vendor", "alpaca", "--key", f"ALPACA_API_KEY_ID={key_file(home, 'PKONE')}")
    path = home / "fund.toml"
    path.write_text(path.read_text() + "\n[broker]\n# our stream is down\ntrade_updates = false\n")
    before = path.read_text()
    result = init("--yes", "--capital", "1000")

    assert result.exit_code == 0, result.output
    assert path.read_text() == before + '\n[trading]\ncapital = "1000"\n'
    assert read_secret(home, Secret.ALPACA_API_KEY_ID) == "PKONE"


def test_keys_of_the_environment_are_stored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service of the machine has no such environment, so a key that was only there is written down."""
    monkeypatch.setenv("ALPACA_API_KEY_ID", "PKTWO")
    init("--yes", "--mode", "paper", "--vendor", "alpaca")
    assert secret_file(home, Secret.ALPACA_API_KEY_ID).read_text() == "PKTWO\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--mode", "papr"), "mode is wrong: input should be 'simulated', 'paper' or 'live'"),
        (("--limit", "daily_los=1"), "Did you mean limit_daily_loss?"),
        (("--limit", "daily_loss"), "write NAME=VALUE"),
        (("--key", "ALPACA_KEY=x"), "the names are ALPACA_API_KEY_ID"),
        (("--key", "POLYGON_API_KEY=/nowhere"), "/nowhere cannot be read"),
        (("--strategy", "nowhere.py:Idea"), "nowhere.py"),
        (("--edgar", "jane@example.com"), "edgar_user_agent is wrong: the SEC asks for a name and an e-mail address"),
        (("--mode", "live"), "the fund is live, but ALPACA_BASE_URL is http://127.0.0.1:9, which is simulated"),
    ],
)
def test_mistakes_write_nothing(home: Path, options: tuple[str, ...], message: str) -> None:
    """Each is answered with what is allowed, and no file is left."""
    result = init("--yes", *options)

    assert message in getattr(result.exception, "detail", "")
    assert not home.exists()


def test_targets_of_messages(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is no address is refused by its number, and its text is not shown; so are chats without a bot."""
    wrong = init("--yes", "--key", f"NOTIFICATION_URLS={key_file(home, '# mine' + chr(10) + 'nowhere://hidden')}")
    assert "NOTIFICATION_URLS is wrong: line 2" in getattr(wrong.exception, "detail", "")
    assert "hidden" not in str(wrong.exception)
    monkeypatch.setenv("TELEGRAM_CHATS", "42")
    no_bot = init("--yes", "--key", f"NOTIFICATION_URLS={key_file(home, 'json://127.0.0.1')}")
    assert "no line of NOTIFICATION_URLS is tgram://" in getattr(no_bot.exception, "detail", "")
    assert not home.exists()


def test_key_of_the_other_kind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A paper key for a live fund is refused before anything is written or sent."""
    monkeypatch.delenv("ALPACA_BASE_URL")
    key = f"ALPACA_API_KEY_ID={key_file(home, 'PKONE')}"
    result = init("--yes", "--mode", "live", "--vendor", "alpaca", "--key", key)

    assert "is no live key (AK...)" in getattr(result.exception, "detail", "")
    assert not home.exists()


def test_options_of_a_simulated_fund(home: Path) -> None:
    """What a simulated fund is not asked for is checked and written all the same when an option gives it."""
    wrong = init("--yes", "--mode", "simulated", "--capital", "much")
    assert "'much': write dollars above 0" in getattr(wrong.exception, "detail", "")
    assert init("--yes", "--mode", "simulated", "--capital", "60000").exit_code == 0
    assert 'capital = "60000"' in (home / "fund.toml").read_text()


def test_a_folder_that_no_lake_can_be_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path with a space is refused before anything is written; with the lake elsewhere it is as good as any."""
    spaced = home.parent / "the fund"
    monkeypatch.setenv("FUND_HOME", str(spaced))
    refused = init("--yes", "--mode", "simulated")
    assert "without spaces" in getattr(refused.exception, "detail", "")
    assert not spaced.exists()
    monkeypatch.setenv("DATA_BUCKET", "s3://bucket/lake")
    assert init("--yes", "--mode", "simulated").exit_code == 0


def test_another_fund_is_there(home: Path) -> None:
    """A folder with a paper fund does not become a live one: the books are another account's."""
    folder = FundFolder(home)
    folder.make_private()
    folder.save_record(BrokerRecord(Mode.PAPER, NOBODY, "PA1"))
    result = init("--yes", "--mode", "simulated")

    assert "holds a paper fund" in getattr(result.exception, "detail", "")
    assert folder.read_mode() is Mode.SIMULATED  # played by an exchange on this machine


def test_interrupt_at_a_prompt(tmp_path: Path) -> None:
    """Ctrl-C at the first question ends it, without a traceback and without a file."""
    home = tmp_path / "fund"
    words = (str(Path(sys.executable).with_name("fund")), "init")
    terminal = Terminal(words, dict(os.environ) | {"FUND_HOME": str(home)}, "FUND_HOME")
    ended = terminal.interrupt([Strike(0.2, "[simulated]:"), Strike(5, "[simulated]:")], Sender.KEYBOARD)

    assert (ended.status, home.exists()) == (1, False), ended
    assert "Traceback" not in ended.printed


def test_help_names_the_defaults() -> None:
    """What `fund.toml` means without an answer, as its settings say."""
    settings = FundSettings()
    defaults = [
        f"{settings.mode} (the default)",
        f"{settings.market_data.market_data_vendor} (the default)",
        f"{settings.models.model_size} (the default)",
        f"by default {settings.trading.strategy}",
    ]
    shown = " ".join(re.sub(r"[│\s]+", " ", init("--help").output).split())
    assert [text for text in defaults if text not in shown] == []
