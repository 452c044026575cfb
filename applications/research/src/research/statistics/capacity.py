"""Capacity: how the net result falls as the capital grows, because impact grows faster than the orders.

The venue's impact is a half spread plus a term that grows with the square root of an order's share of the session's
volume (`internal.venue.matching`). An order k times as large therefore pays the half spread and sqrt(k) times the rest
of what it was booked to pay, as a fraction of its price.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from internal.backtests.daily_returns import Series
from internal.backtests.report_rows import Basis, CapacityPoint
from internal.performance import annualised_return, sharpe_ratio
from internal.venue.matching import HALF_SPREAD, PARTICIPATION_LIMIT
from research.result import BacktestResult, FillRow
from research.statistics.estimates import Bootstrap
from research.statistics.figures import yearly

MULTIPLES: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


def estimate_capacity(
    result: BacktestResult, runs: Mapping[float, Series], multiples: Sequence[float] = MULTIPLES
) -> tuple[CapacityPoint, ...]:
    """The result at multiples of its capital, to first order: all orders grow with the capital, none is cut.

    Args:
        result: The run whose fills are scaled.
        runs: Returns, f64 [session - 1], by capital where it was run; they take the place of scaled fills.
        multiples: Of its capital.
    """
    capital, bootstrap = result.settings.capital, Bootstrap.draw(len(result.returns))
    capitals = sorted({*(multiple * capital for multiple in multiples), *runs, capital})
    return tuple(_point(result, one, runs.get(one), bootstrap) for one in capitals)


def _point(result: BacktestResult, capital: float, run: Series | None, bootstrap: Bootstrap) -> CapacityPoint:
    multiple, traded = capital / result.settings.capital, float(result.traded_dollars.sum())
    booked = capital == result.settings.capital
    returns, basis = (result.returns, Basis.BOOKED) if booked else (run, Basis.RUN_AGAIN)
    if returns is None:
        returns, basis = returns_at_capital(result, multiple), Basis.FIRST_ORDER
    limit = sum(fill.dollars for fill in result.fills if fill.quantity * multiple > _limit(fill))
    impact = impact_at(result, multiple).sum() / (traded * multiple) if traded else None
    return CapacityPoint(
        capital=capital,
        annualised_return=bootstrap.estimate(yearly(annualised_return), returns),
        sharpe=bootstrap.estimate(yearly(sharpe_ratio), returns),
        impact=None if impact is None or basis is Basis.RUN_AGAIN else float(impact),
        above_limit=None if impact is None or basis is Basis.RUN_AGAIN else limit / traded,
        basis=basis,
    )


def returns_at_capital(result: BacktestResult, multiple: float) -> Series:
    """The returns with the booked impact scaled to a multiple of the capital, f64 [session - 1]."""
    extra = impact_at(result, multiple) / multiple - result.impact
    return result.returns - result.fractions_of_value(extra)


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
