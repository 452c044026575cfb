"""The port `MarketData` on the data service: bars and predictions become the arrays of a day."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl

from internal.dates import previous_session, sessions
from internal.errors import ConflictError
from internal.http.datamanager_client import DatamanagerClient
from internal.trading.day_table import BarTable, compute_day_table, window_sessions
from internal.trading.policy import Policy
from internal.trading.rows import DayInputs, FloatArray, Split

BAR_COLUMNS = ("ticker", "date", "close", "volume")
BAND_COLUMNS = ("quantile_10", "quantile_50", "quantile_90")


class DatamanagerMarketData:
    """Datamanager's data as rows and arrays; every method raises UnavailableError when it cannot be reached."""

    def __init__(self, client: DatamanagerClient) -> None:
        self._client = client

    def day_inputs(self, day: date, policy: Policy) -> DayInputs:
        """Prices, universe, volatility and forecasts of a day.

        Raises ConflictError, which says which POST is missing, without bars or predictions of that day.
        """
        start = previous_session(day, window_sessions(policy) - 1)
        bars, version = self._client.bars(start, day, adjusted_as_of=day, columns=BAR_COLUMNS)
        _require_rows(bars, day, f'there are no bars of {day}: POST /equity-bars {{"date": "{day}"}} to datamanager')
        predictions = self._client.predictions(day, day)
        _require_rows(
            predictions, day, f'there are no predictions of {day}: POST /predictions {{"date": "{day}"}} here'
        )
        return read_day_inputs(bars, predictions, day, version, policy)

    def splits(self, first: date, last: date) -> Sequence[Split]:
        """Splits by execution date."""
        frame = self._client.splits(first, last).select("ticker", "execution_date", "split_from", "split_to")
        return [Split(ticker, day, after / before) for ticker, day, before, after in frame.iter_rows()]

    def price_factors(self, opened: Mapping[str, date], day: date) -> Mapping[str, float]:
        """By ticker, adjusted over raw close of the opening session in the terms of `day`; no entry without a bar."""
        first, columns, tickers = min(opened.values()), ("ticker", "date", "close"), sorted(opened)
        adjusted, _ = self._client.bars(first, day, adjusted_as_of=day, columns=columns, tickers=tickers)
        raw, _ = self._client.bars(first, day, adjusted_as_of=None, columns=columns, tickers=tickers)
        factors = adjusted.join(raw, on=["ticker", "date"], suffix="_raw").select(
            "ticker", "date", (pl.col("close") / pl.col("close_raw")).alias("factor")
        )
        return {ticker: factor for ticker, session, factor in factors.iter_rows() if session == opened[ticker]}

    def closes(self, tickers: Sequence[str], day: date) -> Mapping[str, float]:
        """Closes of a session as traded, by ticker; no entry without a bar."""
        frame, _ = self._client.bars(day, day, adjusted_as_of=None, columns=("ticker", "close"), tickers=tickers)
        return dict(frame.select("ticker", "close").iter_rows())


def read_day_inputs(
    bars: pl.DataFrame, predictions: pl.DataFrame, day: date, bars_version: int, policy: Policy
) -> DayInputs:
    """The arrays of a day.

    bars: ticker, date, close (dollars), volume (shares), adjusted as of `day`. predictions: the frame of that name.
    Rows of other sessions than the window's are left out.
    """
    forecasts = predictions.filter(pl.col("date") == day).sort("horizon").unique("ticker", keep="last")
    days = sessions(previous_session(day, window_sessions(policy) - 1), day)
    tickers = pl.concat([bars.get_column("ticker"), forecasts.get_column("ticker")]).unique().sort()
    table = _bar_table(bars.filter(pl.col("date").is_between(days[0], day)), days, tickers)
    row = compute_day_table(table, len(days) - 1, len(days) - 1, policy)
    return DayInputs(
        day=day,
        tickers=table.tickers,
        price=table.close[-1],
        last_price=row.last_price[0],
        liquid=row.liquid[0],
        volatility=row.volatility[0],
        bands=_bands(forecasts, tickers),
        model_version=predictions.item(0, "model_version"),
        bars_version=bars_version,
    )


def _require_rows(frame: pl.DataFrame, day: date, problem: str) -> None:
    if frame.is_empty() or frame.filter(pl.col("date") == day).is_empty():
        raise ConflictError(f"{problem}, then try again")


def _places(column: pl.Series, tickers: pl.Series) -> np.ndarray:
    """The place of each ticker among the sorted ones."""
    return column.cast(pl.Enum(tickers)).to_physical().to_numpy()


def _bar_table(bars: pl.DataFrame, days: Sequence[date], tickers: pl.Series) -> BarTable:
    shape, columns = (len(days), len(tickers)), _places(bars.get_column("ticker"), tickers)
    rows = np.searchsorted(np.array(days, "datetime64[D]"), bars.get_column("date").to_numpy())
    close, volume = np.full(shape, np.nan), np.full(shape, np.nan)
    close[rows, columns] = bars.get_column("close").to_numpy()
    volume[rows, columns] = bars.get_column("volume").to_numpy()
    return BarTable(days, tuple(tickers.to_list()), close, volume)


def _bands(forecasts: pl.DataFrame, tickers: pl.Series) -> FloatArray:
    """[N, 3] quantiles over the longest horizon, NaN without a forecast."""
    bands = np.full((len(tickers), len(BAND_COLUMNS)), np.nan)
    bands[_places(forecasts.get_column("ticker"), tickers)] = forecasts.select(BAND_COLUMNS).to_numpy()
    return bands
