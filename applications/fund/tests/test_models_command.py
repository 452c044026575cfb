"""`fund models` runs the commands of `models` on the registry, dataset and datamanager of the fund's folder."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fund.__main__ import application
from fund.folder import FundFolder
from internal.errors import ConfigurationError
from models.configuration import Configuration


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FundFolder:
    """A fund's folder below the working directory, without a registry yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FUND_HOME", "home")
    monkeypatch.setenv("DATAMANAGER_PORT", "8123")
    (tmp_path / "home").mkdir()
    return FundFolder(tmp_path / "home")


def test_the_folders_are_the_funds(folder: FundFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as `models` reads it, the environment names the fund's folders, its datamanager and its token."""
    folder.credentials()
    followed: list[tuple[list[str], Mapping[str, str]]] = []

    def follow(_: str, words: list[str], variables: Mapping[str, str]) -> None:
        followed.append((words[1:], variables))

    monkeypatch.setattr(os, "execve", follow)  # else the tests become that program
    CliRunner().invoke(application, ["models", "train", "--model", "small"])
    ((words, variables),) = followed
    assert words == ["-m", "models.entry", "train", "--model", "small"]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    read = Configuration()
    assert (read.registry_directory, read.dataset) == (str(folder.registry), folder.root / "models" / "dataset")
    assert str(read.datamanager_url) == "http://127.0.0.1:8123/"
    assert read.fund_api_token is not None
    assert read.fund_api_token.get_secret_value() == folder.credentials().fund_api_token


def test_what_the_program_says(folder: FundFolder) -> None:
    """Its message and exit status are passed through; nothing is looked for in `.models` of the working directory."""
    folder.credentials()
    ended = subprocess.run(
        [sys.executable, "-m", "fund", "models", "promote", "absent"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, "absent" in ended.stderr, ended.stdout) == (1, True, "")
    assert str(folder.registry) in ended.stderr.replace("\n", "")
    assert not Path(".models").exists()


def test_no_fund(folder: FundFolder) -> None:
    """Without a fund nothing is written, and the message says what opens one; help needs none."""
    refused = CliRunner().invoke(application, ["models", "list"])
    assert isinstance(refused.exception, ConfigurationError)
    assert "Open one: ./fund up" in refused.exception.detail
    assert list(folder.root.iterdir()) == []
