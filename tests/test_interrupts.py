"""Ctrl-C in a terminal, once or several times, at drawn moments: no traceback, an end, and no process left behind."""

import os
import random
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from fund_command import PORTS
from terminal import Ended, Sender, Strike, Terminal

from libraries.python.tests.free_ports import free_ports

PROGRAMS = Path(sys.executable).parent
STRATEGY = "strategies/momentum.py:Momentum"
APART = (0.01, 0.1, 0.6, 1.0)  # seconds from one interrupt to the next
ROUNDS = int(os.environ.get("INTERRUPT_ROUNDS", "6"))
ENDED = frozenset({0, 1, 130, -2})  # before the first step, at a prompt, in order, or at once while modules load
FUND = {
    "init": ("init",),
    "up": ("up", "--once", "--tickers", "40", "--sessions", "1"),
    "run": ("run",),
    "backtest": ("backtest", "--strategy", STRATEGY),
    "sweep": ("sweep", "--strategy", STRATEGY, "--grid", "names_per_side=5,10", "--workers", "2"),
}
LONGEST = {"init": 2.0, "up": 30.0, "run": 30.0, "backtest": 20.0, "sweep": 20.0, "train": 30.0}  # seconds
pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


def variables(home: Path) -> dict[str, str]:
    """The environment of a fund in a folder, on ports of its own."""
    ports = {name: str(port) for name, port in zip(PORTS, free_ports(4), strict=True)}
    own = {"FUND_HOME": str(home), "STRATEGY": STRATEGY, "EXCHANGE_TICKER_COUNT": "40", "FUND_MODE": "simulated"}
    return dict(os.environ) | ports | own


def draw_strikes(drawn: random.Random, command: str) -> list[Strike]:
    """A first interrupt at any moment after a tenth of a second, and up to three later ones.

    One that strikes in the moment before Python waits at a prompt is seen with the next: `init` gets one more.
    """
    first, apart = drawn.uniform(0.1, LONGEST[command]), drawn.choice(APART)
    strikes = [Strike(first + number * apart) for number in range(drawn.choice((1, 2, 2, 4)))]
    return [*strikes, Strike(strikes[-1].seconds + 5)] if command == "init" else strikes


def check(ended: Ended, context: object) -> None:
    """What must hold however it was interrupted."""
    said = f"{context}: {ended.status}, {ended.left}\n{ended.printed}"
    assert "Traceback" not in ended.printed, said
    assert "KeyboardInterrupt" not in ended.printed, said
    assert not ended.left, said
    assert ended.status in ENDED or not ended.struck, said


def play(words: tuple[str, ...], environment: Mapping[str, str], command: str, seed: int) -> None:
    """One round."""
    drawn = random.Random(f"{command} {seed}")  # noqa: S311 - moments
    strikes, sender = draw_strikes(drawn, command), drawn.choice(list(Sender))
    check(Terminal(words, environment, "FUND_HOME").interrupt(strikes, sender), (seed, sender, strikes))


@pytest.mark.parametrize("command", list(FUND))
def test_fund(command: str, tmp_path: Path) -> None:
    """Each round begins where the one before was interrupted, as a person who tries again; new folders in between."""
    for seed in range(ROUNDS):
        home = tmp_path / f"fund-{seed // 3}"
        play((str(PROGRAMS / "fund"), *FUND[command]), variables(home), command, seed)


def test_training(tmp_path: Path) -> None:
    """`fund up` while it trains, then `models train` on its own, on the dataset that it left."""
    environment = variables(tmp_path) | {"STRATEGY": "strategies/ten_by_ten.py:TenByTen"}
    up = (str(PROGRAMS / "fund"), *FUND["up"])
    strikes = [Strike(3, "$ models train"), Strike(4, "$ models train")]
    check(Terminal(up, environment, "FUND_HOME").interrupt(strikes, Sender.KEYBOARD), "up")
    folders = {"STATE_DIRECTORY": str(tmp_path / "models"), "REGISTRY_DIRECTORY": str(tmp_path / "registry")}
    for seed in range(ROUNDS):
        play((str(PROGRAMS / "models"), "train"), environment | folders, "train", seed)
