"""The result of a backtest: its content key, what its fills add up to, and what is refused."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from applications.research.tests.research_results import DAYS, buy, example_result, example_settings, sell
from internal.backtests.settings import BacktestSettings
from internal.errors import InvalidRequestError


def test_settings_come_back_from_json() -> None:
    """The settings that are read again are equal and have the same key."""
    settings = example_settings(parameters={"sessions": 5, "neutral": True, "weights": [0.5, 1.0], "name": None})
    again = BacktestSettings.from_json(settings.to_json())
    assert again == settings
    assert again.key == settings.key


@pytest.mark.parametrize(
    "changed",
    [
        {"parameters": {"sessions": 6}},
        {"strategy": "strategies/other.py:Other"},
        {"strategy_digest": "b"},
        {"code_digest": "b"},
        {"bars_digest": "b"},
        {"forecasts": "b"},
        {"capital": 50_000.0},
        {"cost_multiple": 2.0},
        {"last_session": date(2024, 1, 9)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_setting_is_part_of_the_key(changed: dict[str, object]) -> None:
    """A change of any setting gives another key."""
    assert replace(example_settings(), **changed).key != example_settings().key


def test_the_order_of_parameters_does_not_matter() -> None:
    """A mapping has no order: two of the same values have the same key."""
    one, other = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert example_settings(parameters=one).key == example_settings(parameters=other).key


@pytest.mark.parametrize("plain", [{}, [], "text", {"strategy": 3}])
def test_wrong_settings_are_refused(plain: dict[str, object]) -> None:
    """The message names the first field that is wrong."""
    with pytest.raises(InvalidRequestError, match="not the settings of a backtest: "):
        BacktestSettings.from_json(plain)  # pyright: ignore[reportArgumentType] - wrong on purpose


def test_slippage_by_hand() -> None:
    """A buy of 10 decided at 100, opened at 101, filled at 101.50; a sell of 4 at 50, 49, 48.75 the session after."""
    result = example_result(fills=(buy(DAYS[1], 10, 100, 101, 101.5), sell(DAYS[2], 4, 50, 49, 48.75)))
    assert result.overnight_drift.tolist() == [0, 10, 4, 0, 0]
    assert result.impact.tolist() == [0, 5, 1, 0, 0]
    assert result.traded_dollars.tolist() == [0, 1015, 195, 0, 0]


def test_exposures_by_hand() -> None:
    """60 long and 40 short of 100 are 1 gross and 0.2 net; without any value they are 0."""
    result = example_result(
        net_asset_value=np.array([100.0, 0, 100, 100, 100]),
        long_market_value=np.full(5, 60.0),
        short_market_value=np.full(5, -40.0),
    )
    assert result.gross_exposure[:2].tolist() == [1, 0]
    assert result.net_exposure[:2] == pytest.approx([0.2, 0])


def test_an_array_of_another_length_is_refused() -> None:
    """The message names the array."""
    with pytest.raises(InvalidRequestError, match=r"5 sessions, but cash \(4,\)"):
        example_result(cash=np.zeros(4))


def test_a_result_without_a_session_is_refused() -> None:
    """There is always the opening session."""
    with pytest.raises(InvalidRequestError, match="needs at least the opening one"):
        example_result(days=())


def test_a_fill_outside_the_sessions_is_refused() -> None:
    """The message names ticker and day."""
    with pytest.raises(InvalidRequestError, match="ABC filled on 2024-02-01"):
        example_result(fills=(buy(date(2024, 2, 1), 1, 1, 1, 1),))
