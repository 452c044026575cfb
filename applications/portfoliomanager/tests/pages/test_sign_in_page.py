"""Signing in and out: where a person goes then, how often a token is tried, and which sessions were ended."""

from pathlib import Path

import pytest

from internal.errors import TooManyRequestsError, UnavailableError
from internal.lake.objects import Objects
from portfoliomanager.adapters.ended_sessions import FOLDER, OLD_SECONDS, StoredEndedSessions
from portfoliomanager.pages.sign_in import find_own_path
from portfoliomanager.sign_in_limit import SignInLimit


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/book", "/book"),
        ("/decisions/2026-11-27?side=long", "/decisions/2026-11-27?side=long"),
        *((one, "/") for one in ("", "book", "//attacker.example", "/\\attacker.example", "https://attacker.example")),
        *((one, "/") for one in ("javascript:alert(1)", "/\t/attacker.example", "//[", "http://[")),
    ],
)
def test_never_to_another_address(given: str, path: str) -> None:
    """Nor an error for what is no address."""
    assert find_own_path(given) == path


def test_who_signed_out_is_known_to_every_process_and_after_a_restart(tmp_path: Path) -> None:
    """Of two that share a lake each reads what the other has ended after some seconds; old ones are removed."""
    seconds = [0.0]
    objects = Objects(str(tmp_path / "lake"))
    here, standby = (StoredEndedSessions(objects, lambda: seconds[0]) for _ in range(2))
    for one in (here, standby):
        assert one.is_old()
        one.refresh()
        assert not one.is_old()
    objects.put(f"{FOLDER}/20200102T030405-{'0' * 64}", b"")
    here.add("mine")
    assert ("mine" in here, "mine" in standby, "yours" in here) == (True, False, False)
    seconds[0] += OLD_SECONDS + 0.1
    assert standby.is_old()
    standby.refresh()
    assert "mine" in standby
    started = StoredEndedSessions(objects)
    started.refresh()
    assert "mine" in started
    assert ["mine" in path for path in objects.list(FOLDER)] == [False]


def test_ended_sessions_that_were_never_read_are_an_error(tmp_path: Path) -> None:
    """Where the lake is away at the start, it cannot be said who signed out; later what was read counts on."""
    (tmp_path / "lake").write_text("no folder")
    ended = StoredEndedSessions(Objects(str(tmp_path / "lake")))
    ended.refresh()
    with pytest.raises(UnavailableError, match="no session counts until it does"):
        ended.require_known()
    with pytest.raises(UnavailableError, match="cannot be used"):
        ended.add("mine")
    (tmp_path / "lake").unlink()
    ended.refresh()
    ended.require_known()
    (tmp_path / "lake").rmdir()
    (tmp_path / "lake").write_text("no folder again")
    ended.refresh()
    ended.require_known()


def test_attempts_from_many_addresses_keep_nobody_out() -> None:
    """Ten a minute from one address, and what others try does not count for it (addresses of RFC 5737)."""
    limit = SignInLimit()
    for number in range(300):
        limit.count(f"198.51.100.{number % 250}")
    for _ in range(10):
        limit.count("203.0.113.7")
    with pytest.raises(TooManyRequestsError, match="wait some minutes"):
        limit.count("203.0.113.7")
