"""The port `MarketData` on the data service: bars and predictions become the arrays of a day."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from functools import partial

import numpy as np
import polars as pl

from internal.action_kinds import ActionKind
from internal.bar_arrays import find_places, make_bar_arrays
from internal.dates import previous_session, sessions
from internal.errors import ConflictError, NotFoundError
from internal.http.datamanager_client import DatamanagerClient, Knowledge
from internal.trading.arrays import FloatArray
from internal.trading.corporate_actions import CorporateAction
from internal.trading.day_inputs import BarHistory, DayInputs, Details, Forecasts
from internal.trading.day_table import BarTable, compute_day_table, window_sessions
from internal.trading.positions import Entry
from internal.trading.strategy import DataNeeds

BAR_COLUMNS = ("ticker", "date", "open", "high", "low", "close", "volume")
BAND_COLUMNS = ("quantile_10", "quantile_50", "quantile_90")
LEVELS = (0.1, 0.5, 0.9)
CHANGES_SHARES = tuple(kind for kind in ActionKind if kind is not ActionKind.CASH_DIVIDEND)


class DatamanagerMarketData:
    """Datamanager's data as rows and arrays; every method raises UnavailableError when it cannot be reached.

    Args:
        client: Of datamanager.
        knowledge: What an earlier decision was made from (`bars_version` and `known_at` of its run): `day_inputs` are
            then exactly those of that decision. None is what is known now.
    """

    def __init__(self, client: DatamanagerClient, knowledge: Knowledge | None = None) -> None:
        self._client, self._knowledge = client, knowledge

    def day_inputs(self, day: date, needs: DataNeeds) -> DayInputs:
        """Prices, universe, volatility and forecasts of a day.

        Raises ConflictError, which says which POST is missing, without bars or predictions of that day.
        """
        found = self._client.known_bars(
            first_session(day, needs), day, adjusted_as_of=day, columns=BAR_COLUMNS, knowledge=self._knowledge
        )
        bars, known_at = found.frame, None if self._knowledge is None else self._knowledge.known_at
        _require_rows(bars, day, f'there are no bars of {day}: POST /equity-bars {{"date": "{day}"}} to datamanager')
        predictions = None
        if needs.forecasts:
            predictions = self._client.predictions(day, day)
            _require_rows(
                predictions, day, f'there are no predictions of {day}: POST /predictions {{"date": "{day}"}} here'
            )
        inputs = read_day_inputs(bars, predictions, self._client.details(known_at), day, found.version, needs)
        ids = dict(self._client.securities(day=day, known_at=known_at).select("ticker", "security_id").iter_rows())
        return replace(
            inputs,
            security_ids=tuple(ids.get(ticker) for ticker in inputs.tickers),
            known_at=found.knowledge.known_at,
        )

    def corporate_actions(self, first: date, last: date) -> Sequence[CorporateAction]:
        """Corporate actions by effective date, without cash dividends."""
        return read_actions(self._client.corporate_actions(first, last, CHANGES_SHARES))

    def price_factors(self, entries: Collection[Entry], day: date) -> Mapping[Entry, float]:
        """By entry, adjusted over raw close of its session in the terms of `day`; no factor without a bar."""
        first, columns = min(entry.date for entry in entries), ("ticker", "date", "close", "security_id")
        tickers = sorted({entry.ticker for entry in entries})
        adjusted = self._bars(first, day, day, columns, tickers)
        raw = self._bars(first, day, None, columns, tickers)
        security = pl.coalesce("security_id", "ticker").alias("security")  # its ticker may have changed since
        factors = (
            raw.with_columns(security)
            .join(adjusted.with_columns(security), on=["security", "date"], suffix="_adjusted")
            .select("ticker", "date", (pl.col("close_adjusted") / pl.col("close")).alias("factor"))
        )
        return {
            Entry(ticker, session): factor
            for ticker, session, factor in factors.iter_rows()
            if (ticker, session) in entries
        }

    def later_tickers(self, tickers: Collection[str], day: date) -> Mapping[str, Collection[str]]:
        """By ticker in capitals, those that the securities that ever had it have on the day."""
        known_at = None if self._knowledge is None else self._knowledge.known_at
        aliases = self._client.securities(known_at=known_at).sort("security_id", "start_date")
        had = aliases.select("security_id", pl.col("ticker").str.to_uppercase().alias("had"))
        now = aliases.filter(pl.col("start_date") <= day).group_by("security_id").agg(pl.col("ticker").last())
        rows = had.filter(pl.col("had").is_in(list(tickers))).join(now, on="security_id").group_by("had")
        return dict(rows.agg(pl.col("ticker").unique().sort()).iter_rows())

    def closes(self, tickers: Sequence[str], day: date) -> Mapping[str, float]:
        """Closes of a session as traded, by ticker; no entry without a bar."""
        frame = self._bars(day, day, None, ("ticker", "close"), tickers)
        return dict(frame.filter(pl.col("ticker").is_in(list(tickers))).select("ticker", "close").iter_rows())

    def _bars(
        self, first: date, last: date, adjusted_as_of: date | None, columns: Sequence[str], tickers: Sequence[str]
    ) -> pl.DataFrame:
        """The tickers' bars; all bars where one has none yet, as a new spin-off, since the service refuses its name."""
        try:
            frame, _ = self._client.bars(first, last, adjusted_as_of=adjusted_as_of, columns=columns, tickers=tickers)
        except NotFoundError:
            frame, _ = self._client.bars(first, last, adjusted_as_of=adjusted_as_of, columns=columns)
        return frame


