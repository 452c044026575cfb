"""datamanager and portfoliomanager over HTTP, as the port `FundServices`."""

import datetime as dt
from collections.abc import Mapping, Sequence

import httpx
from pydantic import BaseModel, RootModel, SecretStr, ValidationError

from internal.cloud_events.responses import HANDLED, IGNORED, RecentEvents
from internal.errors import ConflictError, UnavailableError, UpstreamError
from internal.http.authorities import trusted_authorities
from internal.http.bearer import bearer_headers
from internal.http.client import raise_for_problem
from internal.http.datamanager_client import DatamanagerClient
from internal.modes import Mode
from internal.trading.enums import RunState
from internal.trading.trading_state import TradingState
from scheduler.alerts import Alert
from scheduler.facts import Handling
from scheduler.ports import MarketTime

TIMEOUT = httpx.Timeout(15.0, connect=5.0)
PATIENCE_SECONDS = 600.0  # for a collection, forecasts or a decision
PENDING = "pending"


class ClockAnswer(BaseModel):
    """The answer of portfoliomanager's `GET /clock`."""

    moment: dt.datetime
    mode: Mode


class DecisionAnswer(BaseModel):
    """A decision."""

    date: dt.date
    state: RunState


class DecisionAnswers(RootModel[list[DecisionAnswer]]):
    """The answer of portfoliomanager's `GET /portfolios/decisions`."""


class StateAnswer(BaseModel):
    """The answer of portfoliomanager's `GET /trading-state`."""

    state: TradingState
    changed_at: dt.datetime | None
    changed_by: str
    reason: str


class StrategyFailure(BaseModel):
    """A session at whose decision the strategy failed."""

    date: dt.date
    detail: str


class StrategyAnswer(BaseModel):
    """The answer of portfoliomanager's `GET /strategy`."""

    uses_forecasts: bool
    failure: StrategyFailure | None


class HttpServices:
    """Both services at their addresses; close it at the end."""

    def __init__(self, datamanager_url: str, portfoliomanager_url: str, token: SecretStr) -> None:
        self._urls = {"datamanager": datamanager_url.rstrip("/"), "portfoliomanager": portfoliomanager_url.rstrip("/")}
        headers = bearer_headers(token.get_secret_value())
        self._http = httpx.Client(headers=headers, timeout=TIMEOUT, trust_env=False, verify=trusted_authorities())
        self._data = DatamanagerClient(datamanager_url, token, http=self._http)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def read_clock(self) -> MarketTime:
        """The broker's clock, through portfoliomanager."""
        answer = self._get("portfoliomanager", "/clock", ClockAnswer)
        return MarketTime(answer.moment.astimezone(dt.UTC), answer.mode)

    def list_collected(self) -> frozenset[dt.date]:
        """The sessions in datamanager's ledger."""
        return frozenset(self._data.sessions().get_column("date").to_list())

    def list_decided(self, since: dt.date) -> frozenset[dt.date]:
        """The decisions in portfoliomanager's journal, without one that waits to be sent."""
        answers = self._get("portfoliomanager", f"/portfolios/decisions?since={since.isoformat()}", DecisionAnswers)
        return frozenset(answer.date for answer in answers.root if answer.state is not RunState.PLANNED)

    def read_halt(self) -> str | None:
        """The trading state, in words where it is halted."""
        answer = self._get("portfoliomanager", "/trading-state", StateAnswer)
        if answer.state is not TradingState.HALTED:
            return None
        since = "" if answer.changed_at is None else f" since {answer.changed_at:%Y-%m-%d %H:%M} UTC"
        return f"trading is halted{since}, by {answer.changed_by}: {answer.reason}"

    def list_handlings(self) -> Mapping[str, Handling]:
        """The newest events in both inboxes; of an event with two sources, the one that was handled."""
        found: dict[str, Handling] = {}
        for service in self._urls:
            for row in self._get(service, "/events", RecentEvents).inbox:
                if row.state != IGNORED and not (row.id in found and found[row.id].is_handled):
                    found[row.id] = Handling(row.state == HANDLED, row.state == PENDING, row.last_error)
        return found

    def collect(self, day: dt.date) -> None:
        """Have datamanager ask the vendor once more."""
        self._send("datamanager", "POST", "/equity-bars", json={"date": day.isoformat()}, timeout=PATIENCE_SECONDS)

    def decide(self, day: dt.date) -> None:
        """Have portfoliomanager do what its events do; a session that was decided stays as it was decided.

        A strategy that failed at the session is not asked again: a person alone does that.
        """
        body, strategy = {"date": day.isoformat()}, self._get("portfoliomanager", "/strategy", StrategyAnswer)
        if strategy.failure is not None and strategy.failure.date == day:
            raise ConflictError(strategy.failure.detail)
        if strategy.uses_forecasts:
            self._send("portfoliomanager", "POST", "/predictions", json=body, timeout=PATIENCE_SECONDS)
        self._send("portfoliomanager", "POST", "/portfolios", json=body, timeout=PATIENCE_SECONDS)

    def send_alerts(self, alerts: Sequence[Alert]) -> None:
        """In the form of Alertmanager's webhook, which portfoliomanager takes."""
        self._send("portfoliomanager", "POST", "/alerts", json={"alerts": [_encode_alert(alert) for alert in alerts]})

    def _get[Answer: BaseModel](self, service: str, path: str, model: type[Answer]) -> Answer:
        response = self._send(service, "GET", path)
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise UpstreamError(
                f"{service} at {self._urls[service]} answered GET {path} with something else than expected "
                f"({error.errors()[0]['msg']}): is it a {service} of this version?"
            ) from error

    def _send(
        self, service: str, method: str, path: str, *, json: object = None, timeout: float | None = None
    ) -> httpx.Response:
        url = self._urls[service]
        try:
            response = self._http.request(method, url + path, json=json, timeout=timeout or TIMEOUT)
        except httpx.TransportError as error:
            raise UnavailableError(
                f"{service} at {url} cannot be reached ({type(error).__name__}): start it, or set "
                f"{service.upper()}_URL to where it answers"
            ) from error
        raise_for_problem(response)
        return response


def _encode_alert(alert: Alert) -> dict[str, object]:
    return {
        "status": "resolved" if alert.is_resolved else "firing",
        "labels": {"alertname": alert.name},
        "annotations": {"description": alert.text},
        "startsAt": alert.run.due_at.isoformat(),
        "fingerprint": f"scheduler:{alert.name}:{alert.run.session.isoformat()}",
    }
