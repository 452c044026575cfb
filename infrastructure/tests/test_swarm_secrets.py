"""Secrets of the Swarm: a value that no service would start with is refused before anything is changed."""

import io

import pytest

from infrastructure.swarm import secrets


@pytest.mark.parametrize("command", ["create", "rotate", "settle"])
@pytest.mark.parametrize("value", ["7" * 31, "   \n", " " * 40], ids=["31 characters", "blank", "40 blanks"])
def test_a_short_token_is_refused(
    command: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rule is that of the services; what was given is not repeated, and docker is not asked."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{value}\n"))
    assert secrets.main([command, secrets.TOKEN]) == 1
    said = capsys.readouterr().err
    assert "FUND_API_TOKEN is wrong: it has fewer than 32 characters" in said
    assert "`openssl rand -hex 32`; nothing was changed" in said
    assert "7" not in said


@pytest.mark.parametrize(("name", "value"), [(secrets.TOKEN, "7" * 32), ("POLYGON_API_KEY", "short")])
def test_other_values_are_not_judged(name: str, value: str) -> None:
    """32 characters are enough, and the keys of others are as long as they are."""
    secrets.check_value(name, value)
