"""The client of datamanager: frames as Arrow streams, and problem answers as the errors that they name."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage, HTTPResponse
from threading import Thread
from types import TracebackType
from typing import Self

import httpx
import polars as pl
from pydantic import SecretStr

from internal.action_kinds import ActionKind
from internal.errors import NotFoundError, UnavailableError, UpstreamError
from internal.http.authorities import trusted_authorities
from internal.http.bar_parts import FILE_NAMES, UnreadableFilesError, WantedBars, read_bar_parts
from internal.http.bearer import bearer_headers
from internal.http.client import parse_answer, raise_for_problem, read_frame_response
from internal.http.datamanager_responses import (
    CollectedBars,
    CollectedRows,
    CollectionPhase,
    CollectionPhases,
    CollectionProgress,
    DataCheck,
    ImportedBars,
    ReleasedBars,
    StoredPredictions,
)
from internal.http.frames import ARROW, BARS_VERSION_HEADER, JSON, KNOWN_AT_HEADER
from internal.http.large_responses import open_response, read_whole
from internal.http.parts import PARTS
from internal.modes import is_loopback
from internal.schemas import corporate_actions, equity_bars, portfolios, predictions, securities, universe
from internal.trading.universe import Universe

CONNECT_SECONDS = 5.0
READ_SECONDS = 120.0  # years of thousands of tickers take a while
TIMEOUT = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
UNLIMITED = httpx.Timeout(None, connect=CONNECT_SECONDS)  # datamanager answers when the vendor has answered
POLL_SECONDS = 0.25
Parameters = Mapping[str, str]


@dataclass(frozen=True)
class Knowledge:
    """What an answer was made from: the version of the bars, and the moment up to which anything else was known."""

    bars_version: int
    known_at: datetime


@dataclass(frozen=True)
class KnownBars:
    """Bars, and what they were made from."""

    frame: pl.DataFrame
    knowledge: Knowledge

    @property
    def version(self) -> int:
        """The version of the table of bars."""
        return self.knowledge.bars_version


class DatamanagerClient:
    """One connection to datamanager, used in a `with` block.

    Every method raises UnavailableError, which says what to do, when datamanager cannot be reached, and the FundError
    that a problem answer names.

    Args:
        url: The service's address.
        token: The fund's token; may be empty.
        http: The HTTP client to use, which the caller closes; None opens one.
        reader: User and password for reading, where a proxy in front of the service asks for them.
    """

    def __init__(
        self, url: str, token: SecretStr, *, http: httpx.Client | None = None, reader: tuple[str, str] | None = None
    ) -> None:
        self._url, self._reader = url.rstrip("/"), reader
        self._headers = {"Accept": ARROW} | bearer_headers(token.get_secret_value())
        # a proxy of the environment is for other hosts
        self._http = http or httpx.Client(trust_env=False, verify=trusted_authorities())
        self._is_own = http is None
        self._shares_files = is_loopback(httpx.URL(url).host)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_own:
            self._http.close()

    def check_health(self) -> None:
        """Return when datamanager answers; raise otherwise."""
        self._get("/health", {})

    def collect_bars(self, start: date, end: date, on_progress: Callable[[CollectionProgress], None]) -> CollectedBars:
        """Have the bars of a range collected and wait; `on_progress` is called with the progress while it runs."""

        def poll() -> None:
            progress = parse_answer(CollectionProgress, self._get("/equity-bars/ingestion", {}))
            if progress.running:
                on_progress(progress)

        return parse_answer(CollectedBars, self._post_and_poll("/equity-bars", _range(start, end), poll))

    def collect_details(self, on_progress: Callable[[CollectionPhase], None]) -> int:
        """Have the details of every ticker collected and wait; the number of rows. Each running phase is reported."""

        def poll() -> None:
            answer = parse_answer(CollectionPhases, self._get("/equity-details/progress", {}))
            for phase in answer.phases:
                if phase.running:
                    on_progress(phase)

        return parse_answer(CollectedRows, self._post_and_poll("/equity-details", {}, poll)).rows

    def _post_and_poll(self, path: str, body: Mapping[str, object], poll: Callable[[], None]) -> httpx.Response:
        """Post, and call `poll` several times a second until it is answered; an interrupt does not wait for that."""
        answer: Future[httpx.Response] = Future()

        def post() -> None:
            try:
                answer.set_result(self._post_json(path, body))
            except Exception as error:  # noqa: BLE001 - the caller gets it
                answer.set_exception(error)

        Thread(target=post, daemon=True).start()
        while not _wait_briefly(answer):
            poll()
        return answer.result()

    def fundamentals(self, as_of: datetime | None = None, tickers: Sequence[str] = ()) -> pl.DataFrame:
        """What had been filed by a moment, a row a ticker and measure; None is now, no tickers means all."""
        parameters = {"as_of": as_of.isoformat()} if as_of else {}
        parameters |= {"tickers": ",".join(tickers)} if tickers else {}
        return read_frame_response(self._get("/fundamentals", parameters))

    def bars(
        self,
        start: date,
        end: date,
        *,
        adjusted_as_of: date | None,
        columns: Sequence[str] = (),
        tickers: Sequence[str] = (),
    ) -> tuple[pl.DataFrame, int]:
        """Bars of a range as they are known now, and the version of the table that they come from; see `known_bars`."""
        found = self.known_bars(start, end, adjusted_as_of=adjusted_as_of, columns=columns, tickers=tickers)
        return found.frame, found.version

    def known_bars(  # noqa: PLR0913 - one parameter of the query each
        self,
        start: date,
        end: date,
        *,
        adjusted_as_of: date | None,
        columns: Sequence[str] = (),
        tickers: Sequence[str] = (),
        knowledge: Knowledge | None = None,
    ) -> KnownBars:
        """Bars of a range with what they were made from; no columns or tickers means all.

        Raises UpstreamError when the answer does not say what it was made from.

        Args:
            start: The first day.
            end: The last day.
            adjusted_as_of: The day in whose shares, dollars and names bars are given; None leaves them as traded.
            columns: In order; `security_id` may be one of them.
            tickers: As named on `adjusted_as_of`.
            knowledge: Of an earlier answer, to read exactly that again; None is what is known now.
        """
        parameters = _range(start, end)
        parameters |= {"adjusted_as_of": adjusted_as_of.isoformat()} if adjusted_as_of else {}
        parameters |= {"columns": ",".join(columns)} if columns else {}
        parameters |= {"tickers": ",".join(tickers)} if tickers else {}
        if knowledge is not None:
            parameters |= {"version": str(knowledge.bars_version), "as_of": knowledge.known_at.isoformat()}
        wanted = WantedBars(start, end, columns or list(equity_bars.COLUMNS))
        if self._shares_files:
            with suppress(UnreadableFilesError):
                return self._read_bars(parameters, wanted, {"Prefer": FILE_NAMES})
            self._shares_files = False
        return self._read_bars(parameters, wanted, {})

    def _read_bars(self, parameters: Parameters, wanted: WantedBars, headers: Mapping[str, str]) -> KnownBars:
        accept = {"Accept": f"{ARROW};q=0.9, {PARTS}"}
        with self._open_large("/equity-bars", parameters, accept | dict(headers)) as (request, response):
            found = _read_knowledge(response.headers)
            if response.headers.get("content-type", "").startswith(PARTS):
                return KnownBars(read_bar_parts(response, wanted), found)
            return KnownBars(read_frame_response(read_whole(request, response)), found)

    def details(self, as_of: datetime | None = None) -> pl.DataFrame:
        """The frame `equity_details` with `security_id` and `ticker_since`: the newest, or as recorded by a moment."""
        return read_frame_response(self._get("/equity-details", {"as_of": as_of.isoformat()} if as_of else {}))

    def securities(
        self, *, day: date | None = None, tickers: Sequence[str] = (), known_at: datetime | None = None
    ) -> pl.DataFrame:
        """Securities under each of their tickers, or those of one day; no tickers means all.

        `known_at` answers what was known at that moment.
        """
        parameters = {"date": day.isoformat()} if day else {}
        parameters |= {"tickers": ",".join(tickers)} if tickers else {}
        parameters |= {"as_of": known_at.isoformat()} if known_at else {}
        return securities.validate(read_frame_response(self._get("/securities", parameters)))

    def universe(
        self, day: date | None = None, *, known_at: datetime | None = None, rule: Universe | None = None
    ) -> pl.DataFrame:
        """The frame `universe` of a session, None for the last one, as known at a moment.

        `rule` decides on members; None is the rule of a strategy that sets none.
        """
        parameters = {} if rule is None else {name: str(value) for name, value in asdict(rule).items()}
        parameters |= {"date": day.isoformat()} if day else {}
        parameters |= {"as_of": known_at.isoformat()} if known_at else {}
        return universe.validate(read_frame_response(self._get("/universe", parameters)))

    def save_details(self, details: pl.DataFrame) -> None:
        """Store the equity details of a file, as `internal.bar_files` reads them; they override the vendor's."""
        self._post("/equity-details", _encode(details), ARROW, UNLIMITED)

    def import_bars(self, bars: pl.DataFrame, *, replace: bool) -> ImportedBars:
        """Store a file's bars, as `internal.bar_files` reads them; ConflictError where the lake has other rows."""
        path = f"/equity-bars/import?replace={str(replace).lower()}"
        return parse_answer(ImportedBars, self._post(path, _encode(bars), ARROW, UNLIMITED))

    def sessions(self) -> pl.DataFrame:
        """The sessions that datamanager collected: date, status, rows, quarantined and more."""
        return read_frame_response(self._get("/sessions", {}))

    def quarantine(self, start: date, end: date) -> pl.DataFrame:
        """Quarantined rows of these days, as received, each with its reason."""
        return read_frame_response(self._get("/quarantine", _range(start, end)))

    def release_bars(self, bars: Sequence[tuple[str, date]], *, released_by: str, why: str) -> ReleasedBars:
        """Move bars, by ticker and session, from the quarantine into the lake, with a line in the audit."""
        keys = [{"ticker": ticker, "date": day.isoformat()} for ticker, day in bars]
        return parse_answer(
            ReleasedBars,
            self._post_json("/quarantine/releases", {"released_by": released_by, "why": why, "bars": keys}),
        )

    def check_data(self, start: date | None = None, end: date | None = None) -> DataCheck:
        """Sessions, quarantine, actions and disagreements of these days, and what to do; by default of 90 days."""
        return parse_answer(DataCheck, self._get("/data-checks", _range(start, end) if start and end else {}))

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """Splits by execution date."""
        frame = read_frame_response(self._get("/corporate-actions/splits", _range(start, end)))
        return corporate_actions.validate_splits(frame)

    def corporate_actions(
        self,
        start: date,
        end: date,
        kinds: Sequence[ActionKind],
        *,
        tickers: Sequence[str] = (),
        named_as_of: date | None = None,
    ) -> pl.DataFrame:
        """Corporate actions in force of the kinds, by effective date; no tickers means all.

        Names are those of the session before, or of the day `named_as_of`.
        """
        parameters = _range(start, end) | {"kinds": ",".join(kinds)} | _select(tickers, named_as_of)
        return corporate_actions.validate_actions(read_frame_response(self._get("/corporate-actions", parameters)))

    def predictions(
        self, start: date, end: date, *, named_as_of: date | None = None, tickers: Sequence[str] = ()
    ) -> pl.DataFrame:
        """Predictions by date of origin, under the tickers of their dates or of the day `named_as_of`.

        No tickers means all.
        """
        parameters = _range(start, end) | _select(tickers, named_as_of)
        return self._frame_or("/predictions", parameters, predictions.empty())

    def save_predictions(self, frame: pl.DataFrame, trained_through: date | None) -> int:
        """Store predictions; how many rows are re-forecasts, which replace none. An empty frame changes nothing."""
        if frame.is_empty():
            return 0
        known = "" if trained_through is None else f"?trained_through={trained_through.isoformat()}"
        answer = self._post(f"/predictions{known}", _encode(predictions.validate(frame)), ARROW, TIMEOUT)
        return parse_answer(StoredPredictions, answer).reforecasts

    def portfolios(self, start: date, end: date) -> pl.DataFrame:
        """Portfolios by date of decision."""
        return self._frame_or("/portfolios", _range(start, end), portfolios.empty())

    def portfolio(self, portfolio_id: str) -> pl.DataFrame:
        """One portfolio; empty when there is none."""
        return self._frame_or("/portfolios", {"portfolio_id": portfolio_id}, portfolios.empty())

    def save_portfolio(self, frame: pl.DataFrame) -> None:
        """Replace the rows of the frame's portfolio; an empty frame changes nothing."""
        self._post_frame("/portfolios", portfolios.validate(frame))

    def _frame_or(self, path: str, parameters: Parameters, empty: pl.DataFrame) -> pl.DataFrame:
        """A frame that may not exist yet: 404 is an empty one."""
        try:
            return read_frame_response(self._get(path, parameters))
        except NotFoundError:
            return empty

    def _get(self, path: str, parameters: Parameters) -> httpx.Response:
        return self._send(self._build_get(path, parameters, {}), self._reader)

    def _build_get(self, path: str, parameters: Parameters, headers: Mapping[str, str]) -> httpx.Request:
        every = self._headers | dict(headers)
        return self._http.build_request(
            "GET", self._url + path, params=dict(parameters), headers=every, timeout=TIMEOUT
        )

    @contextmanager
    def _open_large(
        self, path: str, parameters: Parameters, headers: Mapping[str, str]
    ) -> Generator[tuple[httpx.Request, HTTPResponse]]:
        """A response whose body is read as it arrives; UnavailableError, at any point of the body."""
        request = self._build_get(path, parameters, headers)
        if self._reader is not None:
            request = next(httpx.BasicAuth(*self._reader).auth_flow(request))
        try:
            with open_response(request, connect=CONNECT_SECONDS, read=READ_SECONDS) as response:
                if response.status != HTTPStatus.OK:
                    raise_for_problem(read_whole(request, response))
                yield request, response
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from error

    def _post_json(self, path: str, body: Mapping[str, object]) -> httpx.Response:
        return self._post(path, json.dumps(dict(body)).encode(), JSON, UNLIMITED)

    def _post_frame(self, path: str, frame: pl.DataFrame) -> None:
        if not frame.is_empty():
            self._post(path, _encode(frame), ARROW, TIMEOUT)

    def _post(self, path: str, content: bytes, media_type: str, timeout: httpx.Timeout) -> httpx.Response:
        headers = self._headers | {"Content-Type": media_type}
        request = self._http.build_request("POST", self._url + path, content=content, headers=headers, timeout=timeout)
        return self._send(request)

    def _send(self, request: httpx.Request, auth: tuple[str, str] | None = None) -> httpx.Response:
        try:
            response = self._http.send(request, auth=auth)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        raise_for_problem(response)
        return response

    def _unreachable(self, error: Exception) -> UnavailableError:
        return UnavailableError(
            f"datamanager at {self._url} cannot be reached ({type(error).__name__}): "
            "start it with `./fund up`, or set DATAMANAGER_URL to where it answers"
        )


