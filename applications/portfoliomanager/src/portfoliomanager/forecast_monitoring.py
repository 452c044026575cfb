"""What became of the forecasts, and how far the inputs have moved from those of the training."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from internal.features.panel import build_panel
from internal.features.scaling import Scaler
from internal.features.variables import PRICE_VARIABLES, observe
from internal.forecasting.scoring import pinball_expression

LEVELS = {"quantile_10": 0.1, "quantile_50": 0.5, "quantile_90": 0.9}


@dataclass(frozen=True)
class ForecastScore:
    """Forecasts whose target has come.

    Attributes:
        targets: How many.
        loss: Their pinball loss, of cumulative log returns.
        coverage: The share of outcomes in the 80 % interval.
        by_session: The same share by the session of the target, oldest first.
    """

    targets: int
    loss: float
    coverage: float
    by_session: tuple[tuple[date, float], ...]


def score_forecasts(predictions: pl.DataFrame, closes: pl.DataFrame) -> ForecastScore | None:
    """Score predictions by closes that are adjusted as of one day; None when no target has come.

    predictions: the frame of that name. closes: ticker, date, close, from the first origin to the last target. A ticker
    without a close on either day counts nowhere. Loss as `models evaluate` measures it: the mean over quantiles, of log
    returns.
    """
    at_origin = closes.select("ticker", "date", pl.col("close").alias("close_before"))
    at_target = closes.select("ticker", pl.col("date").alias("target_date"), pl.col("close").alias("close_then"))
    due = predictions.join(at_origin, on=["ticker", "date"]).join(at_target, on=["ticker", "target_date"])
    if due.is_empty():
        return None
    truth = (pl.col("close_then") / pl.col("close_before")).log()
    losses = [pinball_expression(truth, pl.col(name).log1p(), level) for name, level in LEVELS.items()]
    inside = truth.is_between(pl.col("quantile_10").log1p(), pl.col("quantile_90").log1p())
    loss, coverage = due.select(pl.mean_horizontal(losses).mean(), inside.mean().alias("coverage")).row(0)
    by_session = due.group_by("target_date").agg(inside.mean().alias("coverage")).sort("target_date")
    return ForecastScore(due.height, float(loss), float(coverage), tuple(by_session.iter_rows()))


def measure_drift(bars: pl.DataFrame, details: pl.DataFrame, scaler: Scaler, sessions: int) -> dict[str, float]:
    """By variable: size of the mean shift over the last sessions of the bars, in the training's standard deviations.

    Prices have no fitted scale and are left out.
    """
    days = bars.get_column("date").unique().sort().tail(sessions)
    frame = observe(build_panel(bars, details, end=days[-1]).frame)
    shifts = {
        variable: ((pl.col(f"past_{variable}") - mean) / deviation).mean().abs()
        for variable, mean, deviation in zip(scaler.variables, scaler.means, scaler.deviations, strict=True)
        if variable not in PRICE_VARIABLES
    }
    found = frame.filter(pl.col("date").is_in(days.implode())).select(**shifts).row(0, named=True)
    return {variable: shift for variable, shift in found.items() if shift is not None}
