"""GARCH(1,1) (Bollerslev 1986): the next session's variance from the last one's and its shock, x pooled quantiles.

Each ticker has one pair of parameters, chosen by likelihood on a grid. The long-run variance is that of each day's own
history (variance targeting, Engle and Mezrich 1996).
"""

from itertools import pairwise
from typing import ClassVar, Final, Self

import numpy as np
import polars as pl

from internal.baselines.forecast import EVERY_ROW, Rows, future_log_returns, pool_quantiles, to_daily
from internal.baselines.volatility import TABLE, require_shapes, select_fold_rows
from internal.errors import ArtifactError
from internal.features.splits import Block
from internal.forecasting.quantiles import STEPS, RowQuantiles

VARIANCE_FLOOR: Final = 1e-6
LARGEST_MOVE: Final = 0.2  # larger moves are clipped: one outlier must not set a month's variance
SHOCKS: Final = (0.02, 0.05, 0.08, 0.12, 0.18)
PERSISTENCES: Final = (0.85, 0.92, 0.96, 0.98, 0.99)
GRID: Final = np.array(
    [(shock, persistence) for shock in SHOCKS for persistence in PERSISTENCES]
)  # [pair, (alpha, alpha + beta)]
NAME_BYTES: Final = 24


class ConditionalVariance:
    """GARCH(1,1) by ticker; a ticker that was not in the fold takes the pair that is likeliest over all tickers."""

    kind: ClassVar[str] = "conditional_variance"

    def __init__(self, tickers: list[str], pairs: np.ndarray, cumulative: np.ndarray, daily: np.ndarray) -> None:
        """Takes the fold's tickers, f64 [ticker + 1, 2] of (alpha, alpha + beta) with the pooled pair last, and tables.

        The tables are quantiles in units of the scale, f64 [step, quantile].
        """
        self.tickers, self.pairs, self.cumulative, self.daily = tickers, pairs, cumulative, daily

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, fold: Block) -> Self:
        """Choose each ticker's pair by the Gaussian likelihood of the fold's returns, then pool."""
        rows, ahead = select_fold_rows(frame, fold), future_log_returns(frame, last=fold.last)
        squares = _squares(frame)
        likelihoods = [_log_likelihood(squares, *_variances(frame, squares, *pair)) for pair in GRID]
        by_ticker = frame.select("ticker").with_columns(
            pl.Series(str(place), values) for place, values in enumerate(likelihoods)
        )
        total = sum_by_ticker(by_ticker.filter(rows))
        table = total.drop("ticker").to_numpy()
        best = np.append(table.argmax(axis=1), table.sum(axis=0).argmax())
        tickers = total.get_column("ticker").to_list()
        scale = cls(tickers, GRID[best], np.zeros(TABLE), np.zeros(TABLE)).scales(frame)
        cumulative, daily = (pool_quantiles(*pair, rows) for pair in zip((ahead, to_daily(ahead)), scale, strict=True))
        return cls(tickers, GRID[best], cumulative, daily)

    def quantiles(self, frame: pl.DataFrame, rows: Rows = EVERY_ROW) -> RowQuantiles:
        """Scale x pooled quantile."""
        cumulative, daily = (scale[rows] for scale in self.scales(frame))
        return RowQuantiles(cumulative[:, :, None] * self.cumulative, daily[:, :, None] * self.daily)

    def scales(self, frame: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Standard deviations of cumulative and of single sessions' returns, f64 [row, step] each."""
        place = {ticker: number for number, ticker in enumerate(self.tickers)}
        names = frame.get_column("ticker")
        own = self.pairs[names.replace_strict(place, default=len(self.tickers), return_dtype=pl.Int64).to_numpy()]
        following, long_run = _variances(frame, _squares(frame), own[:, 0], own[:, 1])
        ahead = np.array(STEPS) - 1
        variance = long_run[:, None] + own[:, 1:] ** ahead * (following - long_run)[:, None]
        return np.sqrt(np.cumsum(variance, axis=1)), np.sqrt(variance)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Names as bytes u8 [ticker, 24], pairs and tables."""
        names = np.array([name.encode() for name in self.tickers], f"S{NAME_BYTES}")
        letters = names.view(np.uint8).reshape(len(names), NAME_BYTES)
        return {"tickers": letters, "pairs": self.pairs, "cumulative": self.cumulative, "daily": self.daily}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Restore names, pairs and tables."""
        letters = arrays.get("tickers", np.empty(0, np.uint8))
        if letters.ndim != 2 or letters.shape[1] != NAME_BYTES:  # noqa: PLR2004 - a table
            raise ArtifactError(f"the baseline's array tickers should be a table of {NAME_BYTES} letters a name")
        names = np.ascontiguousarray(letters, np.uint8).view(f"S{NAME_BYTES}")[:, 0]
        pairs, cumulative, daily = require_shapes(
            arrays, {"pairs": (len(names) + 1, 2), "cumulative": TABLE, "daily": TABLE}
        )
        return cls([name.decode() for name in names.tolist()], pairs, cumulative, daily)


def sum_by_ticker(frame: pl.DataFrame) -> pl.DataFrame:
    """The sum of every other column for each ticker, in their order.

    Without `maintain_order` Polars adds up parts of a few large groups in the order in which its threads finish them,
    and where two pairs are as likely the last digit chooses.
    """
    return frame.group_by("ticker", maintain_order=True).sum().sort("ticker")


def _squares(frame: pl.DataFrame) -> np.ndarray:
    """Squared log returns, f64 [row]; NaN on a segment's first row."""
    change = pl.col("log_return").clip(-LARGEST_MOVE, LARGEST_MOVE)
    return frame.select(change.pow(2).fill_null(float("nan"))).to_series().to_numpy()


def _variances(
    frame: pl.DataFrame, squares: np.ndarray, shock: np.ndarray | float, persistence: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """The next session's variance as of each row's close, and the long-run variance so far, f64 [row] each.

    With the long-run variance V of the row's day:
    next = (1 - persistence) V + shock x square + (persistence - shock) x this session's variance.
    """
    age = frame.get_column("age").to_numpy()
    known = np.nan_to_num(squares)
    seen = pl.DataFrame({"segment": frame.get_column("segment"), "square": known})
    sums = seen.select(pl.col("square").cum_sum().over("segment")).to_series().to_numpy()
    long_run = np.maximum(sums / np.maximum(age, 1), VARIANCE_FLOOR)
    innovation = (1 - persistence) * long_run + shock * known
    remembered = np.broadcast_to(np.asarray(persistence - shock, np.float64), age.shape)
    following = long_run.copy()
    order = np.argsort(age, kind="stable")  # one slice an age: every segment's rows of that age at once
    bounds = np.searchsorted(age[order], np.arange(1, int(age.max(initial=0)) + 2))
    for first, last in pairwise(bounds.tolist()):
        rows = order[first:last]
        following[rows] = innovation[rows] + remembered[rows] * following[rows - 1]
    return np.where(np.isnan(squares), np.nan, following), long_run


def _log_likelihood(squares: np.ndarray, following: np.ndarray, long_run: np.ndarray) -> np.ndarray:
    """Gaussian log likelihood of each row's return under the variance known the session before, f64 [row]."""
    del long_run
    variance = np.roll(following, 1)
    likelihood = -(np.log(variance) + squares / variance) / 2
    return np.where(np.isfinite(likelihood), likelihood, 0.0)
