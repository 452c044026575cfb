"""What the services of a fund at a broker are given: settings, addresses, and of the secrets each only its own."""

from pathlib import Path

import pytest

from fund.addresses import Addresses
from fund.folder import FundFolder
from fund.real_environment import RealEnvironments, choose_environments
from fund.service_environment import OfflineEnvironments
from fund.services import Service
from fund.settings.fund_settings import SECTIONS, FundSettings
from fund.settings.secrets import Secret, write_secret

URL = "https://paper-api.alpaca.markets"


@pytest.fixture
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RealEnvironments:
    """Those of a paper fund with every secret in its file; the owner's environment has a path and one key."""
    for name in ("FUND_MODE", *Secret, *(key.upper() for one in SECTIONS.values() for key in one.model_fields)):
        monkeypatch.delenv(name, raising=False)
    for secret in Secret:
        write_secret(tmp_path, secret, "stored")
    settings = FundSettings.model_validate({"mode": "paper", "trading": {"capital": "50%"}})
    variables = {"PATH": "/bin", "POLYGON_API_KEY": "of the environment"}
    return RealEnvironments(FundFolder(tmp_path), Addresses.of(settings), settings, URL, variables)


def test_each_service_gets_its_own_secrets(environments: RealEnvironments) -> None:
    """The broker's keys go to the two services that use them, and no secret's value is in an environment."""
    given = {service: environments.of_service(service) for service in list(Service)[1:]}
    names = {
        service: {name for name in given[service] if name.removesuffix("_FILE") in set(Secret)} for service in given
    }

    assert "ALPACA_API_SECRET_FILE" in names[Service.PORTFOLIOMANAGER]
    assert "ALPACA_API_SECRET_FILE" not in names[Service.SCHEDULER]
    assert "ALPACA_API_SECRET_FILE" not in environments.of_models()
    assert "NOTIFICATION_URLS_FILE" not in names[Service.DATAMANAGER]
    assert all("stored" not in one.values() for one in given.values())


def test_environment_before_file(environments: RealEnvironments) -> None:
    """A key of the owner's environment wins over the file, and reaches only who uses it."""
    assert environments.of_service(Service.DATAMANAGER)["POLYGON_API_KEY"] == "of the environment"
    assert "POLYGON_API_KEY_FILE" not in environments.of_service(Service.DATAMANAGER)
    assert "POLYGON_API_KEY" not in environments.of_service(Service.PORTFOLIOMANAGER)


def test_settings_and_addresses(environments: RealEnvironments) -> None:
    """The fund's folder holds lake, models and state; events go to the trader; the scheduler starts them itself."""
    trader, folder = environments.of_service(Service.PORTFOLIOMANAGER), environments.folder

    assert (trader["CAPITAL"], trader["ALPACA_BASE_URL"], trader["PATH"]) == ("50%", URL, "/bin")
    assert trader["DATA_BUCKET"] == str(folder.lake)
    assert trader["STATE_DIRECTORY"] == str(folder.root / "portfoliomanager")
    assert trader["EVENT_SUBSCRIBERS"] == "http://127.0.0.1:8081/events"
    assert environments.of_service(Service.SCHEDULER)["EVENT_SUBSCRIBERS"] == ""
    assert environments.of_service(Service.SCHEDULER)["PORTFOLIOMANAGER_URL"] == "http://127.0.0.1:8081"


def test_a_bucket_wins_over_the_folder(environments: RealEnvironments) -> None:
    """Where the settings name a bucket, the lake is there."""
    settings = FundSettings.model_validate({"mode": "paper", "storage": {"data_bucket": "s3://bucket/lake"}})
    moved = RealEnvironments(environments.folder, environments.addresses, settings, URL, {})
    assert moved.of_service(Service.DATAMANAGER)["DATA_BUCKET"] == "s3://bucket/lake"


def test_environments_by_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without settings is that of an offline fund."""
    for name in ("FUND_MODE", "ALPACA_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    folder = FundFolder(tmp_path)
    addresses = Addresses(dict.fromkeys(Service, 9))
    assert isinstance(choose_environments(folder, addresses), OfflineEnvironments)
    folder.settings_file.write_text('mode = "paper"\n')
    found = choose_environments(folder, addresses)
    assert isinstance(found, RealEnvironments)
    assert found.broker_url == URL
