"""Faults planted in bars, where the truth is known: one function a kind. Prices and volumes change, nothing else."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

PRICES = ("open", "high", "low", "close")
VALUES = (*PRICES, "volume")
HALF = 0.5  # of the uniform numbers
FIRST_BAR = 20  # of a ticker that may be chosen: before it, little is known about the ticker
type Plant = Callable[[pl.DataFrame, pl.DataFrame], "Planted"]


@dataclass(frozen=True)
class Planted:
    """The bars with faults, the `ticker` and `date` of each, and splits that the vendor states."""

    bars: pl.DataFrame
    faults: pl.DataFrame
    splits: pl.DataFrame | None = None


def choose(bars: pl.DataFrame, count: int, seed: int, apart: int = 40) -> pl.DataFrame:
    """Bars to change, at least so many sessions apart in a ticker: their rows, with a uniform number `u` in 0..1."""
    slots = bars.filter(pl.col("n") >= FIRST_BAR).with_columns(slot=pl.col("n") // apart)
    slots = slots.filter(pl.col("n") % apart < apart // 2)  # the other half keeps neighbours apart
    one = slots.sample(fraction=1.0, shuffle=True, seed=seed).unique(["ticker", "slot"], maintain_order=True)
    chosen = one.sample(min(count, one.height), seed=seed)
    numbers = pl.Series("u", range(chosen.height)).sample(fraction=1.0, shuffle=True, seed=seed + 1)
    return chosen.with_columns((numbers + 0.5) / chosen.height)


def multiply(**factors: pl.Expr) -> Plant:
    """Multiply columns of the chosen bars by expressions of `u`."""

    def plant(bars: pl.DataFrame, chosen: pl.DataFrame) -> Planted:
        marked = bars.join(chosen.select("ticker", "date", "u"), on=["ticker", "date"], how="left")
        columns = [
            pl.when(pl.col("u").is_null()).then(pl.col(name)).otherwise(pl.col(name) * factor).alias(name)
            for name, factor in factors.items()
        ]
        return Planted(marked.with_columns(columns).drop("u"), chosen.select("ticker", "date"))

    return plant


def scale_prices(*factors: float) -> Plant:
    """Multiply all prices of a bar by one of the factors."""
    place = (pl.col("u") * len(factors)).floor().cast(pl.Int64)
    return multiply(**dict.fromkeys(PRICES, place.replace_strict(dict(enumerate(factors)), return_dtype=pl.Float64)))


def split_for_good(*ratios: float) -> Plant:
    """Split a ticker (new shares for one old) from the chosen bar on; the vendor does not report it."""

    def plant(bars: pl.DataFrame, chosen: pl.DataFrame) -> Planted:
        first = chosen.unique("ticker", maintain_order=True).with_columns(
            ratio=(pl.col("u") * len(ratios)).floor().replace_strict(dict(enumerate(ratios)), return_dtype=pl.Float64)
        )
        marked = bars.join(first.select("ticker", "ratio", since="date"), on="ticker", how="left")
        ratio = pl.when(pl.col("date") >= pl.col("since")).then("ratio").otherwise(1.0)
        changed = marked.with_columns(pl.col(PRICES) / ratio, (pl.col("volume") * ratio).round())
        return Planted(changed.drop("ratio", "since"), first.select("ticker", "date"))

    return plant


def split_stated_only(bars: pl.DataFrame, chosen: pl.DataFrame) -> Planted:
    """State a split that the bars do not show."""
    splits = chosen.select(
        "ticker",
        pl.col("date").alias("execution_date"),
        pl.lit(1.0).alias("split_from"),
        (2.0 + (pl.col("u") * 4).floor()).alias("split_to"),
    )
    return Planted(bars, chosen.select("ticker", "date"), splits)


def move_close(bars: pl.DataFrame, chosen: pl.DataFrame) -> Planted:
    """A close that is 15 to 60 % off, with the high or low that contains it."""
    planted = multiply(close=spike())(bars, chosen).bars
    return Planted(
        planted.with_columns(
            pl.max_horizontal("high", "close").alias("high"), pl.min_horizontal("low", "close").alias("low")
        ),
        chosen.select("ticker", "date"),
    )


def move_open(bars: pl.DataFrame, chosen: pl.DataFrame) -> Planted:
    """An open that is 15 to 60 % off, with the high or low that contains it."""
    planted = multiply(open=spike())(bars, chosen).bars
    return Planted(
        planted.with_columns(
            pl.max_horizontal("high", "open").alias("high"), pl.min_horizontal("low", "open").alias("low")
        ),
        chosen.select("ticker", "date"),
    )


def size() -> pl.Expr:
    """15 to 60 %, the same spread for both signs."""
    return 1.15 + 0.45 * ((pl.col("u") * 1000) % 1)


def spike() -> pl.Expr:
    """A factor up or down by 15 to 60 %."""
    return pl.when(pl.col("u") < HALF).then(size()).otherwise(1 / size())


def copy_bars(bars: pl.DataFrame, sources: pl.DataFrame) -> Planted:
    """Replace bars by others: `ticker`, `n`, and where from, `source_ticker` and `source_n`."""
    values = bars.select("ticker", "n", pl.col(VALUES).name.suffix("_copied"))
    copied = sources.join(values, left_on=["source_ticker", "source_n"], right_on=["ticker", "n"])
    marked = bars.join(copied.drop("source_ticker", "source_n"), on=["ticker", "n"], how="left")
    changed = marked.with_columns(pl.coalesce(f"{name}_copied", name).alias(name) for name in VALUES)
    faults = bars.join(copied.select("ticker", "n"), on=["ticker", "n"]).select("ticker", "date")
    return Planted(changed.select(bars.columns), faults)


def repeat(bars: pl.DataFrame, chosen: pl.DataFrame) -> Planted:
    """The bar before, again, for one to five sessions."""
    runs = chosen.with_columns(run=1 + (pl.col("u") * 5).floor().cast(pl.Int64)).with_columns(
        pl.int_ranges(0, "run").alias("step")
    )
    each = runs.explode("step").select(
        "ticker", pl.col("n") + pl.col("step"), source_ticker="ticker", source_n=pl.col("n") - 1
    )
    return copy_bars(bars, each)


def repeat_prices(bars: pl.DataFrame, chosen: pl.DataFrame) -> Planted:
    """The prices of the bar before, with a volume of their own."""
    planted = copy_bars(bars, chosen.select("ticker", "n", source_ticker="ticker", source_n=pl.col("n") - 1))
    return Planted(planted.bars.with_columns(volume=bars.get_column("volume")), planted.faults)


def other_session(bars: pl.DataFrame, chosen: pl.DataFrame) -> Planted:
    """The bar of 2 to 30 sessions before."""
    back = 2 + (pl.col("u") * 29).floor().cast(pl.Int64)
    return copy_bars(bars, chosen.select("ticker", "n", source_ticker="ticker", source_n=pl.col("n") - back))


def exchange_tickers(bars: pl.DataFrame, chosen: pl.DataFrame) -> Planted:
    """The bars of two tickers in one session, exchanged."""
    pairs = chosen.unique("date", maintain_order=True).select("ticker", "date", "n", "u")
    others = pairs.join(bars.select("date", source_ticker="ticker", source_n="n"), on="date")
    others = others.filter((pl.col("ticker") != pl.col("source_ticker")) & (pl.col("source_n") >= FIRST_BAR))
    other = (
        others.sort("ticker", "date", "source_ticker")
        .group_by("ticker", "date", maintain_order=True)
        .agg(
            pl.col("n").first(),
            *(
                pl.col(name).get((pl.col("u").first() * pl.len()).floor().cast(pl.Int64))
                for name in ("source_ticker", "source_n")
            ),
        )
    )
    one = other.select("ticker", "n", "source_ticker", "source_n")
    back = one.select(ticker="source_ticker", n="source_n", source_ticker="ticker", source_n="n")
    return copy_bars(bars, pl.concat([one, back]))


def stop_volume(bars: pl.DataFrame, chosen: pl.DataFrame) -> Planted:
    """No volume, with the prices of a traded session."""
    return multiply(volume=pl.lit(0.0))(bars, chosen)


STATISTICAL: dict[str, Plant] = {
    "unreported split": split_for_good(1.5, 2, 3, 4, 5, 7, 10, 20),
    "unreported reverse split": split_for_good(1 / 2, 1 / 4, 1 / 5, 1 / 8, 1 / 10, 1 / 20),
    "split reported, not in the prices": split_stated_only,
    "decimal slip, times 10": scale_prices(10.0),
    "decimal slip, a tenth": scale_prices(0.1),
    "price in cents, times 100": scale_prices(100.0),
    "cents read as dollars, a hundredth": scale_prices(0.01),
    "other currency (0.65 to 0.8, 1.25 to 1.5)": scale_prices(0.65, 0.75, 0.8, 1.25, 1.35, 1.5),
    "reverting tick in the close, 15 to 60 %": move_close,
    "tick in the high, 15 to 60 %": multiply(high=size()),
    "tick in the low, 15 to 60 %": multiply(low=1 / size()),
    "tick in the open, 15 to 60 %": move_open,
    "stale run of 1 to 5 bars": repeat,
    "stale prices with fresh volume": repeat_prices,
    "bar of another session": other_session,
    "two tickers exchanged": exchange_tickers,
    "volume times 100": multiply(volume=pl.lit(100.0)),
    "volume a hundredth": multiply(volume=pl.lit(0.01)),
    "volume times 1000": multiply(volume=pl.lit(1000.0)),
    "no volume, moving price": stop_volume,
}
