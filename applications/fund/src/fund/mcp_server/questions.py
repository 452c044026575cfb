"""The questions that a language model may ask; each docstring is the description that the model reads."""

import datetime as dt
from typing import Annotated

from pydantic import Field

from fund.answers import BooksSummary
from fund.arming_answers import ArmingAnswer
from fund.clients import parked_events
from fund.mcp_server.answers import (
    AccountPerformance,
    AccountPoint,
    FundStatus,
    Health,
    Positions,
    ServiceHealth,
)
from fund.mcp_server.decision_answers import Order, Orders
from fund.mcp_server.running_fund import RunningFund
from fund.schedule import read_schedule
from fund.service_client import ServiceClient
from fund.services import Service
from fund.status import describe_model, services_of
from fund.status_answer import list_services
from fund.trading_answers import TradingStateAnswer
from internal.errors import NotFoundError, UnavailableError
from internal.http.client import read_frame
from internal.http.datamanager_responses import DataCheck
from internal.http.schedule_response import Schedule
from internal.trading.enums import OrderState

MOST_ORDERS = 500
FirstDay = Annotated[dt.date | None, Field(description="The first day; default: 90 days before the last")]
LastDay = Annotated[dt.date | None, Field(description="The last day; default: the market's today")]
Session = Annotated[dt.date | None, Field(description="The session at whose close they were decided; default: any")]
Count = Annotated[int, Field(description="How many of the newest", ge=1, le=MOST_ORDERS)]


def get_status() -> FundStatus:
    """Whether the fund runs, whose money it trades (simulated, paper or live), what it may send, strategy and model."""
    fund = RunningFund.find()
    services = list_services(fund.folder, fund.addresses, fund.clients)
    running = all(one.alive for one in services)
    strategy = fund.folder.read_strategy()
    return FundStatus(
        mode=fund.folder.read_mode(),
        running=running,
        services=services,
        trading_state=TradingStateAnswer.read(fund.trader) if running else None,
        strategy=strategy.describe() if strategy else None,
        model=describe_model(fund.folder),
    )


def get_positions() -> Positions:
    """What the account holds now with gains, exposure, cash and net asset value, and what in it is not the fund's."""
    trader = RunningFund.find().trader
    return Positions.model_validate(trader.get("/portfolios/current") | trader.get("/foreign"))


def list_orders(
    session: Session = None,
    ticker: Annotated[str | None, Field(description="One ticker; default: all")] = None,
    state: Annotated[OrderState | None, Field(description="One state; default: all")] = None,
    count: Count = 50,
) -> Orders:
    """The newest orders of the journal: what was sent, why, and what filled at which price."""
    given = {"date": session and session.isoformat(), "state": state}
    found = read_frame(
        RunningFund.find().trader.read("/orders", **{name: str(value) for name, value in given.items() if value})
    )
    newest = found.sort("date", "updated_at", "client_order_id", descending=[True, True, False])
    orders = Order.list_of(newest)
    return Orders(orders=[order for order in orders if ticker in {None, order.ticker}][:count])


def get_performance(
    since: Annotated[dt.date | None, Field(description="Only later points")] = None,
) -> AccountPerformance:
    """Return, maximum drawdown and cost since the start, and the account's value and exposure over time."""
    answer = RunningFund.find().trader.get("/performance")
    points = [AccountPoint.model_validate(point) for point in answer["points"]]
    wanted = [point for point in points if since is None or point.timestamp >= since.isoformat()]
    return AccountPerformance.model_validate({**answer, "total_return": answer["return"], "points": wanted})


def get_books() -> BooksSummary:
    """What the account's activities add up to in dollars: cash, deposits, profit, differences from the broker."""
    return BooksSummary.model_validate(RunningFund.find().trader.get("/books"))


def get_limits() -> ArmingAnswer:
    """The risk limits, the capital, whether live orders are armed, and what speaks for the model or against it."""
    return ArmingAnswer.model_validate(RunningFund.find().trader.get("/arming"))


def check_data(first_day: FirstDay = None, last_day: LastDay = None) -> DataCheck:
    """The health of the data: missing and late sessions, quarantined bars, disagreements of vendors, and what to do."""
    with RunningFund.find().clients.data as datamanager:
        return datamanager.check_data(first_day, last_day)


def check_services() -> Health:
    """Whether each service can work, what is wrong with what it needs, and events that a person has to look at."""
    fund = RunningFund.find()
    services = [_check(fund.clients.of(service)) for service in services_of(fund.folder)]
    return Health(
        services=services,
        given_up=parked_events(fund.clients, services_of(fund.folder)) if all(one.ready for one in services) else [],
    )


def get_schedule() -> Schedule:
    """What the scheduler ran last, what is overdue, and what is due next; moments are the market's."""
    fund = RunningFund.find()
    if Service.SCHEDULER not in services_of(fund.folder):
        raise NotFoundError("this fund has no scheduler: its simulated exchange announces the sessions.")
    return read_schedule(fund.clients.of(Service.SCHEDULER))


def _check(service: ServiceClient) -> ServiceHealth:
    try:
        checks = service.readiness()
    except UnavailableError as error:
        return ServiceHealth(service=service.name, ready=False, checks={"answers": error.detail})
    return ServiceHealth(service=service.name, ready=all(found == "ok" for found in checks.values()), checks=checks)
