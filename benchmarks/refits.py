"""Processor time and peak memory of refitting HAR with earnings features: `python -m benchmarks.refits` prints a table.

Claim: twenty refits over five years of 482 simulated tickers take a few seconds, and one fit on 8,000 tickers over two
years stays well below 5 GB. Each row is measured in a process of its own. `--tickers` and `--days` choose another
market, `--bars` a file of bars as in `shared/data`. When each of a fit's six regressions read all rows (commit bfa9019)
one fit on the 620,577 rows of the first market took 17.9 s and 2.6 GB, twenty refits about 220 s.
"""

import argparse
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from typing import Final, cast

import polars as pl
from rich.console import Console
from rich.table import Table

from internal.baselines.heterogeneous import EarningsVolatility
from internal.baselines.walk_forward import refit_blocks, walk_forward_forecasts
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.price_adjustment import adjust_bars
from internal.venue.market.simulated import SimulatedMarket


@dataclass(frozen=True)
class Span:
    """A simulated market, or a file of bars, and the first session that is forecast from."""

    tickers: int
    first_day: date
    last_day: date
    first_refit: date
    bars: str = ""


FIVE_YEARS: Final = Span(482, date(2018, 6, 1), date(2023, 12, 29), date(2019, 1, 2))
TWO_YEARS: Final = Span(8_000, date(2021, 6, 1), date(2023, 6, 1), date(2023, 6, 1))


def observe_span(span: Span) -> pl.DataFrame:
    """The observed panel."""
    if span.bars:
        bars = pl.read_parquet(span.bars).filter(pl.col("date").is_between(span.first_day, span.last_day))
        details = bars.select(pl.col("ticker").unique(), sector=pl.lit("all"), industry=pl.lit("all"))
    else:
        bars, details = simulate(span)
    return observe(build_panel(bars, details, end=span.last_day).frame)


def simulate(span: Span) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bars adjusted as of the last day, and details."""
    first, last = span.first_day, span.last_day
    market = SimulatedMarket(ticker_count=span.tickers, first_day=first, opening_day=first, last_day=last)
    bars = pl.concat(market.bars(day) for day in market.sessions()).lazy()
    splits, dividends = market.splits(first, last).lazy(), market.dividends(first, last).lazy()
    adjusted = adjust_bars(bars, bars.select("ticker", "date", "close"), splits, dividends, last).collect()
    listings = [(one.ticker, one.sector, one.industry) for day in (first, last) for one in market.listings(day)]
    details = pl.DataFrame(listings, schema=["ticker", "sector", "industry"], orient="row")
    return adjusted, details.unique("ticker", keep="first", maintain_order=True)


def fit_once(frame: pl.DataFrame, span: Span) -> int:
    """One fit on everything."""
    EarningsVolatility.fit(frame, fold=Block(span.first_day, span.last_day))
    return 1


def fit_each_fold(frame: pl.DataFrame, span: Span) -> int:
    """A fit of its own for each refit, which reads the rows again."""
    folds = folds_of(span)
    for fold in folds:
        EarningsVolatility.fit(frame, fold=fold)
    return len(folds)


def refit_by_sums(frame: pl.DataFrame, span: Span) -> int:
    """The same refits from the same sums."""
    return len(list(EarningsVolatility.fit_each(EarningsVolatility.arrange(frame), folds_of(span))))


def forecast_all(frame: pl.DataFrame, span: Span) -> int:
    """The refits, and the forecasts of every session."""
    blocks = refit_blocks(span.first_refit, span.last_day)
    walk_forward_forecasts(frame, EarningsVolatility.kind, blocks)
    return len(blocks)


def folds_of(span: Span) -> list[Block]:
    """What each refit is fitted on."""
    return [Block(span.first_day, block.first) for block in refit_blocks(span.first_refit, span.last_day)]


def measure(work: Callable[[pl.DataFrame, Span], int], span: Span) -> tuple[int, int, float, float, float]:
    """Rows, refits, processor seconds of all threads, and peak memory in GB before and after."""
    frame = observe_span(span)
    before, begin = peak_gigabytes(), time.process_time()
    refits = work(frame, span)
    return frame.height, refits, time.process_time() - begin, before, peak_gigabytes()


def peak_gigabytes() -> float:
    """The largest resident memory of this process so far, 10^9 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main() -> None:
    """Print a row for each way and market."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickers", type=int, default=FIVE_YEARS.tickers)
    parser.add_argument("--days", type=date.fromisoformat, nargs=3, metavar=("FIRST", "LAST", "FIRST_REFIT"))
    parser.add_argument("--bars", default="")
    given = parser.parse_args()
    usual = [FIVE_YEARS.first_day, FIVE_YEARS.last_day, FIVE_YEARS.first_refit]
    first, last, first_refit = cast("list[date]", given.days or usual)
    chosen = Span(given.tickers, first, last, first_refit, given.bars)
    tasks = [(work, chosen) for work in (fit_once, fit_each_fold, refit_by_sums, forecast_all)]
    if chosen == FIVE_YEARS:
        tasks.append((fit_once, TWO_YEARS))
    table = Table("way", "rows", "refits", "seconds", "GB before", "GB after")
    for work, span in tasks:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            rows, refits, seconds, before, after = pool.submit(measure, work, span).result()
        table.add_row(work.__name__, f"{rows:,}", str(refits), f"{seconds:.2f}", f"{before:.2f}", f"{after:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
