"""Trust in the market's clock: a sleep is no jump, and one wrong answer starts nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from internal.errors import UnavailableError
from internal.modes import Mode
from scheduler.market_clock import ClockWatch
from scheduler.ports import MarketTime

START = datetime(2024, 3, 18, 20, 30, tzinfo=UTC)


@dataclass
class Watched:
    """A watch, the seconds that the machine has counted, and what the market's clock is off by."""

    elapsed: float = 1_000.0
    off: timedelta = timedelta()
    mode: Mode = Mode.LIVE

    def __post_init__(self) -> None:
        self.watch = ClockWatch(lambda: self.elapsed)

    def ask(self, seconds: float) -> MarketTime:
        """The market's clock after so many more seconds."""
        self.elapsed += seconds
        moment = START + timedelta(seconds=self.elapsed - 1_000.0) + self.off
        return self.watch.require_steady(MarketTime(moment, self.mode))


def test_sleep_of_days_is_believed_at_once() -> None:
    """The machine counts its own sleep, so that the clock has not jumped."""
    watched = Watched()
    watched.ask(0)
    assert watched.ask(4 * 86_400).moment == START + timedelta(days=4)


@pytest.mark.parametrize("off", [timedelta(days=3650), timedelta(hours=1), -timedelta(hours=1)])
def test_one_wrong_answer_is_not_believed(off: timedelta) -> None:
    """The jump is refused with both moments; the next right answer is taken."""
    watched = Watched()
    watched.ask(0)
    watched.off = off
    with pytest.raises(UnavailableError, match="jumped from 2024-03-18T20:30:00"):
        watched.ask(15)
    watched.off = timedelta()
    assert watched.ask(15).moment == START + timedelta(seconds=30)


def test_jump_that_lasts_is_believed_after_five_minutes() -> None:
    """Refused while it is younger, also when it came in two steps; then it is the clock."""
    watched = Watched()
    watched.ask(0)
    watched.off = timedelta(hours=1)
    with pytest.raises(UnavailableError):
        watched.ask(15)
    watched.off = timedelta(hours=2)
    for _ in range(20):
        with pytest.raises(UnavailableError):
            watched.ask(15)
    assert watched.ask(15).moment == START + timedelta(hours=2, seconds=22 * 15)
    watched.ask(15)


def test_simulated_market_is_moved_by_hand() -> None:
    """Any answer is right there."""
    watched = Watched(mode=Mode.SIMULATED)
    watched.ask(0)
    watched.off = timedelta(days=30)
    assert watched.ask(1).moment == START + timedelta(days=30, seconds=1)
