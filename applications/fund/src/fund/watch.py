"""What `fund run` looks after while it stays up: services that end, and logs that grow."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from fund.display import Display
from fund.log_rotation import MEGABYTE
from fund.restarts import Restarts
from fund.settings.sections import Services
from fund.supervisor import Supervisor, open_log

LOG_CHECK_SECONDS = 30.0


@dataclass
class Watch:
    """Looks at the services and their logs; what it does about them is said, and written to `logs/fund.log`.

    Args:
        supervisor: Has started the services.
        display: Shows what is done.
        settings: The size at which a log is rotated, and how many files are kept.
    """

    supervisor: Supervisor
    display: Display
    settings: Services
    restarts: Restarts = field(init=False)
    _logs_due: float = 0.0

    def __post_init__(self) -> None:
        """Restarts say what they do here."""
        self.restarts = Restarts(self.supervisor, self.say)

    def say(self, sentence: str) -> None:
        """Print a sentence with the time, and append it to the fund's own log."""
        stamped = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC  {sentence}"
        self.display.say(stamped)
        with open_log(self.supervisor.folder.log("fund")) as log:
            log.write(f"{stamped}\n".encode())

    def look(self, now: float) -> None:
        """Restart what has ended, and rotate the logs every half minute.

        Args:
            now: A monotonic clock's seconds.

        Raises:
            UnavailableError: A service ended too often.
        """
        self.restarts.keep_running(now)
        if now >= self._logs_due:
            self._logs_due = now + LOG_CHECK_SECONDS
            self.supervisor.rotate_logs(self.settings.log_megabytes * MEGABYTE, self.settings.log_files)
