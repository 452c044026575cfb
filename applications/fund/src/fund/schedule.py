"""The scheduler's runs as the command line reads and shows them: what ran last, what is overdue, what is due next."""

from collections.abc import Iterator

from fund.service_client import ServiceClient
from internal.http.schedule_response import Schedule


def read_schedule(scheduler: ServiceClient) -> Schedule:
    """The last and the next runs. Raises UnavailableError when the scheduler does not answer."""
    return Schedule.model_validate(scheduler.get("/schedule?limit=0"))


def describe_schedule(schedule: Schedule) -> Iterator[str]:
    """The lines of `fund status`: why the scheduler waits, if it does, the last runs, and what comes next."""
    if not schedule.acts:
        yield "The scheduler is on standby: another one of this fund acts."
    elif schedule.problem:
        yield f"The scheduler waits: {schedule.problem}"
    for run in schedule.last:
        yield run.describe()
    for upcoming in schedule.next:
        yield upcoming.describe()
