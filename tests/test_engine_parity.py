"""The engine does what the services did: orders, account history, portfolios and snapshots of recorded runs of them."""

from datetime import date
from pathlib import Path

import pytest
from parity.cases import CASES
from parity.comparison import Kind, compare
from parity.engine import cut_recording, play_case
from parity.exceptions import OF_ENGINE
from parity.recording import load


def differences(name: str, sessions: int) -> list[str]:
    """What the engine does otherwise than the recording, up to a session."""
    recording = load(name)
    last = date.fromisoformat(str(recording.tables["rebalances"][sessions]["date"]))
    played = play_case(recording, CASES[name].arguments, sessions)
    found = compare(cut_recording(recording, last), cut_recording(played, last), OF_ENGINE)
    return [one.sentence() for one in found if one.kind is Kind.FAILURE]


@pytest.mark.parametrize("name", ["seed-1", "seed-2", "seed-3"])
def test_simulated_market(name: str) -> None:
    """Fifteen sessions with dividends over HTTP, to the last field."""
    assert differences(name, 15) == []


@pytest.mark.real_data
@pytest.mark.skipif(not Path(CASES["real"].arguments[1]).exists(), reason="needs the file of real bars")
def test_real_bars() -> None:
    """Fifteen sessions of real bars over HTTP, to the last field."""
    assert differences("real", 15) == []
