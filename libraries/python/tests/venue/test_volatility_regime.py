"""A volatility regime: what it multiplies, what it leaves alone, and days and figures that are refused."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from internal.dates import sessions
from internal.errors import ConfigurationError
from internal.venue.market.protocol import market_name
from internal.venue.market.simulated import SimulatedMarket
from internal.venue.market.volatility_regime import VolatilityRegime, volatility_multipliers

FIRST, OPENING, LAST = date(2023, 1, 3), date(2023, 6, 30), date(2024, 1, 31)
REGIME = VolatilityRegime(date(2023, 8, 5), 60, 3.0)  # a Saturday
BEGIN = date(2023, 8, 7)
REGIME_OF_2026 = VolatilityRegime(date(2026, 3, 2), 60, 2.5)


def _bars(regime: VolatilityRegime | None) -> pl.DataFrame:
    market = SimulatedMarket(
        seed=4,
        ticker_count=60,
        signal="none",
        first_day=FIRST,
        opening_day=OPENING,
        last_day=LAST,
        regime=regime,
    )
    return market.bars_between(FIRST, LAST).filter(pl.col("close") > 20)  # a cent is less than 0.05 %


@pytest.fixture(name="bars", scope="module")
def _both() -> tuple[pl.DataFrame, pl.DataFrame]:
    return _bars(None), _bars(REGIME)


def _intraday(bars: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    """Log returns from open to close of both markets, and the logs of high over low."""
    plain, switched = (
        one.select(
            "ticker",
            "date",
            (pl.col("close") / pl.col("open")).log().alias(f"return_{name}"),
            (pl.col("high") / pl.col("low")).log().alias(f"range_{name}"),
        )
        for one, name in zip(bars, ("plain", "switched"), strict=True)
    )
    return plain.join(switched, on=["ticker", "date"])


def test_the_market_has_another_name() -> None:
    """An account that was opened on the market without it is not continued on this one, whose prices differ."""
    plain, switched = (market_name(SimulatedMarket(ticker_count=1, regime=one)) for one in (None, REGIME_OF_2026))
    assert switched == f"{plain}, volatility 2.5 times for 60 sessions from 2026-03-02"


def test_sessions_before_it_do_not_change(bars: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """Every bar before the first session of the regime is the one of the market without it."""
    plain, switched = (one.filter(pl.col("date") < BEGIN) for one in bars)
    assert plain.height > 5_000
    assert plain.equals(switched)


def test_moments_are_the_multipliers(bars: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """Within the regime standard deviation is 3 times, variance 9 times and kurtosis once that of the same draws.

    The session after the last has its old volatility again.
    """
    last = sessions(BEGIN, LAST)[REGIME.session_count - 1]
    both = _intraday(bars)
    inside = both.filter(pl.col("date").is_between(BEGIN, last))
    after = both.filter(pl.col("date") > last)
    for frame, multiplier in ((inside, REGIME.multiplier), (after, 1.0)):
        plain, switched = (frame[f"return_{name}"].to_numpy() for name in ("plain", "switched"))
        narrow, wide = (frame[f"range_{name}"].to_numpy() for name in ("plain", "switched"))
        assert switched.std() / plain.std() == pytest.approx(multiplier, rel=0.01)
        assert (switched**2).mean() / (plain**2).mean() == pytest.approx(multiplier**2, rel=0.02)
        assert frame["return_switched"].kurtosis() == pytest.approx(frame["return_plain"].kurtosis(), rel=0.05)
        assert np.corrcoef(plain, switched)[0, 1] > 0.999
        assert wide.mean() / narrow.mean() == pytest.approx(multiplier, rel=0.01)


def test_without_a_regime_every_session_is_multiplied_by_one() -> None:
    """And with one, its sessions alone; a regime that is longer than the market ends with it."""
    days = sessions(FIRST, LAST)
    assert (volatility_multipliers(days, None) == 1).all()
    found = volatility_multipliers(days, REGIME)
    assert [day for day, one in zip(days, found, strict=True) if one != 1] == sessions(BEGIN, LAST)[:60]
    assert (volatility_multipliers(days, VolatilityRegime(days[-2], 60, 2.0)) != 1).sum() == 2


@pytest.mark.parametrize(("session_count", "multiplier"), [(0, 2.0), (60, 0.0), (60, -1.0), (60, 11.0)])
def test_figures_without_meaning_are_refused(session_count: int, multiplier: float) -> None:
    """A regime of no session, or a multiplier that is no volatility."""
    with pytest.raises(ConfigurationError, match="regime"):
        VolatilityRegime(BEGIN, session_count, multiplier)


@pytest.mark.parametrize("day", [date(2022, 12, 30), date(2024, 2, 1)])
def test_a_day_outside_the_market_is_refused(day: date) -> None:
    """The error names the setting and the market's days."""
    with pytest.raises(ConfigurationError, match=r"EXCHANGE_REGIME_DATE is .* from 2023-01-03 to 2024-01-31"):
        volatility_multipliers(sessions(FIRST, LAST), VolatilityRegime(day, 60, 2.0))
