"""Coverage of simulated breaks over many markets: `python -m benchmarks.pooled_breaks` prints a table, in Markdown.

Claim: where chance is averaged away, the first 60 sessions of a break are covered within the bar. One market's calm
third or sector has 60 sessions that move together, and is missed by chance even without a break: the rows with
volatility x 1 are the same draws. Each figure is the mean over markets and its standard error, in per cent; nominal is
80. The last two columns count the markets in which the calm third is within 2 points, and all sectors of 14 tickers and
more within 4. The markets, windows and kinds are those of `benchmarks.breaks`; 40 markets take 150 s of processor time.
"""

import argparse
from collections.abc import Iterator
from typing import Final

import polars as pl
from rich.progress import track

from benchmarks.break_windows import FEWEST_TICKERS, average_groups, count_inside
from benchmarks.breaks import BREAK, FIRST, ORIGINS, find_last_before, observe_market
from internal.baselines.expert_aggregation import ExpertAggregation
from internal.features.splits import Block
from internal.features.windows import find_origins

NOMINAL: Final = 80.0
MULTIPLIERS: Final = (3.0, 1.0)
CALM_POINTS, SECTOR_POINTS = 2.0, 4.0
THIRDS: Final = ("calm", "middle", "volatile")
HEADS: Final = (
    "volatility",
    "kind",
    "all",
    *THIRDS,
    "lowest sector",
    "highest sector",
    "calm within 2",
    "sectors within 4",
)


def cover_groups(seed: int, multiplier: float) -> Iterator[pl.DataFrame]:
    """The coverage of all, of thirds and of sectors in a market's first 60 sessions of a break, a frame a kind."""
    frame = observe_market(seed, multiplier)
    fitted = ExpertAggregation.fit(frame, fold=Block(FIRST, find_last_before(BREAK)))
    rows = find_origins(frame, ORIGINS)
    for kind in (fitted.adaptive, fitted):
        counted = count_inside(frame, rows, kind.quantiles(frame, rows).cumulative, ORIGINS)
        groups = {
            "all": counted.select(
                name=pl.lit("all"), inside=pl.col("inside").mean(), tickers=pl.col("ticker").n_unique()
            ),
            "third": average_groups(counted, "third").with_columns(name=pl.Series(THIRDS)),
            "sector": average_groups(counted, "sector").rename({"sector": "name"}),
        }
        for group, found in groups.items():
            yield found.select(
                "name",
                "inside",
                "tickers",
                group=pl.lit(group),
                kind=pl.lit(kind.kind),
                seed=pl.lit(seed),
                multiplier=pl.lit(multiplier),
            )


def count_within(cover: pl.DataFrame, chosen: pl.Expr, points: float) -> str:
    """In how many markets each chosen group is within some points of nominal."""
    distances = cover.filter(chosen).group_by("seed").agg((pl.col("inside") - NOMINAL).abs().max().alias("distance"))
    return f"{distances.filter(pl.col('distance') <= points).height} of {distances.height}"


def describe_pooled(cover: pl.DataFrame) -> list[str]:
    """One kind's figures over markets of one multiplier."""
    mean, error = pl.col("inside").mean().alias("mean"), (pl.col("inside").std() / pl.len().sqrt()).alias("error")
    pooled = cover.group_by("group", "name").agg(mean, error)
    sectors = pooled.filter(pl.col("group") == "sector").sort("mean")
    named = {name: (mean, error) for _, name, mean, error in pooled.filter(pl.col("group") != "sector").rows()}
    ends = [sectors.select("mean", "error").row(place) for place in (0, -1)]
    return [
        *(f"{mean:.1f} ± {error:.1f}" for mean, error in (*(named[name] for name in ("all", *THIRDS)), *ends)),
        count_within(cover, pl.col("name") == "calm", CALM_POINTS),
        count_within(cover, (pl.col("group") == "sector") & (pl.col("tickers") >= FEWEST_TICKERS), SECTOR_POINTS),
    ]


def main() -> None:
    """Print the table, three times as volatile first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markets", type=int, default=30)
    markets = parser.parse_args().markets
    drawn = [(multiplier, seed) for multiplier in MULTIPLIERS for seed in range(1, markets + 1)]
    cover = pl.concat(one for multiplier, seed in track(drawn) for one in cover_groups(seed, multiplier))
    print(f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}", sep="\n")
    for (multiplier, kind), found in cover.group_by("multiplier", "kind", maintain_order=True):
        print(f"| {' | '.join([f'x {multiplier:g}', f'`{kind}`', *describe_pooled(found)])} |")


if __name__ == "__main__":
    main()
