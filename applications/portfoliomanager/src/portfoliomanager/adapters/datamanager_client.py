"""The data service over HTTP: frames as Arrow streams, problems as the errors that they name.

Knows datamanager's paths and parameters. Knows nothing of what the frames are for.
"""

from collections.abc import Sequence
from datetime import date
from types import TracebackType
from typing import Any, Self

import httpx
import polars as pl
from pydantic import SecretStr

from internal.errors import NotFoundError, UnavailableError, UpstreamError
from internal.http.client import raise_for_problem, read_frame_response
from internal.http.frames import ARROW, BARS_VERSION_HEADER
from internal.schemas import corporate_actions, portfolios, predictions

TIMEOUT_SECONDS = 120.0  # two years of 8,000 tickers take a while


class DatamanagerClient:
    """The port `DataStore` on datamanager. Every method raises UnavailableError when it cannot be reached."""

    def __init__(self, url: str, token: SecretStr) -> None:
        """Takes the service's address and the fund's token, which may be empty."""
        secret = token.get_secret_value()
        headers = {"Accept": ARROW} | ({"Authorization": f"Bearer {secret}"} if secret else {})
        self._client = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS)
        self._url = url

    def __enter__(self) -> Self:
        """Open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._client.close()

    def bars(
        self, start: date, end: date, *, adjusted_as_of: date | None, columns: Sequence[str], tickers: Sequence[str]
    ) -> tuple[pl.DataFrame, int]:
        """Bars and their version; no columns or tickers means all."""
        parameters = {"start_date": str(start), "end_date": str(end)}
        parameters |= {"adjusted_as_of": str(adjusted_as_of)} if adjusted_as_of else {}
        parameters |= {"columns": ",".join(columns)} if columns else {}
        parameters |= {"tickers": ",".join(tickers)} if tickers else {}
        response = self._send("GET", "/equity-bars", params=parameters)
        version = response.headers.get(BARS_VERSION_HEADER)
        if version is None:
            raise UpstreamError(f"GET {self._url}/equity-bars answered without {BARS_VERSION_HEADER}")
        return read_frame_response(response), int(version)

    def details(self) -> pl.DataFrame:
        """The equity_details frame."""
        return read_frame_response(self._send("GET", "/equity-details"))

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """Splits by execution date."""
        frame = read_frame_response(self._send("GET", "/corporate-actions/splits", params=_range(start, end)))
        return corporate_actions.validate_splits(frame)

    def predictions(self, start: date, end: date) -> pl.DataFrame:
        """Predictions by date of origin."""
        return self._dated("/predictions", _range(start, end), predictions.empty())

    def save_predictions(self, frame: pl.DataFrame) -> None:
        """Replace the predictions of the frame's dates; an empty frame changes nothing."""
        self._post("/predictions", predictions.validate(frame))

    def portfolios(self, start: date, end: date) -> pl.DataFrame:
        """Portfolios by date of decision."""
        return self._dated("/portfolios", _range(start, end), portfolios.empty())

    def portfolio(self, portfolio_id: str) -> pl.DataFrame:
        """One portfolio; empty when there is none."""
        return self._dated("/portfolios", {"portfolio_id": portfolio_id}, portfolios.empty())

    def save_portfolio(self, frame: pl.DataFrame) -> None:
        """Replace the rows of the frame's portfolio; an empty frame changes nothing."""
        self._post("/portfolios", portfolios.validate(frame))

    def ready(self) -> None:
        """Nothing when it can be asked; raises otherwise."""
        raise_for_problem(self._send("GET", "/health"))

    def _dated(self, path: str, parameters: dict[str, str], empty: pl.DataFrame) -> pl.DataFrame:
        """A frame that may not be there yet: 404 is an empty one."""
        try:
            return read_frame_response(self._send("GET", path, params=parameters))
        except NotFoundError:
            return empty

    def _post(self, path: str, frame: pl.DataFrame) -> None:
        if frame.is_empty():
            return
        raise_for_problem(self._send("POST", path, content=_arrow(frame), headers={"Content-Type": ARROW}))

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        try:
            return self._client.request(method, path, **arguments)
        except httpx.TransportError as error:
            raise UnavailableError(
                f"datamanager at {self._url} cannot be reached ({type(error).__name__}): is it running, and is "
                "DATAMANAGER_URL right?"
            ) from error


def _range(start: date, end: date) -> dict[str, str]:
    return {"start_date": str(start), "end_date": str(end)}


def _arrow(frame: pl.DataFrame) -> bytes:
    return frame.write_ipc_stream(None, compat_level=pl.CompatLevel.oldest()).getvalue()
