"""Fixtures of datamanager's tests: the vendor, the adapter for it, a lake in a folder, a running datamanager."""

from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from applications.datamanager.tests.datamanager_service import run_datamanager
from applications.datamanager.tests.datamanager_vendor import (
    KEY,
    QUICK,
    QUICK_TIMEOUTS,
    Vendor,
    serve,
    vendor_application,
)
from datamanager.adapters.polygon import Polygon
from internal.lake.store import Lake


@pytest.fixture
def vendor() -> Generator[Vendor]:
    """A vendor on loopback."""
    vendor = Vendor()
    with serve(vendor_application(vendor)) as url:
        vendor.url = url
        yield vendor


@pytest.fixture
def polygon(vendor: Vendor) -> Generator[Polygon]:
    """The adapter for the vendor, with short waits and timeouts."""
    adapter = Polygon(KEY, vendor.url, 0, QUICK, QUICK_TIMEOUTS)
    yield adapter
    adapter.close()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake in a folder."""
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def client(vendor: Vendor, tmp_path: Path) -> Generator[httpx.Client]:
    """A datamanager with an empty lake."""
    with run_datamanager(vendor, tmp_path) as client:
        yield client


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[httpx.Client, Vendor]]:
    """One datamanager and its vendor, shared by the requests that must change nothing."""
    vendor = Vendor()
    with serve(vendor_application(vendor)) as url:
        vendor.url = url
        with run_datamanager(vendor, tmp_path_factory.mktemp("untouched")) as client:
            yield client, vendor
