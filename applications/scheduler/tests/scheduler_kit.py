"""A small fund for the scheduler's tests: the routes that it asks and real event buses, over real HTTP on loopback."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from cloudevents.core.v1.event import CloudEvent
from fastapi import FastAPI, Request, Response

from internal.cloud_events import EventBus, make_event
from internal.cloud_events.event import event_date
from internal.dates import last_closed_session
from internal.errors import ConflictError, UnavailableError, UpstreamError
from internal.event_types import EventType
from internal.http.frames import frame_response
from internal.http.problems import install_problem_handlers
from internal.trading.send_permission import TradingHaltedError
from libraries.python.tests.loopback import serving
from portfoliomanager.routes.notifications import Alerts
from scheduler.configuration import Configuration
from scheduler.server import make_services
from scheduler.services import Services

MONDAY = date(2024, 3, 18)
MONDAY_CLOSED = datetime(2024, 3, 18, 20, 30, tzinfo=UTC)  # half an hour after the close, in summer time
WAIT_SECONDS = 60.0


@dataclass
class SmallFund:
    """datamanager and portfoliomanager as the scheduler meets them, and what they were asked.

    Attributes:
        folder: Of their event files.
        moment: The market's clock.
        is_silent: Whether the broker does not answer its clock.
        is_garbled: Whether the clock's answer is another than expected.
        lacking: Sessions that the vendor does not have.
        forgotten: Sessions whose event is handled without being collected, as after a restored backup.
        refusal: Why no session is decided; empty when it is.
        failed: The session at whose decision the strategy failed.
        is_halted: Whether trading is halted.
        halts_at_decision: Whether somebody halts trading just when a decision is asked for.
        closes: The closes that datamanager handled, in order.
        collected: What is in the lake.
        decided: Sessions that were decided, in order.
        reconciled: Reconciliations, in order.
        alerts: Alerts to the owner, in order.
    """

    folder: Path
    moment: datetime = MONDAY_CLOSED
    is_silent: bool = False
    is_garbled: bool = False
    lacking: set[date] = field(default_factory=set[date])
    forgotten: set[date] = field(default_factory=set[date])
    refusal: str = ""
    failed: date | None = None
    is_halted: bool = False
    halts_at_decision: bool = False
    closes: list[date] = field(default_factory=list[date])
    collected: set[date] = field(default_factory=set[date])
    decided: list[date] = field(default_factory=list[date])
    reconciled: list[date] = field(default_factory=list[date])
    alerts: list[str] = field(default_factory=list[str])
    datamanager_url: str = ""
    portfoliomanager_url: str = ""
    _bus: EventBus | None = None

    async def receive_close(self, event: CloudEvent) -> None:
        """Datamanager's handler: collect the session and say that its bars are there."""
        day = event_date(event)
        if day not in self.forgotten:
            await self.collect(day)
        self.closes.append(day)

    async def collect(self, day: date) -> None:
        """Collect a session, unless the vendor lacks it."""
        if day in self.lacking:
            raise UpstreamError(f"the vendor has no bars of {day}")
        self.collected.add(day)
        assert self._bus is not None
        await self._bus.publish(make_event(EventType.BARS_SYNCED, "/datamanager", day, {}))

    async def receive_bars(self, event: CloudEvent) -> None:
        """Portfoliomanager's handler: decide the last closed session, and no older one."""
        may_decide = not self.refusal and event_date(event) != self.failed and not self.halts_at_decision
        if may_decide and event_date(event) == last_closed_session(self.moment):
            self.decide(event_date(event))

    def decide(self, day: date) -> None:
        """A session is decided once, whoever asks: an event of its bars, perhaps the second one, or the scheduler."""
        if day not in self.decided:
            self.decided.append(day)

    async def receive_open(self, event: CloudEvent) -> None:
        """Portfoliomanager's handler: reconcile."""
        self.reconciled.append(event_date(event))

    def datamanager(self) -> FastAPI:
        """Datamanager's routes."""
        handlers = {str(EventType.SESSION_CLOSED): self.receive_close}
        self._bus = EventBus(self.folder / "datamanager", "/datamanager", [self.portfoliomanager_url], handlers)
        application = serve_bus(self._bus)

        @application.get("/sessions")
        def get_sessions(request: Request) -> Response:
            return frame_response(pl.DataFrame({"date": sorted(self.collected)}, {"date": pl.Date}), request)

        @application.post("/equity-bars")
        async def post_equity_bars(body: dict[str, Any]) -> None:
            await self.collect(date.fromisoformat(body["date"]))

        return application

    def portfoliomanager(self) -> FastAPI:
        """Portfoliomanager's routes."""
        handlers = {
            str(EventType.BARS_SYNCED): self.receive_bars,
            str(EventType.SESSION_OPENED): self.receive_open,
        }
        application = serve_bus(EventBus(self.folder / "portfoliomanager", "/portfoliomanager", [], handlers))

        @application.get("/clock")
        def get_clock() -> dict[str, str]:
            if self.is_silent:
                raise UnavailableError("the broker does not answer")
            return {} if self.is_garbled else {"moment": self.moment.isoformat(), "mode": "simulated"}

        @application.get("/portfolios/decisions")
        def get_decisions(since: date) -> list[dict[str, str]]:
            return [{"date": str(day), "state": "submitted"} for day in self.decided if day >= since]

        @application.get("/trading-state")
        def get_trading_state() -> dict[str, str | None]:
            state = "halted" if self.is_halted else "active"
            return {"state": state, "changed_at": None, "changed_by": "ada", "reason": "data look wrong"}

        @application.post("/alerts")
        def post_alerts(body: Alerts) -> None:
            self.alerts += [f"{alert.labels['alertname']} {alert.status}" for alert in body.alerts]

        @application.get("/strategy")
        def get_strategy() -> dict[str, Any]:
            failure = {"date": str(self.failed), "detail": "the strategy failed"} if self.failed else None
            return {"uses_forecasts": False, "failure": failure}

        @application.post("/portfolios")
        def post_portfolio(body: dict[str, Any]) -> None:
            if self.refusal:
                raise ConflictError(self.refusal)
            if self.halts_at_decision:
                self.is_halted = True
                raise TradingHaltedError("trading is halted by ada: data look wrong")
            self.decide(date.fromisoformat(body["date"]))

        return application


