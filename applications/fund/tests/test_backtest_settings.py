"""The settings of a backtest: what is refused, and that a folder holds one backtest for good."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fund.addresses import Addresses
from fund.backtest import claim_folder, define_backtest, open_market_at
from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from fund.service_environment import OfflineEnvironments
from fund.services import Service
from internal.errors import ConfigurationError, InvalidRequestError
from internal.trading.strategy import StrategyRecord

STRATEGY = StrategyRecord("ten_by_ten", "{}", "0" * 64)
MARKET = MarketSettings(None, None, 1, 40)


def test_days_become_sessions() -> None:
    """From a Saturday to a holiday: Monday to the session before it; the fund opens at Friday's close."""
    requested = define_backtest(date(2025, 1, 4), date(2025, 1, 9), "small", 5, STRATEGY)
    assert (requested.first_session, requested.last_session) == (date(2025, 1, 6), date(2025, 1, 8))
    assert requested.opening_session == date(2025, 1, 3)
    assert requested.session_count == 3


@pytest.mark.parametrize(
    ("first", "last", "model", "sentence"),
    [
        (date(2025, 1, 8), date(2025, 1, 6), "small", "the last day, 2025-01-06, is before the first"),
        (date(2025, 1, 8), date(2025, 1, 8), "small", "needs 2 or more"),
        (
            date(2025, 1, 6),
            date(2025, 1, 8),
            "crystal_ball",
            "there is no model crystal_ball; choose one of small, full,",
        ),
    ],
)
def test_invalid_backtest_is_refused(first: date, last: date, model: str, sentence: str) -> None:
    """Days in the wrong order, a period that is too short, and an unknown model."""
    with pytest.raises((ConfigurationError, InvalidRequestError), match=sentence):
        define_backtest(first, last, model, 5, STRATEGY)


def test_a_folder_holds_one_backtest(tmp_path: Path) -> None:
    """The same backtest resumes; another is refused with what the folder holds, and nothing is overwritten."""
    folder, requested = FundFolder(tmp_path), define_backtest(date(2025, 1, 6), date(2025, 1, 8), "small", 5, STRATEGY)
    claim_folder(folder, requested)
    folder.save_market(replace(open_market_at(requested, MARKET), session="2025-01-03"))
    claim_folder(folder, requested)
    kept = (tmp_path / "backtest.json").read_bytes()
    with pytest.raises(ConfigurationError, match=r"holds another backtest .*2025-01-08.*--folder"):
        claim_folder(folder, define_backtest(date(2025, 1, 6), date(2025, 1, 7), "small", 5, STRATEGY))
    with pytest.raises(ConfigurationError, match="holds another backtest"):
        claim_folder(folder, replace(requested, strategy=replace(STRATEGY, digest="1" * 64)))
    assert (tmp_path / "backtest.json").read_bytes() == kept


def test_backtest_that_never_opened_is_replaced(tmp_path: Path) -> None:
    """The exchange refused days that its market does not have; the next try in the folder may name other days."""
    folder, wrong = FundFolder(tmp_path), define_backtest(date(1999, 1, 4), date(1999, 1, 8), "small", 5, STRATEGY)
    claim_folder(folder, wrong)
    folder.save_market(open_market_at(wrong, MARKET))
    right = define_backtest(date(2025, 1, 6), date(2025, 1, 8), "small", 5, STRATEGY)
    claim_folder(folder, right)
    assert folder.read_market() is None
    assert "2025-01-08" in (tmp_path / "backtest.json").read_text()


def test_folder_of_a_fund_is_refused(tmp_path: Path) -> None:
    """A folder that `fund up` opened never becomes a backtest."""
    folder = FundFolder(tmp_path)
    folder.save_market(MARKET)
    with pytest.raises(ConfigurationError, match="holds a fund"):
        claim_folder(folder, define_backtest(date(2025, 1, 6), date(2025, 1, 8), "small", 5, STRATEGY))
    assert not (tmp_path / "backtest.json").exists()


def test_exchange_opens_before_the_first_session(tmp_path: Path) -> None:
    """A backtest sets the exchange's start date; `fund up` does not and leaves it to the market."""
    folder, addresses = FundFolder(tmp_path), Addresses(dict.fromkeys(Service, 1))
    opening = open_market_at(define_backtest(date(2025, 1, 6), date(2025, 1, 8), "small", 5, STRATEGY), MARKET)
    assert (
        OfflineEnvironments(folder, addresses, opening).of_service(Service.EXCHANGE)["EXCHANGE_START_DATE"]
        == "2025-01-03"
    )
    assert "EXCHANGE_START_DATE" not in OfflineEnvironments(folder, addresses, MARKET).of_service(Service.EXCHANGE)
    assert not opening.same_market(MARKET)
