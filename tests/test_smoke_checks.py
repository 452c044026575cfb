"""The smoke checks and the services' own lists of endpoints are the same lists."""

import importlib
from pathlib import Path

import pytest

from infrastructure.smoke import VENDOR_PATH
from infrastructure.smoke_checks import CHECKS

VARIABLES = {
    "ALPACA_API_KEY_ID": "PKTEST",
    "ALPACA_API_SECRET": "a-secret-of-the-tests",
    "ALPACA_BASE_URL": "http://127.0.0.1:9",
    "EXCHANGE_API_KEY_ID": "PKTEST",
    "EXCHANGE_API_SECRET": "a-secret-of-the-tests",
    "POLYGON_API_KEY": "a-key-of-the-tests",
    "POLYGON_BASE_URL": "http://127.0.0.1:9",
}


@pytest.mark.parametrize("service", ["datamanager", "portfoliomanager", "exchange"])
def test_every_endpoint_is_asked(service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each endpoint of a service has a check, and each check an endpoint; vendor endpoints are found while it runs."""
    folders = {"DATA_BUCKET": tmp_path, "STATE_DIRECTORY": tmp_path, "REGISTRY_DIRECTORY": tmp_path}
    for name, value in (VARIABLES | {name: str(path) for name, path in folders.items()}).items():
        monkeypatch.setenv(name, value)
    application = importlib.import_module(f"{service}.server").create_application()

    asked = {check.path.partition("?")[0] for check in CHECKS if check.service == service} - {"/openapi.json"}

    assert asked == {path for path in application.openapi()["paths"] if not VENDOR_PATH.match(path)}
