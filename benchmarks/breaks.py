"""Coverage after simulated breaks: `python -m benchmarks.breaks` prints a table of HAR and its responses to a break.

Each market is 160 tickers of the simulated market whose volatility is multiplied from 2024-06-03 on; HAR with earnings
features is fitted on the sessions before. Coverage is that of the 80 % interval of cumulative returns over one to seven
sessions from the first 60 origins, per cent: of all rows, then of the calm, the middle and the volatile third of each
date's tickers, then the lowest and the highest of the sectors' with at least 14 tickers. A market whose volatility is
multiplied by 1 has the same draws: what is missed there is missed by chance. decisions/breaks.md has the figures.
"""

from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from internal.baselines.adaptation import past_returns_ahead
from internal.baselines.break_response import CURRENT, MARKET_ALONE, NO_RESPONSE
from internal.baselines.heterogeneous import AdaptiveVolatility, EarningsVolatility
from internal.dates import next_session, previous_session
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import find_origins
from internal.price_adjustment import adjust_for_splits
from internal.venue.market.simulated import SimulatedMarket
from internal.venue.market.volatility_regime import VolatilityRegime

TICKERS, FEWEST_TICKERS = 160, 14
FIRST, BREAK, LAST = date(2022, 6, 1), date(2024, 6, 3), date(2024, 12, 31)
BEFORE: Final = previous_session(BREAK)
ORIGINS: Final = Block(BREAK, next_session(BREAK, 59))
MARKETS: Final = ((1, 2.0), (1, 3.0), (1, 4.0), (2, 3.0), (3, 3.0), (4, 3.0), (5, 3.0), (6, 3.0), (1, 1.0), (2, 1.0))
RESPONSES: Final = (NO_RESPONSE, MARKET_ALONE, replace(CURRENT, groups=0.0, sector_rate=0.0), CURRENT)


def observe_market(seed: int, multiplier: float) -> pl.DataFrame:
    """The observed panel of a market with a break."""
    regime = VolatilityRegime(BREAK, 100, multiplier)
    market = SimulatedMarket(
        seed=seed, ticker_count=TICKERS, first_day=FIRST, opening_day=BEFORE, last_day=LAST, regime=regime
    )
    bars = adjust_for_splits(market.bars_between(FIRST, LAST), market.splits(FIRST, LAST))
    listings = [(one.ticker, one.sector, one.industry) for one in market.listings(LAST)]
    details = pl.DataFrame(listings, schema=["ticker", "sector", "industry"], orient="row")
    return observe(build_panel(bars, details, end=LAST).frame)


def describe_coverage(frame: pl.DataFrame, quantiles: np.ndarray) -> str:
    """Of all, by third of the date and by sector."""
    ahead = past_returns_ahead(frame)
    inside = ((ahead >= quantiles[..., 0]) & (ahead <= quantiles[..., 2])).mean(axis=1)
    third = ((pl.col("volatility").rank("ordinal") - 1) / pl.len() * 3).floor().over("date")
    rows = frame.with_columns(third=third, inside=100 * inside, known=np.isfinite(ahead).all(axis=1))
    rows = rows[find_origins(frame, ORIGINS)].filter("known")
    mean, tickers = pl.col("inside").mean(), pl.col("ticker").n_unique().alias("tickers")
    thirds, sectors = (rows.group_by(name).agg(mean, tickers).sort(name) for name in ("third", "sector"))
    by_third = " ".join(f"{one:.1f}" for one in thirds.get_column("inside"))
    sectors = sectors.filter(pl.col("tickers") >= FEWEST_TICKERS)
    lowest, highest = sectors.select(pl.col("inside").min().alias("low"), pl.col("inside").max().alias("high")).row(0)
    return f"{rows.select(pl.col('inside').mean()).item():.1f}: {by_third}; {lowest:.1f} to {highest:.1f}"


def main() -> None:
    """Print the table."""
    table = Table("seed", "volatility", "HAR", *(str(one) for one in RESPONSES))
    for seed, multiplier in MARKETS:
        frame = observe_market(seed, multiplier)
        fitted = EarningsVolatility.fit(frame, fold=Block(FIRST, BEFORE))
        arrays = fitted.to_arrays()
        adaptive = [AdaptiveVolatility.from_arrays(arrays | one.to_arrays()) for one in RESPONSES]
        found = [describe_coverage(frame, one.quantiles(frame).cumulative) for one in (fitted, *adaptive)]
        table.add_row(str(seed), f"x {multiplier:g}", *found)
    Console(width=240).print(table)


if __name__ == "__main__":
    main()
