"""Another service of the fund as the Events page asks it: its readiness, its events, another try of a parked one."""

import httpx
from pydantic import BaseModel, SecretStr

from internal.cloud_events.responses import RecentEvents
from internal.errors import UnavailableError
from internal.http.authorities import trusted_authorities
from internal.http.bearer import bearer_headers
from internal.http.client import parse_answer, raise_for_problem
from internal.http.schedule_response import Schedule

SECONDS = 2.0  # a page waits no longer


class Checks(BaseModel):
    """What `/ready` says of each thing that the service needs: `ok`, or what is missing."""

    checks: dict[str, str] = {}
    detail: str = ""


class PeerService:
    """One service.

    Args:
        name: Its name, for messages.
        url: Its address.
        token: The fund's token; may be empty.
    """

    def __init__(self, name: str, url: str, token: SecretStr) -> None:
        self._name, self.url = name, url.rstrip("/")
        self._headers = {"Accept": "application/json"} | bearer_headers(token.get_secret_value())

    def checks(self) -> dict[str, str]:
        """The result of each readiness check; one of a service that is not ready is no error."""
        answer = self._ask("GET", "/ready")
        found = parse_answer(Checks, answer)
        return found.checks or {"ready": "ok" if answer.is_success else found.detail}

    def events(self) -> RecentEvents:
        """The newest events that it sent and received."""
        answer = self._ask("GET", "/events")
        raise_for_problem(answer)
        return parse_answer(RecentEvents, answer)

    def redeliver(self, event_id: str) -> None:
        """Let a parked event be handled again. Raises NotFoundError where none is parked under that id."""
        raise_for_problem(self._ask("POST", "/events/redeliveries", {"id": event_id}))

    def schedule(self) -> Schedule:
        """Of the scheduler: what ran last, what is overdue, and what is due next."""
        answer = self._ask("GET", "/schedule?limit=0")
        raise_for_problem(answer)
        return parse_answer(Schedule, answer)

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> httpx.Response:
        try:
            with httpx.Client(timeout=SECONDS, trust_env=False, verify=trusted_authorities()) as client:
                return client.request(method, self.url + path, json=body, headers=self._headers)
        except httpx.TransportError as error:
            raise UnavailableError(f"{self._name} at {self.url} cannot be reached ({type(error).__name__})") from error
