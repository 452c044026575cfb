"""The settings: the delay by vendor, and what is refused before anything is opened."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from internal.errors import ConfigurationError
from scheduler.configuration import Configuration


@pytest.mark.parametrize(
    ("settings", "minutes"),
    [
        ({}, 30),
        ({"market_data_vendor": "alpaca"}, 20),
        ({"market_data_vendor": "alpaca", "alpaca_data_delay_minutes": 0}, 5),
        ({"market_data_vendor": "files"}, 0),
        ({"bars_delay_minutes": 510}, 510),
        ({"market_data_vendor": "alpaca", "bars_delay_minutes": 0}, 0),
    ],
)
def test_delay_by_vendor(settings: dict[str, Any], minutes: int, tmp_path: Path) -> None:
    """As set, else the vendor's."""
    configuration = Configuration(state_directory=tmp_path, data_bucket=str(tmp_path), **settings)
    assert configuration.timetable().bars_delay == timedelta(minutes=minutes)
    assert configuration.waits_for_import == (settings.get("market_data_vendor") == "files")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"bars_delay_minutes": 961}, "BARS_DELAY_MINUTES is wrong"),
        ({"open_delay_minutes": -1}, "OPEN_DELAY_MINUTES is wrong"),
        ({"retrain_every": "often"}, "RETRAIN_EVERY is wrong"),
        ({"market_data_vendor": "nobody"}, "MARKET_DATA_VENDOR is wrong"),
        ({"lease_seconds": 0}, "LEASE_SECONDS is wrong"),
    ],
)
def test_refused(settings: dict[str, Any], text: str, tmp_path: Path) -> None:
    """Each names its variable."""
    with pytest.raises(ConfigurationError, match=text):
        Configuration(state_directory=tmp_path, data_bucket=str(tmp_path), **settings)


def test_retraining_needs_the_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an image without the application models the service says at its start that it cannot retrain."""
    monkeypatch.setitem(sys.modules, "models", None)  # an import of it fails, as where it is not installed
    assert Configuration(state_directory=tmp_path, data_bucket=str(tmp_path)).retrain_every == 0
    with pytest.raises(ConfigurationError, match="RETRAIN_EVERY is 5, and the application models is not installed"):
        Configuration(state_directory=tmp_path, data_bucket=str(tmp_path), retrain_every=5)
