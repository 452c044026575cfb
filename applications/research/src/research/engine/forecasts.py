"""The forecasts of a backtest: a walk-forward table, made once and kept, in the order of the market's tables."""

from pathlib import Path

from internal.forecast_cache import RefittedBaseline, forecast_table, table_key
from internal.forecasting.quantiles import STEPS
from internal.simulation.known_forecasts import KnownForecasts, align_forecasts
from internal.simulation.whole_history import known_bars
from research.engine.market import BacktestMarket


def make_forecasts(market: BacktestMarket, model: RefittedBaseline, folder: Path) -> KnownForecasts:
    """The forecasts of every session, from a model fitted at the opening and again every `refit_sessions` sessions.

    Args:
        market: Its bars are read in the terms of each ticker's first session: no later event changes a row.
        model: The baseline.
        folder: Where tables are kept.

    Raises:
        InvalidRequestError: An unknown kind, or no bars to fit on before the opening.
    """
    bars, details = known_bars(market.tables).drop("session", "column"), market.details_frame
    first, last = market.days[0], market.days[-1]
    key = table_key(bars, details, model, first=first, last=last, horizons=STEPS)
    table = forecast_table(bars, details, model, first=first, last=last, folder=folder)
    return align_forecasts(table, market.days, market.tables.tickers, key)
