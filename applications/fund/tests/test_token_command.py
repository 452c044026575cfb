"""`fund token`: the stored token, the environment's, a reader's, and no token of a fund that is not there."""

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fund.__main__ import application
from fund.folder import FundFolder
from internal.errors import ConfigurationError


def run(*words: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(application, ["token", *words])
    if result.exception is not None:
        raise result.exception
    return result.stdout.strip()


def test_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader's token is the HMAC of the owner's; asking in an empty folder makes no token."""
    monkeypatch.setenv("FUND_HOME", str(tmp_path))
    monkeypatch.delenv("FUND_API_TOKEN", raising=False)
    with pytest.raises(ConfigurationError, match="No fund in"):
        run()
    assert list(tmp_path.iterdir()) == []
    owner = FundFolder(tmp_path).credentials().fund_api_token
    digest = hmac.new(owner.encode(), b"pocketsizefund reader", hashlib.sha256).digest()
    assert (run(), run("--reader")) == (owner, base64.urlsafe_b64encode(digest).decode().rstrip("="))
    monkeypatch.setenv("FUND_API_TOKEN", "of-the-swarm")
    assert run() == "of-the-swarm"
