"""datamanager, as `models` sees it: ask for a backfill, read bars and details.

Knows the paths of the contract. Knows nothing of datasets or models.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from types import TracebackType
from typing import Any, Self

import httpx
import polars as pl

from internal.errors import UnavailableError, UpstreamError
from internal.http.client import raise_for_problem, read_frame_response

BAR_COLUMNS = ("ticker", "date", "open", "high", "low", "close", "volume", "volume_weighted_average_price")
POLL_SECONDS = 0.25
READ_SECONDS = 120.0


class Datamanager:
    """One connection to datamanager, to be used in a `with` block.

    Every method raises UnavailableError when datamanager cannot be reached, saying what to do, and the FundError of
    its problem when it refuses.
    """

    def __init__(self, url: str, token: str = "") -> None:
        """Takes the service's URL and the bearer token, empty when it wants none."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(READ_SECONDS, connect=5.0)
        self._client = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def backfill(self, start: date, end: date, on_sessions: Callable[[int, int], None]) -> dict[str, Any]:
        """Ask for the bars of a range and wait; `on_sessions(done, total)` is called while it runs.

        Returns:
            The answer of `POST /equity-bars`: sessions, rows, quarantined, bars_version.
        """
        body = {"start_date": start.isoformat(), "end_date": end.isoformat()}
        with ThreadPoolExecutor(max_workers=1) as executor:
            answer = executor.submit(self._request, "POST", "/equity-bars", json=body, timeout=None)
            while not _finished(answer):
                state = _json(self._request("GET", "/equity-bars/ingestion"))
                if state.get("running"):
                    on_sessions(int(state["sessions_done"]), int(state["sessions_total"]))
            return _json(answer.result())

    def sync_details(self) -> int:
        """Ask for the details of every ticker; the number of rows."""
        return int(_json(self._request("POST", "/equity-details", json={}, timeout=None))["rows"])

    def bars(self, start: date, end: date, *, adjusted_as_of: date) -> tuple[pl.DataFrame, int]:
        """Bars of a range, adjusted, and the version of the table that they come from.

        Raises:
            UpstreamError: The answer carries no `X-Bars-Version`.
        """
        query = {
            "start_date": start.isoformat(),
            "end_date": end.isoformat(),
            "adjusted_as_of": adjusted_as_of.isoformat(),
            "columns": ",".join(BAR_COLUMNS),
        }
        response = self._request("GET", "/equity-bars", params=query)
        version = response.headers.get("X-Bars-Version", "")
        if not version.lstrip("-").isdigit():
            raise UpstreamError("GET /equity-bars answered without X-Bars-Version: is DATAMANAGER_URL a datamanager?")
        return read_frame_response(response), int(version)

    def details(self) -> pl.DataFrame:
        """The frame `equity_details`."""
        return read_frame_response(self._request("GET", "/equity-details"))

    def _request(self, method: str, path: str, **arguments: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        try:
            response = self._client.request(method, path, **arguments)
        except httpx.TransportError as error:
            raise UnavailableError(
                f"datamanager at {self._client.base_url} cannot be reached ({type(error).__name__}): "
                "start it with `fund up`, or set DATAMANAGER_URL to where it answers"
            ) from error
        raise_for_problem(response)
        return response


def _finished(answer: Future[httpx.Response]) -> bool:
    """Wait a moment; whether the answer is there."""
    try:
        answer.exception(timeout=POLL_SECONDS)
    except TimeoutError:
        return False
    return True


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError as error:
        raise UpstreamError(f"{response.request.url.path} answered something that is not JSON") from error
    if not isinstance(body, dict):
        raise UpstreamError(f"{response.request.url.path} answered {type(body).__name__}, not an object")
    return body
