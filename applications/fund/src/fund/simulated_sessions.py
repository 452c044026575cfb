"""The passing of time in a simulated fund that stays up: its exchange opens and closes again and again."""

from dataclasses import dataclass

from fund.clients import unfinished_events
from fund.steps import FundRun
from internal.errors import FundError


@dataclass
class SimulatedSessions:
    """Moves the exchange's clock to the next open or close, when the fund has done what the last one asked for.

    Args:
        run: The fund.
        seconds: Seconds of one session, half of them before its open.
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
            self._move()
        except FundError as error:
            self.run.display.say(f"The simulated market waits: {error.detail}")

    def _move(self) -> None:
        if unfinished_events(self.run.clients):
            return
        state = self.run.clients.exchange_state()
        if state.phase != "open" and not state.sessions_left:
            self._has_ended = True
            self.run.display.say(f"The simulated market has ended, after {state.last_closed}.")
            return
        self.run.clients.move_clock("next_close" if state.phase == "open" else "next_open")
