"""Collection and assembly over HTTP with a datamanager and a simulated exchange."""

import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from internal.dates import sessions
from internal.errors import InvalidRequestError, UnauthorizedError, UnavailableError, UpstreamError
from internal.http.client import read_frame_response
from internal.http.datamanager_client import DatamanagerClient
from libraries.python.tests.loopback import serving
from models.assemble import assemble
from models.collect import collect
from models.dataset import load_dataset
from models.progress import Progress  # noqa: TC001 - the house imports at run time, whatever is annotated

START, END = date(2024, 9, 3), date(2024, 12, 31)
RunModels = Callable[..., subprocess.CompletedProcess[str]]


def test_collect_then_assemble(datamanager_url: str, token: str, tmp_path: Path) -> None:
    """Every session is collected once; the dataset contains the adjusted bars of the range."""
    seen: list[Progress] = []
    with DatamanagerClient(datamanager_url, SecretStr(token)) as datamanager:
        first = collect(datamanager, START, END, on_progress=seen.append)
        second = collect(datamanager, START, END)
        made = assemble(datamanager, START, END, tmp_path / "dataset", on_progress=seen.append)
    count = len(sessions(START, END))
    assert (first.sessions, first.fetched, second.sessions, second.fetched) == (count, count, count, 0)
    assert first.details > 0
    assert seen[-1].step == "assembling"
    assert seen[-1].done == seen[-1].total
    assert made.bars.get_column("date").n_unique() == count
    query = {"start_date": str(START), "end_date": str(END), "adjusted_as_of": str(END)}
    expected = read_frame_response(httpx.get(f"{datamanager_url}/equity-bars", params=query)).sort("ticker", "date")
    loaded = load_dataset(tmp_path / "dataset")
    assert loaded.bars.equals(expected.select(loaded.bars.columns))
    assert (loaded.bars_version, loaded.end) == (made.bars_version, END)
    assert set(loaded.details.columns) >= {"ticker", "sector", "industry"}


def test_commands(datamanager_url: str, token: str, tmp_path: Path, run_models: RunModels) -> None:
    """`models collect` and `models assemble` as processes: exit status 0 and the figures."""
    settings = {"DATAMANAGER_URL": datamanager_url, "FUND_API_TOKEN": token, "STATE_DIRECTORY": str(tmp_path)}
    dates = ("--start-date", "2024-11-01", "--end-date", "2024-11-29")
    collected = run_models("collect", *dates, **settings)
    assert collected.returncode == 0, collected.stderr
    assert "20 sessions are in the lake" in collected.stdout
    assembled = run_models("assemble", *dates, **settings)
    assert assembled.returncode == 0, assembled.stderr
    assert "up to 2024-11-29" in assembled.stdout
    assert load_dataset(tmp_path / "dataset").end == date(2024, 11, 29)


def test_sectors_of_the_exchange_alone(replaying_url: str, token: str, tmp_path: Path, run_models: RunModels) -> None:
    """An exchange answers SIC codes, not the sectors of its details file: it is said, and what is said to do works."""
    settings = {"DATAMANAGER_URL": replaying_url, "FUND_API_TOKEN": token, "STATE_DIRECTORY": str(tmp_path / "state")}
    dates = ("--start-date", "2024-01-02", "--end-date", "2024-01-31")
    said = " ".join(run_models("collect", *dates, **settings).stdout.split())
    assert "No ticker has a known sector" in said
    assert "`POST /equity-details` of datamanager with the file as text/csv" in said
    assert "EXCHANGE_DETAILS_FILE" in said
    headers = {"Content-Type": "text/csv", "Authorization": f"Bearer {token}"}
    body = (tmp_path / "details.csv").read_bytes()
    httpx.post(f"{replaying_url}/equity-details", content=body, headers=headers).raise_for_status()
    assert "known sector" not in run_models("collect", *dates, **settings).stdout
    run_models("assemble", *dates, **settings)
    assert set(load_dataset(tmp_path / "state/dataset").details["sector"]) == {"Energy"}


def test_wrong_token(datamanager_url: str) -> None:
    """A wrong token is refused."""
    with DatamanagerClient(datamanager_url, SecretStr("wrong")) as datamanager, pytest.raises(UnauthorizedError):
        collect(datamanager, START, END)


def test_backwards_and_empty_ranges(datamanager_url: str, token: str, tmp_path: Path) -> None:
    """A backwards range is refused, the error of an empty one says to collect; neither leaves a folder."""
    with DatamanagerClient(datamanager_url, SecretStr(token)) as datamanager:
        with pytest.raises(InvalidRequestError):
            collect(datamanager, END, START)
        with pytest.raises(InvalidRequestError, match="backwards"):
            assemble(datamanager, END, START, tmp_path / "dataset")
        with pytest.raises(InvalidRequestError, match="models collect"):
            assemble(datamanager, date(2019, 1, 2), date(2019, 2, 1), tmp_path / "dataset")
    assert list(tmp_path.iterdir()) == []


def test_datamanager_down(run_models: RunModels, tmp_path: Path) -> None:
    """The command ends with exit status 1 and says what to do, without the token and without a traceback."""
    ended = run_models(
        *("collect", "--start-date", "2024-01-02", "--end-date", "2024-02-01"),
        DATAMANAGER_URL="http://127.0.0.1:9",
        FUND_API_TOKEN="sesame-of-forty-thieves-and-one-test",  # noqa: S106 - no secret
        STATE_DIRECTORY=str(tmp_path),
    )
    assert ended.returncode == 1
    assert "fund up" in ended.stderr
    assert "DATAMANAGER_URL" in ended.stderr
    assert "sesame" not in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr


def test_other_server_answers(tmp_path: Path) -> None:
    """The error of a server that is not datamanager says so; nothing is written."""
    application = FastAPI()
    application.get("/equity-bars")(lambda: {"hello": "world"})
    with (
        serving(application) as url,
        DatamanagerClient(url, SecretStr("")) as datamanager,
        pytest.raises(UpstreamError, match="X-Bars-Version"),
    ):
        assemble(datamanager, START, END, tmp_path / "dataset")
    assert list(tmp_path.iterdir()) == []


def test_unreachable_in_python() -> None:
    """The client raises the error that the command prints."""
    with (
        DatamanagerClient("http://127.0.0.1:9", SecretStr("")) as datamanager,
        pytest.raises(UnavailableError, match="fund up"),
    ):
        datamanager.bars(START, END, adjusted_as_of=END)
