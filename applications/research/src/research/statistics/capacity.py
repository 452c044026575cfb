"""Capacity: how the net result falls as the capital grows, because impact grows faster than the orders.

The venue's impact is a half spread plus a term that grows with the square root of an order's share of the session's
volume (`internal.venue.matching`). An order k times as large therefore pays the half spread and sqrt(k) times the rest
of what it was booked to pay, as a fraction of its price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from internal.performance import annualised_return, sharpe_ratio
from internal.venue.matching import HALF_SPREAD, PARTICIPATION_LIMIT
from research.result import BacktestResult, FillRow, Series
from research.statistics.costs import Basis
from research.statistics.estimates import Bootstrap, Estimate
from research.statistics.figures import yearly

MULTIPLES: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


@dataclass(frozen=True)
class CapacityPoint:
    """The result at one capital.

    Attributes:
        capital: Dollars at the opening.
        annualised_return: A fraction.
        sharpe: Annualised.
        impact: Spread and impact as a fraction of the dollars traded; None when nothing was traded.
        above_limit: The share of the dollars traded in orders above the venue's limit of 5 % of a session's volume,
            which would fill in part only; None when nothing was traded.
        basis: Whether this was run, or found from the booked fills.
    """

    capital: float
    annualised_return: Estimate
    sharpe: Estimate
    impact: float | None
    above_limit: float | None
    basis: Basis


def estimate_capacity(
    result: BacktestResult, multiples: Sequence[float] = MULTIPLES, runs: tuple[BacktestResult, ...] = ()
) -> tuple[CapacityPoint, ...]:
    """The result at multiples of its capital, to first order: all orders grow with the capital, none is cut.

    Args:
        result: The run whose fills are scaled.
        multiples: Of its capital.
        runs: Runs of the same strategy with other capitals, which take the place of scaled ones.
    """
    capital = result.settings.capital
    booked = {run.settings.capital: run for run in (*runs, result)}
    capitals = sorted({*(multiple * capital for multiple in multiples), *booked})
    bootstrap = Bootstrap.draw(len(result.returns))
    return tuple(
        _run_point(run, Basis.BOOKED if run is result else Basis.RUN_AGAIN, bootstrap)
        if (run := booked.get(one)) is not None
        else _scaled_point(result, one / capital, bootstrap)
        for one in capitals
    )


def _run_point(run: BacktestResult, basis: Basis, bootstrap: Bootstrap) -> CapacityPoint:
    return _point(run, 1.0, run.returns, basis, bootstrap)


def _scaled_point(result: BacktestResult, multiple: float, bootstrap: Bootstrap) -> CapacityPoint:
    extra = impact_at(result, multiple) / multiple - result.impact
    returns = result.returns - extra[1:] / result.net_asset_value[:-1]
    return _point(result, multiple, returns, Basis.FIRST_ORDER, bootstrap)


def _point(
    result: BacktestResult, multiple: float, returns: Series, basis: Basis, bootstrap: Bootstrap
) -> CapacityPoint:
    traded = result.traded_dollars.sum()
    limit = sum(fill.dollars for fill in result.fills if fill.quantity * multiple > _limit(fill))
    return CapacityPoint(
        capital=result.settings.capital * multiple,
        annualised_return=bootstrap.estimate(yearly(annualised_return), returns),
        sharpe=bootstrap.estimate(yearly(sharpe_ratio), returns),
        impact=float(impact_at(result, multiple).sum() / (traded * multiple)) if traded else None,
        above_limit=float(limit / traded) if traded else None,
        basis=basis,
    )


def _limit(fill: FillRow) -> float:
    return PARTICIPATION_LIMIT * fill.session_volume


def impact_at(result: BacktestResult, multiple: float) -> Series:
    """Dollars lost to spread and impact by session if every order had been `multiple` times as large, f64 [session]."""
    if multiple == 1:
        return result.impact
    spread = HALF_SPREAD * result.settings.cost_multiple
    return result.sum_fills(lambda fill: multiple * _scaled_impact(fill, spread, multiple))


def _scaled_impact(fill: FillRow, spread: float, multiple: float) -> float:
    """Dollars, for each of the booked shares, of an order `multiple` times as large."""
    half_spread = min(spread * fill.quantity * fill.auction_price, max(fill.impact, 0.0))
    return half_spread + (fill.impact - half_spread) * multiple**0.5
