"""The passing of time in a simulated fund that stays up: its exchange opens and closes again and again."""

from dataclasses import dataclass
from datetime import datetime

from fund.clients import unfinished_events
from fund.services import Service
from fund.steps import FundRun
from internal.errors import FundError

WAIT_SECONDS = 2.0  # between two looks at what the fund still does


@dataclass
class SimulatedSessions:
    """Moves the exchange's clock to the next open or close, when the fund has done what the last one asked for.

    Args:
        run: The fund.
        seconds: Seconds of one session at least, half of them before its open.
    """

    run: FundRun
    seconds: float
    _due: float = 0.0
    _has_ended: bool = False

    def pass_on(self, now: float) -> None:
        """Move the clock when that is due; a service that does not answer is asked again the next time.

        Args:
            now: A monotonic clock's seconds.
        """
        if now < self._due or self._has_ended:
            return
        self._due = now + self.seconds / 2
        try:
            self._move(now)
        except FundError as error:
            self.run.display.say(f"The simulated market waits: {error.detail}")

    def _has_followed(self, moment: datetime) -> bool:
        """Whether the scheduler has seen the market's clock there, and what it started then has ended."""
        schedule = self.run.clients.of(Service.SCHEDULER).get("/schedule")
        seen = schedule["moment"]
        is_running = any(run["outcome"] == "running" for run in schedule["last"])
        return seen is not None and datetime.fromisoformat(seen) >= moment and not is_running

    def _move(self, now: float) -> None:
        state = self.run.clients.exchange_state()
        if unfinished_events(self.run.clients) or not self._has_followed(datetime.fromisoformat(state.timestamp)):
            self._due = min(self._due, now + WAIT_SECONDS)
            return
        if state.phase != "open" and not state.sessions_left:
            self._has_ended = True
            self.run.display.say(f"The simulated market has ended, after {state.last_closed}.")
            return
        self.run.clients.move_clock("next_close" if state.phase == "open" else "next_open")
