"""The fund's folder keeps what it was opened with, whole, and its credentials to its owner."""

import json
import stat
from pathlib import Path

import pytest

from fund.home import Home, Opening, write_whole
from internal.errors import ConfigurationError


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A new folder."""
    return Home(tmp_path / "fund")


def opening(**changes: object) -> Opening:
    """An opening on the simulated market, with changes."""
    options: dict[str, object] = {"bars": None, "details": None, "seed": 1, "tickers": 120} | changes
    return Opening(**options)  # type: ignore[arg-type]


def test_new_folder(home: Home) -> None:
    """A folder without a record is a new fund."""
    assert home.opening() is None


def test_opening_round_trip(home: Home) -> None:
    """What was saved is what a later run reads."""
    home.save_opening(opening(session="2024-12-31"))

    assert opening(session="2024-12-31") == home.opening()


def test_opening_not_known(home: Home) -> None:
    """Before the exchange has told its session there is none to be guessed."""
    home.save_opening(opening())

    with pytest.raises(ConfigurationError, match="has not been opened yet"):
        _ = (home.opening() or opening()).opening_session


@pytest.mark.parametrize("text", ["", "{", '{"bars": null}', "[]", '{"unknown": 1}'])
def test_damaged_record(home: Home, text: str) -> None:
    """A damaged record is said, with its path, and not overwritten."""
    home.root.mkdir()
    (home.root / "opening.json").write_text(text)

    with pytest.raises(ConfigurationError, match=r"opening\.json is damaged"):
        home.opening()
    assert text == (home.root / "opening.json").read_text()


def test_credentials_are_private_and_stay(home: Home) -> None:
    """Keys are made once, look like paper keys, and only their owner may read them."""
    first = home.credentials()

    assert first == home.credentials()
    assert first["api_key_id"].startswith("PK")
    assert stat.S_IMODE((home.root / "credentials.json").stat().st_mode) == 0o600
    assert len(set(first.values())) == len(first)


def test_two_funds_share_no_key(tmp_path: Path) -> None:
    """Each folder has keys of its own."""
    one, other = Home(tmp_path / "one").credentials(), Home(tmp_path / "other").credentials()

    assert not set(one.values()) & set(other.values())


def test_same_market() -> None:
    """The session is found out, not chosen: it does not make another market; every option does."""
    assert opening().same_market(opening(session="2024-12-31"))
    for change in ({"bars": "x.csv"}, {"details": "y.csv"}, {"seed": 2}, {"tickers": 121}):
        assert not opening().same_market(opening(**change))


def test_write_whole_keeps_the_old_text_when_the_folder_is_a_file(tmp_path: Path) -> None:
    """A folder that cannot be made is an error with a remedy."""
    (tmp_path / "file").write_text("kept")

    with pytest.raises(ConfigurationError, match="FUND_HOME"):
        write_whole(tmp_path / "file" / "record.json", json.dumps({}))
    assert (tmp_path / "file").read_text() == "kept"
