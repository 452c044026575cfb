"""The evaluation that docs/evaluation.md publishes: the default of `models train` and every baseline, walk-forward.

Run: `uv run python -m benchmarks.published_evaluation --data FOLDER --cache FOLDER`. The first folder has
`us_equity_bars_2015_2018.parquet` and `us_equity_details.parquet`, finished fits are kept in the second.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from benchmarks.break_windows import describe_coverage, find_windows
from benchmarks.expert_losses import score_trees
from benchmarks.tuned_blend import DECAYS, RECENT_SHARES, Losses, TunedBlend, tune_blend
from internal.baselines.catalogue import BASELINES
from internal.baselines.expert_aggregation import ExpertAggregation
from internal.baselines.heterogeneous import AdaptiveVolatility
from internal.errors import FundError
from internal.features.panel import build_panel
from internal.features.variables import DECAY, RECENT_SHARE
from internal.features.windows import find_origins
from models.code_version import compute_code_digest
from models.dataset import Dataset
from models.evaluation import REFERENCE, THIRDS, Evaluation, ForecastLine
from models.evaluation_texts import format_after_costs, format_bet, format_interval, format_rank, format_ranks
from models.folds import FoldData, choose_folds, observe_dataset
from models.progress import ignore_progress
from models.task_cache import TaskCache, compute_dataset_digest
from models.traits import Trait
from models.walk_forward import WalkForwardPlan, run_walk_forward
from models.walk_forward_tasks import forecast_test_sessions

AGGREGATION, ADAPTIVE = ExpertAggregation.kind, AdaptiveVolatility.kind
NETWORK_KIND: Final = "temporal_fusion_transformer"  # internal.tft needs tinygrad
PARTS: Final = ("before", "in", "after")
BREAKS: Final = (date(2016, 1, 6), date(2018, 2, 2))
PAGE: Final = Path(__file__).parents[1] / "docs" / "evaluation.md"
FIRST, END = date(2015, 1, 12), date(2018, 6, 29)
PLAN: Final = WalkForwardPlan("small", 5, first=date(2016, 1, 4), last=date(2018, 6, 20))
TITLE: Final = """# Evaluation

How good the forecasts are on years that they were not fitted on, and how often these years were looked at before. Made
by `uv run python -m benchmarks.published_evaluation --data FOLDER --cache FOLDER`."""
LEGEND: Final = """The loss is the mean pinball loss of the quantiles 0.1, 0.5 and 0.9 over the next seven sessions, of
daily simple returns and of cumulative log returns. Differences are in per cent of `blended_volatility`'s loss, with
95 % intervals of a paired bootstrap over blocks of ten sessions; 0.1 % is noise. The models of a fold are fitted on all
sessions up to a purge of seven before it. Dividends are not in the prices. [Models](reference/models.md) describes the
kinds; `temporal_fusion_transformer` is what `models train` registers by default: size `small`, seed 7, half of it
networks and half `adaptive_volatility`."""
LIMITS: Final = """## What the figures do not show
- The tickers are those of 2018 that a public site has: companies that failed before are missing.
- The networks are those of one seed and of the small size; the full size had [one look](decisions/ensemble_on_har.md).
- A kind that ranks has an order of its own, which is no evidence that the order is right: that is the correlation with
  the return, and what the book earns. The forecasts know how far a price may move, and not in which direction.
