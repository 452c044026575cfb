"""The child process that trains the model: started once, ended with this service, its output in a log file."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from internal.telemetry import get_logger

LOG = "retraining.log"
EARLIER_LOG = "retraining.previous.log"
END_SECONDS = 10.0  # whoever ends the service gives it 15 seconds


@dataclass
class Retraining:
    """At most one training at a time; `python -m scheduler.retrain` runs its commands and ends when this process does.

    Args:
        folder: Of the log and of the lock.
        models_folder: The state folder of the `models` commands, where an interrupted training left its checkpoints.
        model: What `models train` fits.
        program: The command of the child process, to which the session is added.
    """

    folder: Path
    models_folder: Path
    model: str
    program: Sequence[str] = (sys.executable, "-m", "scheduler.retrain")
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _session: date | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """The output of the last training."""
        return self.folder / LOG

    def follow(self, session: date) -> int | None:
        """Start the training of a session unless that was done; its exit status when it has ended, else None."""
        if self._process is None or self._session != session:
            self.stop()
            self._process, self._session = self._start(session), session
            get_logger(__name__).info("retraining_started", date=str(session), log=str(self.log))
        return self._process.poll()

    def stop(self) -> None:
        """End the training, if one runs; its finished epochs stay in its checkpoints."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()  # the child ends its commands and itself
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            get_logger(__name__).warning("retraining_killed", pid=process.pid)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever is left of its group
        process.wait()

    def _start(self, session: date) -> subprocess.Popen[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.models_folder.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.folder / EARLIER_LOG)
        variables = {"STATE_DIRECTORY": str(self.models_folder), "NO_COLOR": "1", "COLUMNS": "120"}
        with self.log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [*self.program, "--session", session.isoformat(), "--model", self.model, "--lock", str(self._lock)],
                env=os.environ | variables,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def _lock(self) -> Path:
        return self.folder / "retraining.lock"
