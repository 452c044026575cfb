"""compose.yaml: the published images, the folders of `fund run`, and nothing that `fund compose` does not write."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from fund.__main__ import application
from fund.settings.fund_settings import SECTIONS
from fund.settings.secrets import Secret, write_secret
from infrastructure.names import IMAGES

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "compose.yaml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A paper fund that is set up; `fund compose` has written its files."""
    for name in (
        "FUND_MODE",
        "ALPACA_BASE_URL",
        *Secret,
        *(key.upper() for one in SECTIONS.values() for key in one.model_fields),
    ):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "fund"
    monkeypatch.setenv("FUND_HOME", str(folder))
    CliRunner().invoke(application, ["init", "--yes", "--mode", "paper", "--vendor", "alpaca", "--capital", "50%"])
    write_secret(folder, Secret.ALPACA_API_KEY_ID, "PKONE")
    write_secret(folder, Secret.ALPACA_API_SECRET, "the secret")
    result = CliRunner().invoke(application, ["compose", "--revision", "abc123"])
    assert result.exit_code == 0, result.output
    return folder


def variables(path: Path) -> dict[str, str]:
    """The variables of an env file."""
    return {name: value.strip("'") for name, value in (line.split("=", 1) for line in path.read_text().splitlines())}


def test_published_images() -> None:
    """Every service is one of the images that are published, at one revision."""
    images = {
        re.sub(r"^\$\{IMAGE_PREFIX:-\}|:\$\{REVISION.*\}$", "", one["image"]) for one in FILE["services"].values()
    }
    assert images == set(IMAGES) - {"pocketsizefund/exchange"}


def test_what_it_reads_is_written(home: Path) -> None:
    """Each `${...}` without a default, each file and each folder is there; the folder is private."""
    named = set(re.findall(r"\$\{(\w+)(?!\w*:-)[:}?]", TEXT)) - {"IMAGE_PREFIX"}
    written = variables(home / "compose" / "compose.env")
    folders = {volume.split(":")[0] for one in FILE["services"].values() for volume in one["volumes"]}

    assert named <= set(written)
    for path in [*(one["file"] for one in FILE["secrets"].values()), *folders, *FILE["x-service"]["env_file"]]:
        found = re.sub(r"\$\{FUND_HOME[^}]*\}", str(home), path)
        assert (ROOT / found).exists(), path
    assert [path for path in home.rglob("*") if path.stat().st_mode & 0o077] == []


def test_settings_and_secrets(home: Path) -> None:
    """Settings reach the containers as variables, secrets as files alone, and the address is the mode's."""
    settings = variables(home / "compose" / "settings.env")

    assert settings["CAPITAL"] == "50%"
    assert settings["ALPACA_BASE_URL"] == "https://paper-api.alpaca.markets"
    assert settings["STRATEGY"] == "/strategies/ten_by_ten.py:TenByTen"
    assert "the secret" not in (home / "compose" / "settings.env").read_text()
    assert (home / "compose" / "ALPACA_API_SECRET").read_text() == "the secret"


def test_each_service_is_held_tight() -> None:
    """No capability, no root, a read-only file system, and ports on loopback alone."""
    for service in FILE["services"].values():
        assert (service["cap_drop"], service["read_only"]) == (["ALL"], True)
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    secrets = {secret for service in FILE["services"].values() for secret in service["secrets"]}
    assert secrets == set(FILE["secrets"])


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not installed")
def test_docker_reads_it(home: Path) -> None:
    """Docker's own parser takes the file, where its plugin compose is installed."""
    words = ["docker", "compose", "--env-file", str(home / "compose" / "compose.env"), "config", "--quiet"]
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:  # noqa: S607 - the machine's
        pytest.skip("the plugin docker compose is not installed")
    found = subprocess.run(words, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)  # noqa: S603 - the machine's
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [(("--mode", "simulated"), "compose.yaml has no exchange"), (("--mode", "paper"), "run `./fund init` first")],
)
def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], message: str) -> None:
    """A simulated fund has no broker to reach, and one without keys cannot run."""
    for name in ("ALPACA_API_KEY_ID", "ALPACA_API_SECRET", "ALPACA_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FUND_HOME", str(tmp_path / "fund"))
    CliRunner().invoke(application, ["init", "--yes", "--vendor", "alpaca", *options])
    result = CliRunner().invoke(application, ["compose", "--revision", "abc123"])
    assert message in getattr(result.exception, "detail", "")
