"""Coverage around breaks: `python -m benchmarks.breaks` prints a table of HAR and its responses to simulated ones.

Each market is 160 tickers of the simulated market whose volatility is multiplied from 2024-06-03 on; HAR with earnings
features is fitted on the sessions before. Coverage is that of the 80 % interval of cumulative returns over one to seven
sessions from the first 60 origins, per cent: of all rows, then of the calm, the middle and the volatile third of each
date's tickers, then the lowest and the highest of the sectors' with at least 14 tickers. A market whose volatility is
multiplied by 1 has the same draws: what is missed there is missed by chance. decisions/breaks.md has the figures.

`python -m benchmarks.breaks --data FOLDER` prints, in Markdown, two kinds before, in and after real and simulated
breaks instead; the folder is that of `benchmarks.published_evaluation`.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks.break_windows import COUNTED, describe_coverage, find_windows
from benchmarks.published_evaluation import load_real_dataset
from internal.baselines.break_response import CURRENT, MARKET_ALONE, NO_RESPONSE
from internal.baselines.expert_aggregation import ExpertAggregation
from internal.baselines.heterogeneous import AdaptiveVolatility, EarningsVolatility
from internal.dates import next_session, previous_session
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import find_origins
from internal.price_adjustment import adjust_for_splits
from internal.venue.market.simulated import SimulatedMarket
from internal.venue.market.volatility_regime import VolatilityRegime
from models.folds import observe_dataset

TICKERS: Final = 160
FIRST, BREAK, LAST = date(2022, 6, 1), date(2024, 6, 3), date(2024, 12, 31)
BEFORE: Final = previous_session(BREAK)
ORIGINS: Final = Block(BREAK, next_session(BREAK, COUNTED - 1))
MARKETS: Final = ((1, 2.0), (1, 3.0), (1, 4.0), (2, 3.0), (3, 3.0), (4, 3.0), (5, 3.0), (6, 3.0), (1, 1.0), (2, 1.0))
SEEDS: Final = (1, 2, 3, 4, 5, 6)
CALM: Final = Block(
    date(2016, 8, 1), date(2017, 12, 29)
)  # after the outcomes of both breaks before it, and before 2018
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


@dataclass(frozen=True)
class Case:
    """A break, and the experts that were fitted apart from it.

    Attributes:
        name: In the table.
        frame: The observed panel.
        fitted: The experts; they count losses from the session before the first one counted here.
        first: The first session of the break.
    """

    name: str
    frame: pl.DataFrame
    fitted: ExpertAggregation
    first: date

    def describe(self) -> Iterator[list[str]]:
        """A row a kind: coverage before, in and after the break."""
        windows = find_windows(self.first)
        rows = find_origins(self.frame, Block(windows[0].first, windows[-1].last))
        for kind in (self.fitted.adaptive, self.fitted):
            quantiles = kind.quantiles(self.frame, rows).cumulative
            yield [
                self.name,
                f"`{kind.kind}`",
                *(describe_coverage(self.frame, rows, quantiles, one) for one in windows),
            ]


def find_last_before(first: date) -> date:
    """The last session of a fit that ends before all three windows."""
    return previous_session(find_windows(first)[0].first)


def fit_real_cases(folder: Path) -> Iterator[Case]:
    """The sharpest weeks of 2015, 2016 and 2018; the first two fitted on later sessions, for want of earlier ones."""
    frame = observe_dataset(load_real_dataset(folder), for_networks=False)
    calm = ExpertAggregation.fit(frame, fold=CALM)
    for first in (date(2015, 8, 20), date(2016, 1, 6)):
        yield Case(f"{first}, fitted on {CALM.first} to {CALM.last}", frame, judged_from(calm, first), first)
    first = date(2018, 2, 2)
    fitted = ExpertAggregation.fit(frame, fold=Block(date.min, find_last_before(first)))
    yield Case(f"{first}, fitted before", frame, fitted, first)


def judged_from(fitted: ExpertAggregation, first: date) -> ExpertAggregation:
    """The experts, whose weights are equal before the windows of a break and follow their losses from there on."""
    return replace(fitted, fitted_to=find_last_before(first))


def simulate_cases(seed: int) -> Iterator[Case]:
    """A market whose volatility is multiplied by 3, fitted before its windows."""
    frame = observe_market(seed, 3.0)
    fitted = ExpertAggregation.fit(frame, fold=Block(FIRST, find_last_before(BREAK)))
    yield Case(f"simulated, x 3 (seed {seed})", frame, fitted, BREAK)


def print_around(folder: Path) -> None:
    """Print the table of before, in and after, a row when it is known."""
    heads = ["break", "kind", "before", "in", "after"]
    print(f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", sep="\n")
    for cases in (fit_real_cases(folder), *map(simulate_cases, SEEDS)):
        for row in (row for case in cases for row in case.describe()):
            print(f"| {' | '.join(row)} |", flush=True)


def print_responses() -> None:
    """Print the table of responses."""
    table = Table("seed", "volatility", "HAR", *(str(one) for one in RESPONSES))
    for seed, multiplier in MARKETS:
        frame = observe_market(seed, multiplier)
        fitted, rows = EarningsVolatility.fit(frame, fold=Block(FIRST, BEFORE)), find_origins(frame, ORIGINS)
        arrays = fitted.to_arrays()
        adaptive = [AdaptiveVolatility.from_arrays(arrays | one.to_arrays()) for one in RESPONSES]
        found = [
            describe_coverage(frame, rows, one.quantiles(frame, rows).cumulative, ORIGINS)
            for one in (fitted, *adaptive)
        ]
        table.add_row(str(seed), f"x {multiplier:g}", *found)
    Console(width=240).print(table)


def main() -> None:
    """Print the table that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    folder = parser.parse_args().data
    if folder is None:
        print_responses()
    else:
        print_around(folder)


if __name__ == "__main__":
    main()
