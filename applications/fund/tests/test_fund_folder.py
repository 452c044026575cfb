"""The fund's folder keeps its market settings whole, and lets only its owner read the keys."""

import stat
from dataclasses import astuple, replace
from pathlib import Path

import pytest

from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from internal.errors import ConfigurationError


@pytest.fixture
def folder(tmp_path: Path) -> FundFolder:
    """A new folder."""
    return FundFolder(tmp_path / "fund")


MARKET = MarketSettings(bars=None, details=None, seed=1, tickers=120)
OPENED = replace(MARKET, session="2024-12-31")


def test_new_folder(folder: FundFolder) -> None:
    """A folder without market settings is a new fund."""
    assert folder.read_market() is None


def test_market_round_trip(folder: FundFolder) -> None:
    """What was saved is what a later run reads."""
    folder.save_market(OPENED)

    assert folder.read_market() == OPENED


def test_opening_session_is_not_guessed(folder: FundFolder) -> None:
    """Before the exchange has reported its session, asking for it is an error."""
    folder.save_market(MARKET)

    with pytest.raises(ConfigurationError, match="has not been opened yet"):
        _ = (folder.read_market() or OPENED).opening_session


@pytest.mark.parametrize("text", ["", "{", '{"bars": null}', "[]", '{"unknown": 1}'])
def test_damaged_file(folder: FundFolder, text: str) -> None:
    """A damaged file is reported with its path and not overwritten."""
    folder.root.mkdir()
    (folder.root / "opening.json").write_text(text)

    with pytest.raises(ConfigurationError, match=r"opening\.json is damaged"):
        folder.read_market()
    assert text == (folder.root / "opening.json").read_text()


def test_credentials_are_private_and_stay(folder: FundFolder) -> None:
    """Keys are generated once, look like paper keys, and only their owner may read them."""
    first = folder.credentials()

    assert first == folder.credentials()
    assert first.api_key_id.startswith("PK")
    assert stat.S_IMODE((folder.root / "credentials.json").stat().st_mode) == 0o600
    assert len(set(astuple(first))) == 4


def test_two_funds_share_no_key(tmp_path: Path) -> None:
    """Each folder has keys of its own."""
    one, other = FundFolder(tmp_path / "one").credentials(), FundFolder(tmp_path / "other").credentials()

    assert not set(astuple(one)) & set(astuple(other))


def test_same_market() -> None:
    """Every option makes another market; the session, which the exchange chooses, does not, nor does another file."""
    assert MARKET.same_market(OPENED)
    for other in (
        replace(MARKET, bars="x.csv"),
        replace(MARKET, details="y.csv"),
        replace(MARKET, seed=2),
        replace(MARKET, tickers=121),
        replace(MARKET, cash="50000.00"),
        replace(MARKET, events="frequent"),
    ):
        assert not MARKET.same_market(other)
    assert replace(MARKET, cash="50000.00", events="frequent").same_market(MARKET)
    assert MARKET.same_market(replace(MARKET, events="none", signal="momentum"))
    assert replace(MARKET, signal="none").same_market(MARKET)
    assert not MARKET.same_market(replace(MARKET, signal="none"))
    assert not replace(MARKET, events="frequent").same_market(replace(MARKET, events="none"))
    assert not replace(MARKET, bars="x.csv").same_market(replace(OPENED, bars="x.csv", cash="1.00"))
    assert replace(MARKET, bars="x.csv").same_market(replace(OPENED, bars="y.csv", details="z.csv"))
