"""The staircase that `fund up` walks: market, bars, model, portfolio, sessions, book.

Knows the order of the steps and how each is found already done, so that a second run resumes. Knows nothing of how a
service does its part.
"""

import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from fund.clients import Clients, Json, unfinished_events
from fund.home import Home
from fund.screen import Screen
from fund.services import Supervisor, environment
from internal.dates import previous_session, sessions
from internal.errors import FundError, UnavailableError
from internal.forecasting.registry import LEAK_GATE, Registry

HISTORY = timedelta(days=2 * 365)
CYCLE_SECONDS = 300.0
DYING_SECONDS = 0.5
POLL_SECONDS = 0.1  # a question to all three services takes some 10 ms of processor time from their own work


class CommandFailedError(FundError):
    """A `models` command that the fund ran ended with an exit code other than 0; it has said why."""


@dataclass(frozen=True)
class Plan:
    """What one `fund up` is asked to do.

    Args:
        session_count: The number of sessions to walk, counted from the fund's opening.
        model: `small` or `full`.
    """

    session_count: int
    model: str


@dataclass(frozen=True)
class Staircase:
    """One walk from the market to the book.

    Args:
        supervisor: Starts and watches the services.
        clients: Reaches them.
        screen: Shows the walk.
        plan: What was asked for.
    """

    supervisor: Supervisor
    clients: Clients
    screen: Screen
    plan: Plan

    @property
    def home(self) -> Home:
        """The fund's folder."""
        return self.supervisor.home

    def walk(self) -> None:
        """Every step in order; what is done already is said and left alone.

        Raises:
            UnavailableError: A service ended by itself, or does not answer.
        """
        try:
            self._steps()
        except UnavailableError:
            time.sleep(DYING_SECONDS)
            self.supervisor.check()  # a service that fell is the better explanation
            raise

    def _steps(self) -> None:
        with self.screen.step("The exchange opens"):
            self.open_exchange()
        with self.screen.step("Datamanager collects two years of bars into the lake"):
            self.collect()
        with self.screen.step("Models assembles, trains, evaluates and registers"):
            self.train()
        with self.screen.step("Portfoliomanager forecasts, builds the portfolio and sends its orders"):
            self.rebalance()
        with self.screen.step("The clock moves on, session by session"):
            self.play_sessions()
        self.screen.book(self.clients)

    def open_exchange(self) -> None:
        """Start the exchange and, in a new fund, keep the session at whose close it opened."""
        self.supervisor.start("exchange")
        state = self.clients.state()
        if self.supervisor.opening.session is None:
            self.supervisor.opening = replace(self.supervisor.opening, session=last_closed(state).isoformat())
            self.home.save_opening(self.supervisor.opening)
        self.screen.market(state)

    def collect(self) -> None:
        """Backfill two years up to the last closed session; sessions that the lake holds are not fetched again."""
        self.supervisor.start("datamanager")
        opening = self.supervisor.opening
        start, end = opening.opening_session - HISTORY, last_closed(self.clients.state())
        self.command("collect", "--start-date", str(start), "--end-date", str(end))
        if opening.details is not None:
            self.clients.datamanager.upload("/equity-details", Path(opening.details))

    def train(self) -> None:
        """Assemble, train and judge, unless the registry has a model of the size asked for."""
        trained = self.trained()
        if trained is not None:
            self.screen.say(f"Model {trained} ({self.plan.model}) is in the registry: nothing to train.")
            return
        opened = self.supervisor.opening.opening_session
        self.command("assemble", "--start-date", str(opened - HISTORY), "--end-date", str(opened))
        self.command("train", "--model", self.plan.model)

    def trained(self) -> str | None:
        """The version of a model of the size asked for, None when a training is due."""
        return trained_model(self.home, self.plan.model)

    def command(self, *arguments: str) -> None:
        """Run a `models` command in front of the user, as he could himself.

        Raises:
            CommandFailedError: It ended with an exit code other than 0.
        """
        self.screen.command("models", *arguments)
        variables = environment(self.home, self.supervisor.addresses, self.supervisor.opening, "models")
        words = [sys.executable, "-m", "models", *arguments]
        ended = subprocess.run(words, env=variables, check=False)  # noqa: S603 - our own interpreter and module
        self.supervisor.check()
        if ended.returncode != 0:
            raise CommandFailedError(
                f"`models {arguments[0]}` failed (exit code {ended.returncode}); mend what it says above and run "
                "`fund up` again, it resumes."
            )

    def rebalance(self) -> None:
        """See that the last closed session has its portfolio: the events build it, and the opening session has none."""
        self.supervisor.start("portfoliomanager")
        self.finish_events("Events of an earlier run")
        state = self.clients.state()
        if state["phase"] != "closed":
            self.screen.say(f"{state['session']} is being traded: its portfolio follows after the close.")
            return
        day = last_closed(state)
        if self.clients.has_portfolio(day):
            self.screen.say(f"The portfolio of {day} is built: nothing to send.")
            return
        self.screen.predictions(self.clients.predict(day))
        self.screen.portfolio(self.clients.rebalance(day))
        self.finish_events(f"Events of {day}")

    def play_sessions(self) -> None:
        """Move the exchange's clock until as many sessions are closed as the plan asks for."""
        self.play_until(self.plan.session_count)

    def play_until(self, count: int) -> None:
        """Move the exchange's clock until so many sessions are closed since the opening."""
        opened = self.supervisor.opening.opening_session
        with self.screen.progress("sessions", self.plan.session_count) as advance:
            while (done := self.sessions_done(opened)) < count:
                advance(done, f"after {last_closed(self.clients.state())}")
                if self.clients.state()["phase"] != "open":
                    self.clients.move_clock("next_open")
                    self.finish_events("Fills at the open")
                self.clients.move_clock("next_close")
                self.finish_events("Bars, predictions and portfolio after the close")
            advance(done, f"after {last_closed(self.clients.state())}")

    def sessions_done(self, opened: date) -> int:
        """Sessions that have closed since the fund opened."""
        return len(sessions(opened, last_closed(self.clients.state()))) - 1

    def finish_events(self, what: str) -> None:
        """Wait until no service has an event left.

        Raises:
            UnavailableError: A service ended, or an event was not handled within 5 minutes; the message holds the
                service's own error.
        """
        deadline = time.monotonic() + CYCLE_SECONDS
        while left := unfinished_events(self.clients):
            self.supervisor.check()
            if time.monotonic() > deadline:
                waiting = "\n".join(
                    f"  {row['service']}: {row['type']}, {row['attempts']} attempts, {row['last_error']}"
                    for row in left
                )
                raise UnavailableError(f"{what}: not done after {CYCLE_SECONDS:.0f} seconds.\n{waiting}")
            time.sleep(POLL_SECONDS)


def last_closed(state: Json) -> date:
    """The last session that has closed by the exchange's clock."""
    session = date.fromisoformat(state["session"])
    return session if state["phase"] == "closed" else previous_session(session)


def trained_model(home: Home, size: str) -> str | None:
    """The newest registered version of that size, None when a training is due.

    A trained model that is worse than the champion stays registered without being promoted: it is not trained again.
    One that does not say that it passed the leak gate can never be promoted, so it does not count.
    """
    models = [model for model in Registry(home.registry).list() if LEAK_GATE in model.metrics]
    versions = [model.version for model in models if model.size == size]
    return versions[-1] if versions else None
