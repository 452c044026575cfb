"""The history that a score is made of: one row a ticker and session, for one window or for all sessions at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from internal.dates import sessions
from internal.errors import InvalidRequestError
from internal.trading.arrays import FloatArray
from internal.trading.day_inputs import BarHistory, DayInputs
from internal.trading.situation import Situation

PRICES = ("open", "high", "low", "close")
DETAILS = ("sector", "industry", "security_type")
QUANTILES = ("quantile_10", "quantile_50", "quantile_90")


@dataclass(frozen=True, slots=True)
class History:
    """Bars, details and forecasts in one frame, sorted by ticker and date.

    A score sees a row for every ticker and session, also where there is no bar: `shift(5).over("ticker")` is five
    sessions ago, in the window of the running fund as in a pass over all sessions.

    Columns:
        ticker, date: The key.
        open, high, low, close: Adjusted for splits and dividends; null without a bar. Only ratios between sessions
            mean something: two histories of a ticker may differ by a constant factor.
        volume: Shares, adjusted for splits, up to a constant factor; null without a bar.
        sector, industry, security_type: Null where they are not known; the type is the vendor's code, CS for common
            stock, ETF for a fund.
        quantile_10, quantile_50, quantile_90: The forecast of the cumulative return from the row's close over the
            longest horizon; null without one. A score may read them in its own row alone: no earlier row has them in
            the running fund.
    """

    frame: pl.DataFrame

    def with_all_sessions(self) -> "History":
        """The history with a row for every ticker and every session from its first to its last one."""
        frame = self.frame
        if frame.is_empty():
            return self
        days = pl.Series("date", sessions(*frame.select(pl.min("date"), pl.max("date").alias("last")).row(0)), pl.Date)
        tickers = frame.select(pl.col("ticker").unique().sort())
        if frame.height == len(days) * tickers.height:
            return self
        keys = tickers.join(days.to_frame(), how="cross", maintain_order="left_right")
        filled = keys.join(frame, on=["ticker", "date"], how="left", maintain_order="left")
        known = [name for name in DETAILS if name in frame.columns]
        return History(filled.with_columns(pl.col(known).drop_nulls().first().over("ticker")))

    def evaluate(self, score: pl.Expr | pl.DataFrame) -> pl.DataFrame:
        """The frame ticker, date, score of an expression over `frame`, or of a frame that has these columns."""
        scored = self.frame.select("ticker", "date", score.alias("score")) if isinstance(score, pl.Expr) else score
        missing = {"ticker", "date", "score"} - set(scored.columns)
        if missing:
            raise InvalidRequestError(f"a score is an expression or a frame of ticker, date, score: {missing} missing")
        return scored.select("ticker", "date", pl.col("score").cast(pl.Float64))


def window_history(situation: Situation) -> History:
    """The history of a situation: its window of bars, with the day's forecasts in the rows of the day.

    Without a window it is the day's closes alone.
    """
    inputs = situation.inputs
    bars = inputs.history or _closes_of_the_day(inputs)
    length, names = len(bars.days), len(inputs.tickers)
    columns = {name: getattr(bars, name).T.ravel() for name in (*PRICES, "volume")}
    frame = pl.DataFrame(
        {
            "ticker": np.repeat(np.array(inputs.tickers, dtype=object), length).tolist(),
            "date": list(bars.days) * names,
            **columns,
        },
        schema_overrides={"ticker": pl.String, "date": pl.Date},
    )
    names_frame = _details_frame(inputs)
    forecasts = pl.DataFrame(inputs.bands, schema=dict.fromkeys(QUANTILES, pl.Float64)).with_columns(
        pl.Series("ticker", inputs.tickers, pl.String), pl.lit(inputs.day).alias("date")
    )
    known = frame.filter(pl.col("close").is_not_nan())
    joined = known.join(names_frame, on="ticker", how="left").join(forecasts, on=["ticker", "date"], how="left")
    return History(joined.with_columns(pl.col(QUANTILES).fill_nan(None)).sort("ticker", "date"))


def _details_frame(inputs: DayInputs) -> pl.DataFrame:
    """One row a ticker: ticker and what is known of it."""
    known, unknown = inputs.details, (None,) * len(inputs.tickers)
    columns = {name: (getattr(known, name) if known else None) or unknown for name in DETAILS}
    return pl.DataFrame({"ticker": inputs.tickers, **columns}, schema=dict.fromkeys(("ticker", *DETAILS), pl.String))


def _closes_of_the_day(inputs: DayInputs) -> BarHistory:
    unknown = np.full((1, len(inputs.tickers)), np.nan)
    return BarHistory([inputs.day], unknown, unknown, unknown, inputs.price[None, :], unknown)


def score_table(scored: pl.DataFrame, days: Sequence[date], tickers: Sequence[str]) -> FloatArray:
    """[S, N] scores of the frame ticker, date, score; NaN where there is none. Rows of other keys are left out.

    Raises InvalidRequestError when a ticker has two scores in a session, or an infinite one.
    """
    table = np.full((len(days), len(tickers)), np.nan)
    known = scored.filter(
        pl.col("score").is_not_null() & pl.col("date").is_in(list(days)) & pl.col("ticker").is_in(list(tickers))
    )
    if known.select(pl.struct("ticker", "date").is_duplicated().any()).item():
        raise InvalidRequestError("the score has two values for one ticker and session")
    if not (infinite := known.filter(pl.col("score").is_infinite())).is_empty():
        ticker, day = infinite.select("ticker", "date").row(0)
        raise InvalidRequestError(
            f"the score of {ticker} on {day} is infinite: give null where it is undefined, for example "
            "pl.when(below != 0).then(above / below)"
        )
    places = known.get_column("ticker").cast(pl.Enum(list(tickers))).to_physical().to_numpy()
    rows = np.searchsorted(np.array(days, "datetime64[D]"), known.get_column("date").to_numpy())
    table[rows, places] = known.get_column("score").to_numpy()
    return table
