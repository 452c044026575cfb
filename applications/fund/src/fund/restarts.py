"""When a service that ended is started again: after growing pauses, and not for ever."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from fund.services import Service
from fund.supervisor import Supervisor
from internal.errors import FundError, UnavailableError

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds


@dataclass(frozen=True)
class RestartPolicy:
    """How often, and after which pauses.

    Attributes:
        attempts: So many restarts within the window; the next end of the service ends the fund.
        window: Seconds.
    """

    attempts: int = 6
    window: float = 900.0

    def pause(self, restarts: int) -> float | None:
        """Seconds until the next start of a service restarted so often within the window; None: give up."""
        return None if restarts >= self.attempts else min(FIRST_PAUSE * 2**restarts, LONGEST_PAUSE)


@dataclass
class Restarts:
    """Keeps the services of a supervisor running; `keep_running` is called again and again.

    Args:
        supervisor: Has started the services.
        say: Tells the user, in one sentence.
        policy: How often, and after which pauses.
    """

    supervisor: Supervisor
    say: Callable[[str], None]
    policy: RestartPolicy = field(default_factory=RestartPolicy)
    _restarted: defaultdict[Service, list[float]] = field(default_factory=lambda: defaultdict(list))
    _due: dict[Service, float] = field(default_factory=dict[Service, float])

    def keep_running(self, now: float) -> None:
        """Notice services that have ended, and start those whose pause is over.

        Args:
            now: A monotonic clock's seconds.

        Raises:
            UnavailableError: A service ended too often.
        """
        for service in list(self.supervisor.running):
            how = self.supervisor.how_ended(service)
            if how is not None and service not in self._due:
                self._plan(service, how, now)
            if service in self._due and now >= self._due[service]:
                del self._due[service]
                self._restart(service, now)

    def _plan(self, service: Service, how: str, now: float) -> None:
        recent = [moment for moment in self._restarted[service] if now - moment < self.policy.window]
        pause = self.policy.pause(len(recent))
        if pause is None:
            raise UnavailableError(
                f"{service} {how} again, after {len(recent)} restarts in {self.policy.window / 60:.0f} minutes: the "
                "fund ends here. Nothing is lost: correct what the log says and start it again, it resumes.\n"
                f"{self.supervisor.read_log_end(service)}"
            )
        self._restarted[service] = recent
        self._due[service] = now + pause
        self.say(f"{service} {how}; it is started again in {pause:.0f} s. Log: {self.supervisor.folder.log(service)}")

    def _restart(self, service: Service, now: float) -> None:
        self._restarted[service].append(now)
        try:
            self.supervisor.restart(service)
        except FundError as error:
            self.say(f"{service} did not start: {error.detail}")
        else:
            self.say(f"{service} runs again.")