def read_actions(frame: pl.DataFrame) -> list[CorporateAction]:
    """The rows of the frame `corporate_actions`."""
    names = [field.name for field in fields(CorporateAction) if field.name != "kind"]
    rows = frame.sort("effective_date", "ticker", "kind").select("kind", *names).iter_rows(named=True)
    return [CorporateAction(kind=ActionKind(row.pop("kind")), **row) for row in rows]


def read_day_inputs(  # noqa: PLR0913, PLR0917 - one table an argument
    bars: pl.DataFrame,
    predictions: pl.DataFrame | None,
    details: pl.DataFrame,
    day: date,
    bars_version: int,
    needs: DataNeeds,
) -> DayInputs:
    """The arrays of a day.

    bars: ticker, date, open, high, low, close (dollars), volume (shares), adjusted as of `day`. predictions: the frame
    of that name; None where no forecast is needed. Rows of other sessions than the window's are left out.
    """
    forecasts = None if predictions is None else predictions.filter(pl.col("date") == day).sort("horizon", "ticker")
    days = sessions(first_session(day, needs), day)
    known = [bars.get_column("ticker"), *([] if forecasts is None else [forecasts.get_column("ticker")])]
    tickers = pl.concat(known).unique().sort()
    history = _history(bars.filter(pl.col("date").is_between(days[0], day)), days, tickers)
    table = BarTable(days, tuple(tickers.to_list()), history.close, history.volume)
    row = compute_day_table(table, len(days) - 1, len(days) - 1, needs.universe)
    quantiles = None if forecasts is None else _forecasts(forecasts, tickers)
    return DayInputs(
        day=day,
        tickers=table.tickers,
        price=history.close[-1],
        last_price=row.last_price[0],
        liquid=row.liquid[0],
        volatility=row.volatility[0],
        bands=np.full((len(tickers), len(BAND_COLUMNS)), np.nan) if quantiles is None else _last_known(quantiles),
        model_version="" if predictions is None else predictions.item(0, "model_version"),
        bars_version=bars_version,
        mean_volume=row.mean_volume[0],
        missing_sessions=row.missing_sessions[0],
        previous_price=row.previous_price[0],
        beta=row.beta[0],
        load_history=partial(_last_sessions, history, needs.history_sessions) if needs.history_sessions else None,
        details=_details(details, tickers),
        forecasts=quantiles,
    )


def first_session(day: date, needs: DataNeeds) -> date:
    """The first session of the bars that a decision needs."""
    return previous_session(day, max(window_sessions(needs.universe), needs.history_sessions) - 1)


def _require_rows(frame: pl.DataFrame, day: date, problem: str) -> None:
    if frame.is_empty() or frame.filter(pl.col("date") == day).is_empty():
        raise ConflictError(f"{problem}, then try again")


def _history(bars: pl.DataFrame, days: Sequence[date], tickers: pl.Series) -> BarHistory:
    return BarHistory(days, **make_bar_arrays(bars, days, tickers, BAR_COLUMNS[2:]))


def _last_sessions(history: BarHistory, count: int) -> BarHistory:
    arrays = {name: getattr(history, name)[-count:] for name in BAR_COLUMNS[2:]}
    return BarHistory(history.days[-count:], **arrays)


def _forecasts(forecasts: pl.DataFrame, tickers: pl.Series) -> Forecasts:
    """All horizons, NaN without a forecast."""
    horizons = forecasts.get_column("horizon").unique().sort().to_numpy().astype(np.int64)
    quantiles = np.full((len(tickers), len(horizons), len(BAND_COLUMNS)), np.nan)
    rows, steps = find_places(forecasts.get_column("ticker"), tickers), forecasts.get_column("horizon").to_numpy()
    quantiles[rows, np.searchsorted(horizons, steps)] = forecasts.select(BAND_COLUMNS).to_numpy()
    return Forecasts(horizons, np.array(LEVELS), quantiles)


def _last_known(forecasts: Forecasts) -> FloatArray:
    """[N, 3] quantiles over the longest horizon that a name has, NaN without a forecast."""
    bands = forecasts.quantiles[:, 0].copy()
    for step in range(1, len(forecasts.horizons)):
        later = forecasts.quantiles[:, step]
        np.copyto(bands, later, where=np.isfinite(later))
    return bands


def _details(details: pl.DataFrame, tickers: pl.Series) -> Details:
    names = [field.name for field in fields(Details)]
    known = details.unique("ticker").select("ticker", *names)
    joined = pl.DataFrame({"ticker": tickers}).join(known, on="ticker", how="left", maintain_order="left")
    return Details(**{name: tuple(joined.get_column(name).to_list()) for name in names})
