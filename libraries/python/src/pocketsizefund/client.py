"""The client of a running fund: its data, forecasts, portfolios, orders and performance as Polars frames."""

import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import TracebackType
from typing import Self

import httpx
import polars as pl
from pydantic import SecretStr

from internal.errors import ConfigurationError, UnavailableError
from internal.http.client import raise_for_problem, read_frame_response
from internal.http.datamanager_client import DatamanagerClient
from internal.http.frames import ARROW
from internal.trading.universe import Universe

DATAMANAGER_PORT, PORTFOLIOMANAGER_PORT = 8080, 8081
TIMEOUT = httpx.Timeout(120.0, connect=5.0)  # seconds
POINTS: Mapping[str, pl.DataType] = {
    "timestamp": pl.Datetime("ms", "UTC"),
    **dict.fromkeys(
        ("net_asset_value", "cash", "gross_exposure", "net_exposure", "slippage", "fees", "borrow", "return"),
        pl.Float64(),
    ),
}


class Client:
    """A running fund, read-only; in a `with` block or until `close`.

    Every method raises UnavailableError, which says what to do, when a service cannot be reached, and the FundError
    that the service answers.

    Args:
        datamanager_url: Where the data service answers; by default `DATAMANAGER_URL`, else the loopback address with
            `DATAMANAGER_PORT`, as `./fund up` listens.
        portfoliomanager_url: The same of the trading service.
    """

    def __init__(self, datamanager_url: str | None = None, portfoliomanager_url: str | None = None) -> None:
        self._http = httpx.Client(trust_env=False, timeout=TIMEOUT, headers={"Accept": ARROW})
        address = datamanager_url or _address("DATAMANAGER", DATAMANAGER_PORT)
        self._datamanager_url = address.rstrip("/")
        self._portfoliomanager_url = (
            portfoliomanager_url or _address("PORTFOLIOMANAGER", PORTFOLIOMANAGER_PORT)
        ).rstrip("/")
        self._data = DatamanagerClient(self._datamanager_url, SecretStr(""), http=self._http)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def bars(
        self,
        start: date,
        end: date,
        *,
        tickers: Sequence[str] = (),
        columns: Sequence[str] = (),
        adjusted_as_of: date | None = None,
    ) -> pl.DataFrame:
        """Daily bars: ticker, date, prices in dollars, volume in shares, one row a ticker and session.

        No tickers or columns means all. `adjusted_as_of` adjusts for splits and dividends up to that day; None leaves
        prices as they were traded.
        """
        frame, _ = self._data.bars(start, end, adjusted_as_of=adjusted_as_of, columns=columns, tickers=tickers)
        return frame

    def details(self, as_of: datetime | None = None) -> pl.DataFrame:
        """Name, type, sector, industry and listing of each ticker, as the fund had recorded them by a moment.

        `security_id` is permanent, `ticker_since` the first session from which the security had the ticker.
        """
        return self._data.details(as_of)

    def fundamentals(self, as_of: datetime | None = None, tickers: Sequence[str] = ()) -> pl.DataFrame:
        """What companies had filed by a moment, a row a ticker and measure: earnings and equity in dollars, shares.

        Each row names its filing and when it was filed. Shares are of the day on the filing's cover: for a market
        capitalisation multiply them by that day's close as traded, or adjust them for later splits.
        """
        return self._data.fundamentals(as_of, tickers)

    def universe(
        self, day: date | None = None, *, as_of: datetime | None = None, rule: Universe | None = None
    ) -> pl.DataFrame:
        """Every security that traded around a session: type, sector, median dollar volume, rank, and `member`.

        Members are what the liquidity rule of a strategy admits: give the strategy's `universe` as `rule`, or none for
        the usual limits. Delisted names are in their own past. None is the last session; `as_of` reads bars, details
        and names as they were known at that moment.
        """
        return self._data.universe(day, known_at=as_of, rule=rule)

    def forecasts(self, start: date, end: date) -> pl.DataFrame:
        """Quantiles of the cumulative simple return: a row a ticker, date of origin and horizon in sessions."""
        return self._data.predictions(start, end)

    def portfolios(self, start: date, end: date) -> pl.DataFrame:
        """What was decided: a row a portfolio and ticker, with its reason; shares and dollars."""
        return self._data.portfolios(start, end)

    def orders(self, day: date | None = None) -> pl.DataFrame:
        """Orders of the journal and what became of them, oldest first; those decided at the close of a day."""
        return self._frame("/orders", {} if day is None else {"date": day.isoformat()})

    def performance(self) -> pl.DataFrame:
        """The fund at each reconciliation, oldest first: dollars, exposures as fractions of net asset value.

        `return` is the time-weighted return since the first row.
        """
        response = self._get(self._portfoliomanager_url + "/performance", {}, "portfoliomanager", "application/json")
        points = pl.DataFrame(response.json()["points"], schema_overrides={"timestamp": pl.String})
        if points.is_empty():
            return pl.DataFrame(schema=POINTS)
        moment = pl.col("timestamp").str.to_datetime(time_unit="ms", time_zone="UTC")
        return points.with_columns(moment).select(pl.col(name).cast(kind) for name, kind in POINTS.items())

    def sql(self, query: str) -> pl.DataFrame:
        """One SELECT of DuckDB over the lake's tables, such as `equity_bars`, `predictions` and `orders`.

        Read-only, at most ten seconds and 100,000 rows.
        """
        response = self._get(self._datamanager_url + "/query", {"sql": query}, "datamanager", ARROW)
        return read_frame_response(response)

    def _frame(self, path: str, parameters: Mapping[str, str]) -> pl.DataFrame:
        return read_frame_response(self._get(self._portfoliomanager_url + path, parameters, "portfoliomanager", ARROW))

    def _get(self, url: str, parameters: Mapping[str, str], service: str, accept: str) -> httpx.Response:
        try:
            response = self._http.get(url, params=dict(parameters), headers={"Accept": accept})
        except httpx.TransportError as error:
            raise UnavailableError(
                f"{service} at {url} cannot be reached ({type(error).__name__}): start the fund with "
                f"`./fund up`, or set {service.upper()}_URL to where it answers"
            ) from error
        raise_for_problem(response)
        return response


def _address(service: str, port: int) -> str:
    """The service's address from the environment."""
    if url := os.environ.get(f"{service}_URL"):
        return url
    text = os.environ.get(f"{service}_PORT", str(port))
    if not text.isdecimal():
        raise ConfigurationError(f"{service}_PORT is {text!r}: it must be a port")
    return f"http://127.0.0.1:{text}"