def _read_knowledge(headers: HTTPMessage) -> Knowledge:
    version, known_at = (headers.get(name, "") for name in (BARS_VERSION_HEADER, KNOWN_AT_HEADER))
    try:
        return Knowledge(int(version), datetime.fromisoformat(known_at))
    except ValueError as error:
        raise UpstreamError(
            f"GET /equity-bars answered without {BARS_VERSION_HEADER} and {KNOWN_AT_HEADER}: is DATAMANAGER_URL a "
            "datamanager of this version?"
        ) from error


def _encode(frame: pl.DataFrame) -> bytes:
    return frame.write_ipc_stream(None, compat_level=pl.CompatLevel.oldest()).getvalue()


def _range(start: date, end: date) -> dict[str, str]:
    return {"start_date": start.isoformat(), "end_date": end.isoformat()}


def _select(tickers: Sequence[str], named_as_of: date | None) -> dict[str, str]:
    chosen = {"tickers": ",".join(tickers)} if tickers else {}
    return chosen | ({"named_as_of": named_as_of.isoformat()} if named_as_of else {})


def _wait_briefly(answer: Future[httpx.Response]) -> bool:
    """Wait a moment; whether the answer is there."""
    try:
        answer.exception(timeout=POLL_SECONDS)
    except TimeoutError:
        return False
    return True
