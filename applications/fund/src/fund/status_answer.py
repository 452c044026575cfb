"""The JSON of `fund status --json`."""

from pydantic import BaseModel

from fund.addresses import Addresses
from fund.answers import CurrentPortfolio, PendingEvent, Performance
from fund.arming_answers import ArmingAnswer
from fund.clients import Clients, connect, parked_events
from fund.folder import FundFolder
from fund.processes import running_processes
from fund.schedule import read_schedule
from fund.services import Service
from fund.status import describe_model, services_of
from fund.trading_answers import TradingStateAnswer
from internal.http.schedule_response import Schedule
from internal.modes import Mode


class ServiceStatus(BaseModel):
    """One service: its process, None when it does not run, and whether it answers."""

    service: Service
    process: int | None
    address: str
    alive: bool
    memory_bytes: int | None


class StatusAnswer(BaseModel):
    """A fund, running or not; trading state, portfolio and performance are None while a service does not answer.

    `schedule` is None where there is no scheduler; `arming` says whether live orders may be sent, and which evidence
    there is; `given_up` are the events that a person has to look at.
    """

    folder: str
    mode: Mode | None
    answering: bool
    services: list[ServiceStatus]
    model: str
    strategy: str | None
    trading_state: TradingStateAnswer | None = None
    portfolio: CurrentPortfolio | None = None
    performance: Performance | None = None
    schedule: Schedule | None = None
    arming: ArmingAnswer | None = None
    given_up: list[PendingEvent] = []


def read_status(folder: FundFolder, addresses: Addresses) -> StatusAnswer:
    """What `fund status` shows."""
    clients, strategy = connect(folder, addresses), folder.read_strategy()
    services = list_services(folder, addresses, clients)
    answer = StatusAnswer(
        folder=str(folder.root),
        mode=folder.read_mode(),
        answering=all(one.alive for one in services),
        services=services,
        model=describe_model(folder),
        strategy=strategy.describe() if strategy else None,
    )
    if not answer.answering:
        return answer
    found = {
        "trading_state": TradingStateAnswer.read(clients.portfoliomanager),
        "portfolio": clients.current_portfolio(),
        "performance": clients.performance(),
        "schedule": read_schedule(clients.of(Service.SCHEDULER)) if Service.SCHEDULER in services_of(folder) else None,
        "arming": ArmingAnswer.model_validate(clients.portfoliomanager.get("/arming")),
        "given_up": parked_events(clients, services_of(folder)),
    }
    return answer.model_copy(update=found)


def list_services(folder: FundFolder, addresses: Addresses, clients: Clients) -> list[ServiceStatus]:
    """Each service of the fund: its process, and whether it answers."""
    running = running_processes(folder)
    return [
        ServiceStatus(
            service=service,
            process=process.pid if process else None,
            address=addresses.url(service),
            alive=process is not None and clients.of(service).is_alive(),
            memory_bytes=process.memory_info().rss if process else None,
        )
        for service in services_of(folder)
        for process in (running.get(service),)
    ]