- The sharpest weeks of 2015 and simulated breaks have [figures of their own](decisions/breaks.md)."""


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
    Look(date(2026, 11, 28), "this page again, with the tuned reference", 10),
    Look(date(2026, 11, 28), "the response to breaks by third and sector, in two kinds, and after 2018-02-02", 3),
    Look(date(2026, 11, 29), "coverage before, in and after 2018-02-02, two kinds", 2),
    Look(date(2026, 11, 29), "this page again, with the networks that are the default", 1),
    Look(date(2026, 11, 29), "this page again, with a combination whose experts both follow surprises", 1),
    Look(date(2026, 11, 29), "coverage before, in and after 2018-02-02, of that combination", 1),
    Look(date(2026, 11, 29), "this page again, fitted without rows before a missing bar, and one expert alone", 11),
)


def load_real_dataset(folder: Path) -> Dataset:
    """The real bars, adjusted for splits, as a dataset."""
    bars = pl.read_parquet(folder / "us_equity_bars_2015_2018.parquet").with_columns(pl.col("date").cast(pl.Date))
    details = pl.read_parquet(folder / "us_equity_details.parquet")
    return Dataset(bars, details, FIRST, END, END, 0, asdict(build_panel(bars, details, end=END).report))


@dataclass(frozen=True)
class Compared:
    """What the kinds of an evaluation are compared with that are no kinds themselves, a fold each.

    Attributes:
        blends: The reference as it is tuned before each fold.
        trees: The losses of the second expert of `expert_aggregation`, trees that follow surprises.
    """

    blends: Sequence[TunedBlend]
    trees: Sequence[Losses]


def compare_folds(dataset: Dataset, evaluation: Evaluation) -> Compared:
    """Score both on each fold. Raises FundError where one was scored on other rows than the kinds."""
    frame = observe_dataset(dataset, for_networks=False)
    folds = choose_folds(frame, PLAN.fold_count, first=PLAN.first, last=PLAN.last)
    blends = [tune_blend(frame, fold) for fold in folds]
    trees, counts = zip(*(score_trees(frame, fold) for fold in folds), strict=True)
    scored = [fold.rows for fold in evaluation.folds]
    if [one.rows for one in blends] != scored or list(counts) != scored:
        raise FundError("the tuned reference or the experts were scored on other rows than the kinds")
    return Compared(blends, trees)


def cover_breaks(dataset: Dataset, cache_folder: Path) -> dict[str, list[str]]:
    """Each kind's coverage around the breaks, of the forecasts that the evaluation has cached.

    Of the first break there is no `before`: the first fold begins the day before it.
    """
    frame = observe_dataset(dataset)
    folds = choose_folds(frame, PLAN.fold_count, first=PLAN.first, last=PLAN.last)
    cache = TaskCache(cache_folder, compute_dataset_digest(dataset), compute_code_digest())
    rows = np.concatenate([find_origins(frame, fold.test) for fold in folds])
    parts = [FoldData(frame, fold, dataset.bars_version) for fold in folds]
    first, second = map(find_windows, BREAKS)
    found = dict[str, list[str]]()
    for kind in PLAN.specifications():
        each = [forecast_test_sessions(kind, part, cache, ignore_progress).cumulative for part in parts]
        forecasts = np.concatenate(each)
        found[kind.name] = [describe_coverage(frame, rows, forecasts, one) for one in (*first[1:], *second)]
    return found


def write_page(evaluation: Evaluation, compared: Compared, breaks: Mapping[str, Sequence[str]]) -> str:
    """The page in Markdown.

    Args:
        evaluation: Of the networks and every baseline.
        compared: What they are compared with.
        breaks: Coverage of each around the breaks.
    """
    scope = (
        f"{evaluation.rows:,} origins of {evaluation.tickers} US tickers, {evaluation.first} to {evaluation.last}, in "
        f"{len(evaluation.folds)} folds of half a year."
    )
    parts = [TITLE, scope, LEGEND, *_write_losses(evaluation), *_write_folds(evaluation)]
    parts += [*_write_best(evaluation), *_write_experts(evaluation, compared.trees)]
    parts += [*_write_tuned(evaluation, compared.blends), *_write_coverage(evaluation)]
    parts += _write_breaks(evaluation, breaks)
    return "\n\n".join([*parts, *_write_bets(evaluation), *_write_looks(), LIMITS]) + "\n"


def _write_name(name: str) -> str:
    """The kind, as a user names it."""
    return f"`{name if name in BASELINES else NETWORK_KIND}`"


def _write_losses(evaluation: Evaluation) -> Iterator[str]:
    yield "## Losses"
    heads = ["kind", "daily, x 1e-4", "difference, %", "cumulative, x 1e-4", "difference, %"]
    yield _write_table(heads, [_list_losses(line) for line in evaluation.lines])


def _list_losses(line: ForecastLine) -> list[str]:
    return [
        _write_name(line.score.name),
        f"{1e4 * line.score.daily:.3f}",
        format_interval(line.daily_against_reference),
        f"{1e4 * line.score.cumulative:.3f}",
        format_interval(line.cumulative_against_reference),
    ]


def _write_folds(evaluation: Evaluation) -> Iterator[str]:
    yield "## Losses by fold"
    yield f"Daily / cumulative, difference from `{REFERENCE}` in per cent; bold: the default of `models train`."
    heads = ["kind", *(f"{fold.first} to {fold.last}" for fold in evaluation.folds)]
    yield _write_table(heads, [_list_folds(evaluation, line.score.name) for line in evaluation.lines])


def _list_folds(evaluation: Evaluation, name: str) -> list[str]:
    mark = "**" if name == evaluation.model else ""
    cells = [_format_both(fold.losses[name], fold.losses[REFERENCE]) for fold in evaluation.folds]
    return [_write_name(name), *(f"{mark}{cell}{mark}" for cell in cells)]


def _format_both(own: Losses, other: Losses) -> str:
    return " / ".join(f"{100 * (one / against - 1):+.2f}" for one, against in zip(own, other, strict=True))


def _write_best(evaluation: Evaluation) -> Iterator[str]:
    yield "## Distance from the best kind of each fold"
    yield (
        "Daily / cumulative, per cent above the lowest loss of all kinds in that fold, which nobody knew before it: "
        "what choosing one kind costs."
    )
    heads = ["kind", *(f"{fold.first} to {fold.last}" for fold in evaluation.folds)]
    lowest = [_find_lowest(fold.losses.values()) for fold in evaluation.folds]
    yield _write_table(heads, [_list_against(evaluation, line.score.name, lowest) for line in evaluation.lines])


def _find_lowest(losses: Iterable[Losses]) -> Losses:
    """The lowest of each measure."""
    daily, cumulative = zip(*losses, strict=True)
    return min(daily), min(cumulative)


def _list_against(evaluation: Evaluation, name: str, others: Sequence[Losses]) -> list[str]:
    pairs = zip(evaluation.folds, others, strict=True)
    return [_write_name(name), *(_format_both(fold.losses[name], other) for fold, other in pairs)]


def _write_experts(evaluation: Evaluation, trees: Sequence[Losses]) -> Iterator[str]:
    yield f"## Distance of `{AGGREGATION}` from its better expert"
    yield (
        f"Daily / cumulative, per cent above the lower loss of its two experts in that fold: `{ADAPTIVE}`, and trees "
        "that follow surprises, which are no kind of their own."
    )
    heads = ["forecast", *(f"{fold.first} to {fold.last}" for fold in evaluation.folds)]
    experts = {f"`{ADAPTIVE}`": [fold.losses[ADAPTIVE] for fold in evaluation.folds], "trees": trees}
    combined = [fold.losses[AGGREGATION] for fold in evaluation.folds]
    lowest = [_find_lowest(both) for both in zip(*experts.values(), strict=True)]
    lines = {f"`{AGGREGATION}`": combined, **experts}
    yield _write_table(heads, [[name, *map(_format_both, own, lowest)] for name, own in lines.items()])


def _write_tuned(evaluation: Evaluation, tuned: Sequence[TunedBlend]) -> Iterator[str]:
    yield "## Against a better-tuned reference"
    yield (
        f"`{REFERENCE}` has a decay of {DECAY} and a share of {RECENT_SHARE} everywhere. A worse reference would "
        f"flatter every kind, so it is tuned here on the sessions before each fold ({len(DECAYS) * len(RECENT_SHARES)} "
        "pairs of decay and share, the lowest sum of both losses), and every kind is measured against the better of "
        "the two in each fold, daily / cumulative in per cent. Other forms of it were [tried](experiments.md): what "
        "gained 0.1 % before 2017 lost more in 2017."
    )
    heads = ["kind", *(f"{fold.first} to {fold.last}" for fold in evaluation.folds)]
    chosen = ["decay and share", *(f"{one.decay:g}, {one.recent_share:g}" for one in tuned)]
    pairs = list(zip(evaluation.folds, tuned, strict=True))
    against = ["tuned against fixed", *(_format_both(one.losses, fold.losses[REFERENCE]) for fold, one in pairs)]
    better = [_find_lowest([one.losses, fold.losses[REFERENCE]]) for fold, one in pairs]
    kinds = [_list_against(evaluation, line.score.name, better) for line in evaluation.lines]
    yield _write_table(heads, [chosen, against, *kinds])


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
    return [_write_name(score.name), *(f"{100 * share:.1f}" for share in shares), ends]


def _write_breaks(evaluation: Evaluation, breaks: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield "## Coverage before, in and after two breaks"
    yield (
        "The same interval: of all rows; of the calm, the middle and the volatile third of its date; of the lowest and "
        "the highest sector with at least 14 tickers. In: the first 60 origins, from the close of the first session of "
        "the break on; after: the next 60 (of 2018-02-02 36, up to the end of the bars); before: 60 whose outcomes end "
        "before it."
    )
    first, second = BREAKS
    heads = ["kind", *(f"{day}: {part}" for day, parts in ((first, PARTS[1:]), (second, PARTS)) for part in parts)]
    names = [line.score.name for line in evaluation.lines]
    yield _write_table(heads, [[_write_name(name), *breaks[name]] for name in names])


def _write_bets(evaluation: Evaluation) -> Iterator[str]:
    yield "## What a book would bet on"
    yield (
        "The rank correlation of each kind's score (median over width) with traits of a ticker, mean over sessions: "
        "what a book made by that score would bet on. `ten_by_ten` opens nothing where the score does not rank. "
        "Return: the correlation with the return of the next seven sessions and its t statistic; after costs: what the "
        "best less the worst tenth earns in them, per cent with 95 % interval."
    )
    heads = ["kind", "ranks", "return (t)", "after costs", *(trait.replace("_", " ") for trait in Trait)]
    yield _write_table(heads, [_list_bets(line) for line in evaluation.lines])


def _list_bets(line: ForecastLine) -> list[str]:
    bets = [format_bet(line, trait) for trait in Trait]
    evidence = line.score.evidence
    ranked = [format_ranks(evidence), format_rank(evidence), format_after_costs(evidence)]
    return [_write_name(line.score.name), *ranked, *bets]


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
    dataset = load_real_dataset(given.data)
    evaluation = run_walk_forward(dataset, PLAN, given.cache)
    breaks = cover_breaks(dataset, given.cache)
    PAGE.write_text(write_page(evaluation, compare_folds(dataset, evaluation), breaks))


if __name__ == "__main__":
    main()