def serve_bus(bus: EventBus) -> FastAPI:
    """An application that runs a bus and answers problems."""

    @asynccontextmanager
    async def run(_application: FastAPI) -> AsyncGenerator[None]:
        async with bus:
            yield

    application = FastAPI(lifespan=run)
    install_problem_handlers(application)
    application.include_router(bus.router())
    return application


@contextmanager
def open_fund(folder: Path) -> Generator[SmallFund]:
    """Both services on loopback until the block ends."""
    fund = SmallFund(folder)
    with ExitStack() as stack:
        fund.portfoliomanager_url = stack.enter_context(serving(fund.portfoliomanager()))
        fund.datamanager_url = stack.enter_context(serving(fund.datamanager()))
        yield fund


def configure(fund: SmallFund, name: str = "scheduler", retrain_every: int = 0) -> Configuration:
    """The settings of a scheduler of the fund with a state folder of its own; all share one lake."""
    return Configuration(
        state_directory=fund.folder / name,
        data_bucket=str(fund.folder / "lake"),
        datamanager_url=fund.datamanager_url,
        portfoliomanager_url=fund.portfoliomanager_url,
        retrain_every=retrain_every,
    )


@asynccontextmanager
async def open_scheduler(configuration: Configuration) -> AsyncGenerator[Services]:
    """A scheduler that turns only when it is asked to."""
    services = make_services(configuration)
    try:
        with services.lease:
            async with services.bus:
                yield services
    finally:
        services.retraining.stop()
        services.fund.close()


async def turn_until(services: Services, condition: Callable[[], bool]) -> None:
    """Turn until the condition holds."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        await services.loop.try_turn()
        if condition():
            return
        assert time.monotonic() < deadline, (services.loop.problem, services.loop.schedule)
        await asyncio.sleep(0.02)


def hours(count: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=count)
