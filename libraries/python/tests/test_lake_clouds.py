"""The lake, its objects and its lease in Azure's and Google's stores, on emulators on loopback.

`mask development clouds-test` installs Azurite into `.clouds` and runs this.
"""

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from email.utils import formatdate
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import httpx
import polars as pl
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from pydantic import SecretStr
from werkzeug.serving import make_server

from internal.errors import UnavailableError
from internal.lake.lease import Lease
from internal.lake.objects import Objects
from internal.lake.store import Lake
from internal.settings import DataBucketSettings
from libraries.python.tests.free_ports import free_port
from libraries.python.tests.test_lake_objects import DAY, bars

pytestmark = pytest.mark.clouds

TOOLS = Path(os.environ.get("CLOUDS_DIRECTORY", ".clouds"))
ACCOUNT = "devstoreaccount1"  # Azurite's own, with its published key
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
VERSION = "2021-08-06"


@pytest.fixture(scope="module", params=["az", "gs"])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataBucketSettings]:
    """A store on loopback with the bucket `fund`, as a service would have it in its settings."""
    folder = tmp_path_factory.mktemp("cloud")
    with (serve_azure if request.param == "az" else serve_google)(folder) as settings:
        yield settings


@contextmanager
def serve_azure(folder: Path) -> Generator[DataBucketSettings]:
    """Azurite."""
    port = free_port()
    command = [find_tool("node_modules/.bin/azurite-blob"), "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    with running([*command, "--location", str(folder), "--blobPort", str(port)], f"http://127.0.0.1:{port}/"):
        create_container(f"http://127.0.0.1:{port}/{ACCOUNT}")
        os.environ["AZURITE_BLOB_STORAGE_URL"] = f"http://127.0.0.1:{port}"  # where the clients look for the emulator
        yield DataBucketSettings(
            data_bucket="az://fund/lake",
            azure_storage_account_name=ACCOUNT,
            azure_storage_account_key=SecretStr(ACCOUNT_KEY),
            azure_storage_use_emulator=True,
        )
        del os.environ["AZURITE_BLOB_STORAGE_URL"]


@contextmanager
def serve_google(folder: Path) -> Generator[DataBucketSettings]:
    """Google's XML interface, which the clients of the lake use: that of S3 but for its conditional writes.

    moto serves it; the header that creates an object only where there is none is translated.
    """
    del folder  # it is kept in memory
    server = make_server(
        "127.0.0.1", 0, translate_conditions(DomainDispatcherApplication(create_backend_app)), threaded=True
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    httpx.put(f"{url}/fund").raise_for_status()
    key = {"gcs_base_url": url, "disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
    yield DataBucketSettings(data_bucket="gs://fund/lake", google_service_account_key=SecretStr(json.dumps(key)))
    server.shutdown()
    thread.join()


def translate_conditions(application: WSGIApplication) -> WSGIApplication:
    """The application, with Google's condition that no generation exists as HTTP's own."""

    def answer(environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environment.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", None) == "0":
            environment["HTTP_IF_NONE_MATCH"] = "*"
        environment["HTTP_AUTHORIZATION"] = "AWS an-access-key:a-signature"  # instead of an empty bearer token
        return application(environment, start_response)

    return answer


def find_tool(name: str) -> str:
    """The emulator; the test is skipped where it is not installed."""
    found = shutil.which(TOOLS / name)
    if found is None:
        pytest.skip(f"{TOOLS / name} is not installed: mask development clouds-test")
    return found


@contextmanager
def running(command: list[str], url: str) -> Generator[None]:
    """The emulator until the block ends, which begins when it answers."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - an emulator of the tests
        try:
            deadline = time.monotonic() + 60
            while not answers(url):
                assert process.poll() is None, "the emulator ended"
                assert time.monotonic() < deadline, "the emulator was not ready in a minute"
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def answers(url: str) -> bool:
    """Whether somebody answers there, with whatever status."""
    try:
        httpx.get(url)
    except httpx.TransportError:
        return False
    return True


def create_container(endpoint: str) -> None:
    """Azure's `Create Container`, signed with the account's shared key."""
    moment = formatdate(usegmt=True)
    headers = {"x-ms-date": moment, "x-ms-version": VERSION}
    canonical = "\n".join(f"{name}:{value}" for name, value in headers.items())
    text = "PUT" + "\n" * 12 + f"{canonical}\n/{ACCOUNT}/{ACCOUNT}/fund\nrestype:container"
    signed = hmac.new(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(signed).decode()}"
    httpx.put(f"{endpoint}/fund", params={"restype": "container"}, headers=headers).raise_for_status()


def test_days(cloud: DataBucketSettings) -> None:
    """Replace, read, travel in time, compact: as on a folder."""
    lake = Lake(cloud.data_bucket, cloud.storage_options())
    first = lake.replace_days("equity_bars", bars(date(2024, 1, 2), DAY), date(2024, 1, 2), DAY)
    lake.replace_days("equity_bars", bars(DAY, DAY, close=20.0), DAY, DAY)
    lake.compact("equity_bars")

    assert lake.scan("equity_bars").filter(pl.col("date") == DAY).collect().item(0, "close") == 20.0
    assert lake.scan("equity_bars").collect().height == 21
    assert lake.scan("equity_bars", first).filter(pl.col("date") == DAY).collect().item(0, "close") == 10.0


def test_two_writers(cloud: DataBucketSettings) -> None:
    """Commits are create-only: of two writers of one version, one begins again, and nothing is lost."""
    frame = bars(date(2024, 3, 1), date(2024, 3, 12))
    days = frame.get_column("date").to_list()

    def write(part: list[date]) -> None:
        lake = Lake(cloud.data_bucket, cloud.storage_options())
        for day in part:
            lake.replace_days("equity_bars", frame.filter(pl.col("date") == day), day, day)

    writers = [threading.Thread(target=write, args=(days[start::2],)) for start in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    stored = Lake(cloud.data_bucket, cloud.storage_options()).scan("equity_bars")

    assert stored.filter(pl.col("date").dt.month() == 3).sort("date").collect().equals(frame)


def test_objects(cloud: DataBucketSettings) -> None:
    """An object is created once, replaced whole, read and listed."""
    objects = Objects(cloud.data_bucket, cloud.storage_options())

    assert objects.create("models/one", b"first")
    assert not objects.create("models/one", b"second")
    objects.put("models/two", b"2")
    assert objects.get("models/one") == b"first"
    assert objects.get("models/three") is None
    assert objects.list("models") == ["models/one", "models/two"]


def test_lease(cloud: DataBucketSettings, tmp_path: Path) -> None:
    """Of two processes one holds the lease; the other gets the next number when it is released."""
    objects = Objects(cloud.data_bucket, cloud.storage_options())
    with Lease(objects, "trader", tmp_path / "one", 30.0) as held:
        assert held.held()
        with Lease(objects, "trader", tmp_path / "two", 30.0) as other:
            assert not other.held()
    with Lease(objects, "trader", tmp_path / "two", 30.0) as heir:
        assert heir.held()
        assert heir.number == held.number + 1


def test_absent_bucket(cloud: DataBucketSettings) -> None:
    """UnavailableError with the address and without the keys."""
    scheme = cloud.data_bucket.partition("://")[0]
    with pytest.raises(UnavailableError, match=f"{scheme}://nowhere") as raised:
        Objects(f"{scheme}://nowhere/lake", cloud.storage_options()).put("a", b"1")
    assert ACCOUNT_KEY not in raised.value.detail
