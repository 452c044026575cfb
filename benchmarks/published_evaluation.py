"""The evaluation that docs/evaluation.md publishes: every baseline, walk-forward over half-years of real bars.

Run: `uv run python -m benchmarks.published_evaluation --data FOLDER --cache FOLDER`. The first folder has
`us_equity_bars_2015_2018.parquet` and `us_equity_details.parquet`, finished fits are kept in the second.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from internal.features.panel import build_panel
from models.dataset import Dataset
from models.evaluation import REFERENCE, THIRDS, Evaluation, ForecastLine
from models.evaluation_texts import format_interval
from models.walk_forward import WalkForwardPlan, run_walk_forward

PAGE: Final = Path(__file__).parents[1] / "docs" / "evaluation.md"
FIRST, END = date(2015, 1, 12), date(2018, 6, 29)
PLAN: Final = WalkForwardPlan("expert_aggregation", 5, first=date(2016, 1, 4), last=date(2018, 6, 20))
TITLE: Final = """# Evaluation

How good the forecasts are on years that they were not fitted on, and how often these years were looked at before. Made
by `uv run python -m benchmarks.published_evaluation --data FOLDER --cache FOLDER`."""
LEGEND: Final = """The loss is the mean pinball loss of the quantiles 0.1, 0.5 and 0.9 over the next seven sessions, of
daily simple returns and of cumulative log returns. Differences are in per cent of `blended_volatility`'s loss, with
95 % intervals of a paired bootstrap over blocks of ten sessions; 0.1 % is noise. The models of a fold are fitted on all
sessions up to a purge of seven before it. Dividends are not in the prices. [Models](reference/models.md) describes the
kinds."""
LIMITS: Final = """## What the figures do not show
- The tickers are those of 2018 that a public site has: companies that failed before are missing.
- The networks are not in the tables: they do not beat HAR with the earnings clock
  ([figures](decisions/ensemble_on_har.md)).
- No kind's median ranks tickers. The forecasts know how far a price may move, and not in which direction.
- How intervals hold after a break has [figures of its own](decisions/breaks.md)."""


@dataclass(frozen=True)
class Look:
    """One time that somebody saw losses on 2018 and could have chosen by them.

    Attributes:
        day: When.
        reason: What for.
        configurations: How many were scored on it.
    """

    day: date
    reason: str
    configurations: int


LOOKS: Final = (
    Look(date(2026, 11, 23), "the ensemble and every baseline, chosen on 2017", 7),
    Look(date(2026, 11, 25), "the same after HAR was fitted in three stages", 9),
    Look(date(2026, 11, 25), "the time of the full size, whose report is on nearly the same rows", 1),
    Look(date(2026, 11, 28), "level and drift of boosted trees", 1),
    Look(date(2026, 11, 28), "the surprise factor, at two strengths", 2),
    Look(date(2026, 11, 28), "the combination of forecasters", 105),
    Look(date(2026, 11, 28), "what boosted trees learn from", 15),
    Look(date(2026, 11, 28), "this page", 9),
)


def load_real_dataset(folder: Path) -> Dataset:
    """The real bars, adjusted for splits, as a dataset."""
    bars = pl.read_parquet(folder / "us_equity_bars_2015_2018.parquet").with_columns(pl.col("date").cast(pl.Date))
    details = pl.read_parquet(folder / "us_equity_details.parquet")
    return Dataset(bars, details, FIRST, END, END, 0, asdict(build_panel(bars, details, end=END).report))


def write_page(evaluation: Evaluation) -> str:
    """The page in Markdown."""
    scope = (
        f"{evaluation.rows:,} origins of {evaluation.tickers} US tickers, {evaluation.first} to {evaluation.last}, in "
        f"{len(evaluation.folds)} folds of half a year."
    )
    parts = [TITLE, scope, LEGEND, *_write_losses(evaluation), *_write_folds(evaluation)]
    return "\n\n".join([*parts, *_write_coverage(evaluation), *_write_looks(), LIMITS]) + "\n"


def _write_losses(evaluation: Evaluation) -> Iterator[str]:
    yield "## Losses"
    heads = ["kind", "daily, x 1e-4", "difference, %", "cumulative, x 1e-4", "difference, %"]
    yield _write_table(heads, [_list_losses(line) for line in evaluation.lines])


def _list_losses(line: ForecastLine) -> list[str]:
    return [
        f"`{line.score.name}`",
        f"{1e4 * line.score.daily:.3f}",
        format_interval(line.daily_against_reference),
        f"{1e4 * line.score.cumulative:.3f}",
        format_interval(line.cumulative_against_reference),
    ]


def _write_folds(evaluation: Evaluation) -> Iterator[str]:
    yield "## Losses by fold"
    yield f"Daily / cumulative, difference from `{REFERENCE}` in per cent; bold: `{evaluation.model}`."
    heads = ["kind", *(f"{fold.first} to {fold.last}" for fold in evaluation.folds)]
    yield _write_table(heads, [_list_folds(evaluation, line.score.name) for line in evaluation.lines])


def _list_folds(evaluation: Evaluation, name: str) -> list[str]:
    mark = "**" if name == evaluation.model else ""
    cells = [
        " / ".join(
            f"{100 * (own / other - 1):+.2f}"
            for own, other in zip(fold.losses[name], fold.losses[REFERENCE], strict=True)
        )
        for fold in evaluation.folds
    ]
    return [f"`{name}`", *(f"{mark}{cell}{mark}" for cell in cells)]


def _write_coverage(evaluation: Evaluation) -> Iterator[str]:
    yield "## Coverage of the 80 % interval"
    yield "Per cent of cumulative returns inside; thirds by volatility among all rows, and among the rows of a date."
    heads = ["kind", "all", *THIRDS, *(f"{third} of its date" for third in THIRDS), "sectors, lowest to highest"]
    yield _write_table(heads, [_list_coverage(line) for line in evaluation.lines])


def _list_coverage(line: ForecastLine) -> list[str]:
    score = line.score
    shares = [score.coverage, *score.coverage_by_volatility, *score.coverage_within_date]
    sectors = sorted((share, sector) for sector, share in score.coverage_by_sector.items())
    ends = (
        " to ".join(f"{100 * share:.1f} ({sector})" for share, sector in (sectors[0], sectors[-1])) if sectors else ""
    )
    return [f"`{score.name}`", *(f"{100 * share:.1f}" for share in shares), ends]


def _write_looks() -> Iterator[str]:
    yield "## Looks at 2018"
    total = sum(look.configurations for look in LOOKS)
    yield (
        f"The first half of 2018 was meant to be looked at once. It was looked at {len(LOOKS)} times, with {total} "
        "configurations scored on it, so that it is no longer out of sample; the best of so many equals is flattered."
    )
    rows = [[look.day.isoformat(), look.reason, str(look.configurations)] for look in LOOKS]
    yield _write_table(["day", "reason", "configurations"], rows)


def _write_table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Evaluate and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    given = parser.parse_args()
    PAGE.write_text(write_page(run_walk_forward(load_real_dataset(given.data), PLAN, given.cache)))


if __name__ == "__main__":
    main()
