"""The fund's own staircase over a past period, with refits: a backtest through the very services that trade.

Knows the period, when a model is fitted anew, and how a run that was cut off goes on. Every decision is the services';
nothing here forecasts, sizes or fills.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, override

from fund.backtest_report import Inputs, write_report
from fund.home import Home, Opening, write_whole
from fund.staircase import HISTORY, Plan, Staircase, last_closed
from internal.baselines.catalogue import BASELINES
from internal.dates import previous_session, sessions
from internal.errors import ConfigurationError
from internal.forecasting.registry import CHAMPION, Registry

NETWORKS: Final = ("small", "full")
LEAST_SESSIONS: Final = 2


@dataclass(frozen=True)
class Backtest:
    """What one backtest is asked to do; it stays true for the life of its folder.

    Attributes:
        first_session: The first session that is traded.
        last_session: The last one.
        model: What `models train` fits: `small`, `full`, or a baseline's kind.
        refit_every: After so many sessions the model is fitted anew.
    """

    first_session: date
    last_session: date
    model: str
    refit_every: int

    @property
    def opening_session(self) -> date:
        """The session at whose close the fund opens and decides what it buys on the first one."""
        return previous_session(self.first_session)

    @property
    def session_count(self) -> int:
        """How many sessions are traded."""
        return len(sessions(self.first_session, self.last_session))


def asked_backtest(first_day: date, last_day: date, model: str, refit_every: int) -> Backtest:
    """The backtest between two days, which need not be sessions.

    Raises:
        ConfigurationError: The days hold fewer than two sessions, or no model is called so.
    """
    days = sessions(first_day, last_day)
    if len(days) < LEAST_SESSIONS:
        raise ConfigurationError(
            f"{first_day} to {last_day} holds {len(days)} sessions; a backtest needs {LEAST_SESSIONS} or more"
        )
    if model not in {*NETWORKS, *BASELINES}:
        raise ConfigurationError(f"no model is called {model}; there are {', '.join([*NETWORKS, *BASELINES])}")
    return Backtest(days[0], days[-1], model, refit_every)


def settle(home: Home, asked: Backtest) -> None:
    """Write down what the folder's backtest is, or see that it is this one; one that never opened is forgotten.

    Raises:
        ConfigurationError: The folder holds a fund or another backtest.
    """
    path, opening = home.root / "backtest.json", home.opening()
    text, kept = json.dumps(asdict(asked), indent=2, default=str), path.read_text() if path.exists() else None
    if opening is None or (kept is not None and opening.session is None):
        home.forget_opening()
        write_whole(path, text)
    elif kept is None:
        raise ConfigurationError(f"{home.root} holds a fund; a backtest needs a folder of its own: --folder")
    elif kept != text:
        raise ConfigurationError(
            f"{home.root} holds another backtest ({' '.join(kept.split())}); choose another --folder"
        )


def opening_of(asked: Backtest, market: Opening) -> Opening:
    """A market's opening at the close before the first session."""
    return Opening(market.bars, market.details, market.seed, market.tickers, start=asked.opening_session.isoformat())


@dataclass(frozen=True)
class BacktestStaircase(Staircase):
    """The steps of `fund up` with refits between the sessions, and a report at the end.

    Args:
        asked: What is tested.
    """

    asked: Backtest

    @override
    def open_exchange(self) -> None:
        super().open_exchange()
        opened, left = self.supervisor.opening.opening_session, int(self.clients.state()["sessions_left"])
        if opened != self.asked.opening_session:
            raise ConfigurationError(
                f"the market opens at {opened}, not at {self.asked.opening_session}: no bars there"
            )
        if left < self.asked.session_count - self.sessions_done(opened):
            raise ConfigurationError(
                f"the market ends before {self.asked.last_session}: {left} sessions are left of it"
            )

    @override
    def train(self) -> None:
        """Fit the first model, on sessions up to the opening."""
        self.refit(self.asked.opening_session)

    def refit(self, day: date) -> None:
        """Fit a model to the bars up to a session's close, unless that was done; the fund's own rule promotes it."""
        done = refits(self.home)
        if any(row["session"] == day.isoformat() for row in done):
            return
        start = self.asked.opening_session - HISTORY
        self.command("assemble", "--start-date", str(start), "--end-date", str(day))
        self.command("train", "--model", self.asked.model)
        write_whole(self.home.root / "refits.json", json.dumps([*done, _fitted(self.home, day)], indent=2))

    @override
    def play_sessions(self) -> None:
        """From refit to refit, to the last session."""
        opened, every = self.asked.opening_session, self.asked.refit_every
        while (done := self.sessions_done(opened)) < self.plan.session_count:
            if done % every == 0:
                self.refit(last_closed(self.clients.state()))
            self.play_until(min(self.plan.session_count, (done // every + 1) * every))

    @override
    def _steps(self) -> None:
        super()._steps()
        page = write_report(self.home.root, self._inputs())
        self.screen.say(f"The backtest's report: {page}; backtest_report.json and the picture lie beside it.")

    def _inputs(self) -> Inputs:
        first, last = self.asked.opening_session, self.asked.last_session
        bars = self.clients.datamanager.frame(
            "/equity-bars",
            start_date=str(first),
            end_date=str(last),
            adjusted_as_of=str(last),
            columns="ticker,date,close",
        )
        return Inputs(
            settings=asdict(self.asked) | {"market": self.supervisor.opening.market()},
            first=first,
            last=last,
            performance=self.clients.portfoliomanager.get("/performance"),
            orders=self.clients.portfoliomanager.frame("/orders"),
            bars=bars,
            refits=refits(self.home),
        )


def refits(home: Home) -> list[dict[str, Any]]:
    """Every refit so far, the oldest first."""
    path = home.root / "refits.json"
    rows: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    return rows


def _fitted(home: Home, day: date) -> dict[str, Any]:
    """What the training of a session left in the registry: the newest model, and whether it is the champion now."""
    newest = Registry(home.registry).list()[-1]
    return {
        "session": day.isoformat(),
        "version": newest.version,
        "champion": CHAMPION in newest.aliases,
        "verdict": newest.metrics["verdict"],
    }


def plan_of(asked: Backtest) -> Plan:
    """The staircase's plan of a backtest."""
    return Plan(asked.session_count, asked.model)
