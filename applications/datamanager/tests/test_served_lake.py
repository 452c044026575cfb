"""Datamanager on a lake, as benchmarks of reads start it."""

from datetime import date
from pathlib import Path

import httpx
import pytest

from benchmarks.served_lake import make_tickers, serve, write_bars
from internal.lake.store import Lake


def test_two_lakes_are_served_at_once(tmp_path: Path) -> None:
    """Each service holds a port of its own, which the system gave to it."""
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
        write_bars(Lake(str(folder / "lake")), make_tickers(3), [date(2024, 1, 2)])
    with serve(folders[0]) as (first, one), serve(folders[1]) as (second, other):
        assert (first != second, one.pid != other.pid) == (True, True)
        assert [httpx.get(f"{url}/health", trust_env=False).status_code for url in (first, second)] == [200, 200]


def test_a_service_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    """Its log says why; nothing is measured on a service that has ended."""
    (tmp_path / "state").write_text("a file where the folder of the state belongs")
    with pytest.raises(RuntimeError, match=r"(?s)datamanager ended before it answered:.*state"), serve(tmp_path):
        pass
