"""What the checks of bars find and what they suspect wrongly: faults planted in real bars, with the truth known.

Run it with `python -m benchmarks.quarantine [BARS.parquet]`. Each kind is planted alone, at most 400 times, and its
bars are checked as an ingestion checks them, session by session. A fault counts as found when its own bar is held.
"""

import argparse
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.planted_faults import STATISTICAL, Planted, choose
from benchmarks.planted_rows import STRUCTURAL, PlantRow, Row
from datamanager.ports import RAW_BAR_SCHEMA
from datamanager.quality import check_bars
from internal.data_quality.walk import BarWalk
from internal.dates import sessions
from internal.schemas import corporate_actions

BARS = Path(__file__).parents[2] / "shared" / "data" / "us_equity_bars_2015_2018.parquet"
PLANTED = 400
SEED = 7
TICKERS_OF_A_DAY = 8_000


def read_bars(path: Path) -> pl.DataFrame:
    """Bars ordered by ticker and date, those whose prices contradict each other left out; `n` numbers a ticker's."""
    prices = pl.col("open", "high", "low", "close")
    ordered = (pl.col("low") <= pl.min_horizontal("open", "close")) & (
        pl.max_horizontal("open", "close") <= pl.col("high")
    )
    bars = pl.read_parquet(path).sort("ticker", "date").filter(ordered)
    return bars.select("ticker", "date", prices, "volume", pl.int_range(pl.len()).over("ticker").alias("n"))


def walk_through(planted: Planted) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Judge every session in order: what was held, and what later bars released (`ticker`, `date`)."""
    splits = corporate_actions.empty_splits() if planted.splits is None else planted.splits
    walk = BarWalk(planted.bars.get_column("ticker").unique().to_list(), splits)
    held: list[pl.DataFrame] = []
    released: list[pl.DataFrame] = []
    for bars in planted.bars.sort("date").partition_by("date", maintain_order=True):
        day = bars.item(0, "date")
        judgement = walk.judge(day, bars)
        held.append(judgement.suspected.with_columns(pl.lit(day).alias("date")))
        released.append(judgement.confirmed)
    return pl.concat(held), pl.concat(released)


def measure_statistical(bars: pl.DataFrame) -> None:
    """Print for each kind how many were planted, held in their own session, and still held after the next ones."""
    for number, (kind, plant) in enumerate(STATISTICAL.items()):
        planted = plant(bars, choose(bars, PLANTED, SEED + number))
        held, released = walk_through(planted)
        kept = held.join(released, on=["ticker", "date"], how="anti")
        found = planted.faults.join(held, on=["ticker", "date"], how="semi").height
        stayed = planted.faults.join(kept, on=["ticker", "date"], how="semi").height
        show(kind, planted.faults.height, found, f"{stayed:>6}")


def measure_structural(bars: pl.DataFrame) -> None:
    """Print for each kind how many rows were planted and quarantined, of one session each."""
    rows = choose(bars.filter(pl.col("volume") > 0), PLANTED, SEED)
    for kind, plant in STRUCTURAL.items():
        counts = [_check_row(plant, row) for row in rows.iter_rows(named=True)]
        show(kind, sum(planted for planted, _ in counts), sum(found for _, found in counts), "")


def _check_row(plant: PlantRow, row: dict[str, float]) -> tuple[int, int]:
    """Plant the fault of one row: how many rows it makes, and how many of them are quarantined."""
    average = (row["high"] + row["low"] + row["close"]) / 3
    cells: Row = {name: str(row[name]) for name in ("ticker", "date", "open", "high", "low", "close", "volume")}
    cells |= {"volume_weighted_average_price": str(average), "transactions": str(1 + int(row["volume"]) // 100)}
    planted = plant(cells)
    session = pl.Series([cells["date"]]).str.to_date().item()
    return len(planted), check_bars(pl.DataFrame(planted, schema=RAW_BAR_SCHEMA), session).quarantined.height


def show(kind: str, planted: int, found: int, stayed: str) -> None:
    """Print one line of the table."""
    print(f"{kind:<44} {planted:>7} {found:>6} {100 * found / planted:>7.2f} % {stayed}")


def measure_false_positives(bars: pl.DataFrame) -> None:
    """Print what is held of the bars as they are."""
    held, released = walk_through(Planted(bars, bars.clear()))
    kept = held.join(released, on=["ticker", "date"], how="anti")
    share = 100 * held.height / bars.height
    print(f"{held.height} of {bars.height:,} real bars held ({share:.3f} %), {kept.height} after the next session:")
    for reason, count in held.group_by("reason").len().sort("reason").iter_rows():
        after = kept.filter(pl.col("reason") == reason).height
        print(f"  {reason:<42} {count:>5} {after:>5}")


def measure_speed() -> None:
    """Print the processor time to judge one session of 8,000 tickers, after 60 sessions before it."""
    days = sessions(date(2024, 1, 2), date(2024, 4, 1))
    random = np.random.default_rng(SEED)
    tickers = [f"T{number}" for number in range(TICKERS_OF_A_DAY)]
    walk = BarWalk(tickers, corporate_actions.empty_splits())
    times: list[float] = []
    for day in days:
        close = 50 * np.exp(0.01 * random.standard_normal(len(tickers)))
        bars = pl.DataFrame(
            {
                "ticker": tickers,
                "open": close,
                "high": close * 1.01,
                "low": close * 0.99,
                "close": close,
                "volume": close * 1e5,
            }
        )
        started = time.process_time()
        walk.judge(day, bars)
        times.append(time.process_time() - started)
    print(f"one session of {TICKERS_OF_A_DAY:,} bars: {1e3 * float(np.median(times[-20:])):.0f} ms of processor time")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bars", type=Path, nargs="?", default=BARS, help="parquet of real bars")
    bars = read_bars(parser.parse_args().bars)
    measure_false_positives(bars)
    print(f"\n{'kind':<44} {'planted':>7} {'found':>6} {'share':>9} {'stayed':>6}")
    measure_statistical(bars)
    print()
    measure_structural(bars)
    measure_speed()


if __name__ == "__main__":
    main()
