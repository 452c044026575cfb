"""The figures of a backtest, computed from what the services recorded."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from fund.answers import Performance
from fund.refits import Refit
from internal.performance import annualised_turnover, beta, returns_of
from internal.track_record import TrackRecord, buy_and_hold, track_record, value_by_session


@dataclass(frozen=True)
class Inputs:
    """What the services recorded.

    Attributes:
        settings: The definition of the backtest, and its market.
        first: The session at whose close the fund opened.
        last: The last session.
        performance: portfoliomanager's `/performance`.
        orders: portfoliomanager's `/orders`.
        bars: `ticker`, `date`, `close` of the sessions, adjusted as of the last.
        refits: The fits of the model, oldest first.
    """

    settings: dict[str, Any]
    first: date
    last: date
    performance: Performance
    orders: pl.DataFrame
    bars: pl.DataFrame
    refits: list[Refit]


@dataclass(frozen=True)
class Report:
    """The figures of one backtest.

    Attributes:
        settings: The definition of the backtest, and its market.
        fund: The track record of the time-weighted return.
        buy_and_hold: That of equal dollars of every ticker.
        beta: The fund's beta to buy and hold, None when that did not move.
        turnover: Half the dollars traded over the mean net asset value, a year.
        mean_gross_exposure: As a fraction of net asset value, over the sessions.
        mean_net_exposure: The same, longs less shorts.
        cost: Dollars: slippage, fees, borrow.
        orders: How many orders the journal holds.
        filled: How many of them have fills.
        refits: The fits of the model, oldest first.
        series: `date`, `net_asset_value`, `gross_exposure`, `net_exposure`, and `buy_and_hold` in dollars, starting at
            the fund's first net asset value.
    """

    settings: dict[str, Any]
    fund: TrackRecord
    buy_and_hold: TrackRecord
    beta: float | None
    turnover: float
    mean_gross_exposure: float
    mean_net_exposure: float
    cost: dict[str, float]
    orders: int
    filled: int
    refits: list[Refit]
    series: pl.DataFrame

    def to_json(self) -> str:
        """The whole report as JSON, dates in ISO form."""
        plain = asdict(self) | {"series": self.series.to_dicts()}
        return json.dumps(plain, indent=2, default=str)


def compute_report(inputs: Inputs) -> Report:
    """Compute every figure of the report."""
    points = pl.DataFrame(inputs.performance.points).with_columns(
        pl.col("timestamp").str.to_datetime(time_zone="UTC", time_unit="ms")
    )
    account = value_by_session(points, inputs.first, inputs.last)
    market = buy_and_hold(inputs.bars, inputs.first, inputs.last)
    value, held = account["net_asset_value"].to_numpy(), market["buy_and_hold"].to_numpy()
    index = account["return"].to_numpy() + 1
    dollars = inputs.orders.select((pl.col("filled_quantity") * pl.col("filled_average_price")).sum()).item()
    return Report(
        settings=inputs.settings,
        fund=track_record(index),
        buy_and_hold=track_record(held),
        beta=float(slope) if np.isfinite(slope := beta(returns_of(index), returns_of(held))) else None,
        turnover=float(annualised_turnover(dollars / (len(value) - 1), float(value.mean()))),
        mean_gross_exposure=float(account["gross_exposure"].to_numpy()[1:].mean()),
        mean_net_exposure=float(account["net_exposure"].to_numpy()[1:].mean()),
        cost=inputs.performance.realized_cost.model_dump(),
        orders=inputs.orders.height,
        filled=inputs.orders.filter(pl.col("filled_quantity") > 0).height,
        refits=inputs.refits,
        series=account.select("date", "net_asset_value", "gross_exposure", "net_exposure").with_columns(
            pl.Series("buy_and_hold", held * value[0])
        ),
    )
