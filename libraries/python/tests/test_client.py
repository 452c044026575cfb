"""The public client without a fund, and with wrong settings; tests/test_daily_cycle.py has it on a running fund."""

from datetime import date

import pytest

from internal.errors import ConfigurationError, UnavailableError
from libraries.python.tests.free_ports import free_port
from pocketsizefund.client import Client

DAY = date(2024, 3, 15)


def closed_port() -> str:
    """An address where nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


def test_says_what_to_do_when_no_fund_runs() -> None:
    """Each service is named, with the command that starts it and the variable that moves it."""
    address = closed_port()
    with Client(address, address) as client:
        with pytest.raises(UnavailableError, match=r"portfoliomanager.*\./fund up.*PORTFOLIOMANAGER_URL"):
            client.orders()
        with pytest.raises(UnavailableError, match=r"datamanager.*\./fund up"):
            client.bars(DAY, DAY)
        with pytest.raises(UnavailableError, match=r"datamanager.*\./fund up"):
            client.fundamentals()
        with pytest.raises(UnavailableError, match=r"datamanager.*\./fund up.*DATAMANAGER_URL"):
            client.sql("SELECT 1")


def test_addresses_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL first, then a port; a port that is no number is refused by its name."""
    address = closed_port()
    monkeypatch.setenv("DATAMANAGER_URL", address)
    monkeypatch.setenv("PORTFOLIOMANAGER_PORT", address.rpartition(":")[2])
    with Client() as client, pytest.raises(UnavailableError, match=address.rpartition(":")[2]):
        client.performance()
    monkeypatch.setenv("PORTFOLIOMANAGER_PORT", "eight")
    with pytest.raises(ConfigurationError, match="PORTFOLIOMANAGER_PORT is 'eight'"):
        Client()
