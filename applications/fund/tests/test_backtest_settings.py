"""What a backtest may be asked for, and that its folder stays what it was asked for."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fund.backtest import asked_backtest, opening_of, settle
from fund.home import Home, Opening
from fund.services import Addresses, environment
from internal.errors import ConfigurationError

MARKET = Opening(None, None, 1, 40)


def test_days_become_sessions() -> None:
    """From a Saturday to a holiday: Monday to the session before it; the fund opens at Friday's close."""
    asked = asked_backtest(date(2025, 1, 4), date(2025, 1, 9), "small", 5)
    assert (asked.first_session, asked.last_session) == (date(2025, 1, 6), date(2025, 1, 8))
    assert asked.opening_session == date(2025, 1, 3)
    assert asked.session_count == 3


@pytest.mark.parametrize(
    ("first", "last", "model", "sentence"),
    [
        (date(2025, 1, 8), date(2025, 1, 6), "small", "holds 0 sessions"),
        (date(2025, 1, 8), date(2025, 1, 8), "small", "needs 2 or more"),
        (date(2025, 1, 6), date(2025, 1, 8), "crystal_ball", "no model is called crystal_ball; there are small, full,"),
    ],
)
def test_what_cannot_be_tested_is_refused(first: date, last: date, model: str, sentence: str) -> None:
    """Backwards, too short, or with a model that nobody knows."""
    with pytest.raises(ConfigurationError, match=sentence):
        asked_backtest(first, last, model, 5)


def test_a_folder_holds_one_backtest(tmp_path: Path) -> None:
    """The same again resumes; another is refused, with what the folder holds, and nothing is overwritten."""
    home, asked = Home(tmp_path), asked_backtest(date(2025, 1, 6), date(2025, 1, 8), "small", 5)
    settle(home, asked)
    home.save_opening(replace(opening_of(asked, MARKET), session="2025-01-03"))
    settle(home, asked)
    kept = (tmp_path / "backtest.json").read_bytes()
    with pytest.raises(ConfigurationError, match=r"holds another backtest .*2025-01-08.*--folder"):
        settle(home, asked_backtest(date(2025, 1, 6), date(2025, 1, 7), "small", 5))
    assert (tmp_path / "backtest.json").read_bytes() == kept


def test_one_that_never_opened_is_forgotten(tmp_path: Path) -> None:
    """Days that the market does not have: the exchange refused them, and the next try may have others."""
    home, wrong = Home(tmp_path), asked_backtest(date(1999, 1, 4), date(1999, 1, 8), "small", 5)
    settle(home, wrong)
    home.save_opening(opening_of(wrong, MARKET))
    right = asked_backtest(date(2025, 1, 6), date(2025, 1, 8), "small", 5)
    settle(home, right)
    assert home.opening() is None
    assert "2025-01-08" in (tmp_path / "backtest.json").read_text()


def test_a_funds_folder_is_left_alone(tmp_path: Path) -> None:
    """What was opened by `fund up` never becomes a backtest."""
    home = Home(tmp_path)
    home.save_opening(MARKET)
    with pytest.raises(ConfigurationError, match="holds a fund"):
        settle(home, asked_backtest(date(2025, 1, 6), date(2025, 1, 8), "small", 5))
    assert not (tmp_path / "backtest.json").exists()


def test_the_exchange_is_told_where_to_open(tmp_path: Path) -> None:
    """By its own setting, at the session before the first; a fund that says nothing leaves it to the market."""
    home, addresses = Home(tmp_path), Addresses({"exchange": 1, "datamanager": 2, "portfoliomanager": 3})
    opening = opening_of(asked_backtest(date(2025, 1, 6), date(2025, 1, 8), "small", 5), MARKET)
    assert environment(home, addresses, opening, "exchange")["EXCHANGE_START_DATE"] == "2025-01-03"
    assert "EXCHANGE_START_DATE" not in environment(home, addresses, MARKET, "exchange")
    assert not opening.same_market(MARKET)
