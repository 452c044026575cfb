"""What the commands print: progress bars and the evaluation's tables.

Knows a terminal. Measures and decides nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from models.comparison import REFERENCE, Evaluation, Line
from models.progress import OnProgress, Progress
from models.report import interval, rank
from models.scoring import Score


@contextmanager
def progress_bars(console: Console) -> Iterator[OnProgress]:
    """One bar a step, with the time left and what the step says of itself."""
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}"),
    )
    with Bars(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            if progress.step not in tasks:
                tasks[progress.step] = bars.add_task(
                    progress.step, total=progress.total, completed=int(progress.done), text=""
                )  # what an earlier run has done says nothing of this one's speed
            task = tasks[progress.step]
            bars.update(task, completed=progress.done, total=progress.total, text=progress.text)

        yield show


def print_evaluation(console: Console, evaluation: Evaluation) -> None:
    """The tables, the best baseline first, and the verdict below them."""
    console.print(
        f"Judged {evaluation.first} to {evaluation.last}: {evaluation.rows:,} origins of {evaluation.tickers} tickers; "
        "mean pinball loss x 1e-4, differences in % with 95 % intervals"
    )
    tables = [_losses(evaluation, measure) for measure in ("daily", "cumulative")]
    tables += [_coverage(evaluation), *([_folds(evaluation)] if len(evaluation.folds) > 1 else [])]
    for table in tables:
        console.print(table)
    for sentence in evaluation.verdict:
        console.print(sentence)


def _losses(evaluation: Evaluation, measure: str) -> Table:
    table = _table(evaluation.lines[0].score.name, f"{measure} returns", "against the best", f"against {REFERENCE}")
    for line in evaluation.lines:
        loss, differences = (
            (line.score.daily, (line.daily_difference, line.daily_against_reference))
            if measure == "daily"
            else (line.score.cumulative, (line.cumulative_difference, line.cumulative_against_reference))
        )
        _add(table, evaluation, line, f"{1e4 * loss:.3f}", *map(interval, differences))
    return table


def _coverage(evaluation: Evaluation) -> Table:
    """Thirds by volatility, calm first: of all rows, and of each date's own rows; the worst and the best sector."""
    table = _table(
        evaluation.lines[0].score.name,
        "80 % covers",
        "thirds",
        "of each date",
        "worst sector",
        "best sector",
        "rank (t)",
    )
    for line in evaluation.lines:
        score = line.score
        thirds = [
            " ".join(f"{100 * share:.1f}" for share in one)
            for one in (score.coverage_by_volatility, score.coverage_within_date)
        ]
        _add(table, evaluation, line, f"{100 * score.coverage:.1f}", *thirds, *_sectors(score), rank(line))
    return table


def _sectors(score: Score) -> list[str]:
    """The sector that is covered least, and the one that is covered most."""
    shares = sorted(score.coverage_by_sector.items(), key=lambda sector: sector[1])
    worst_and_best = [shares[0], shares[-1]] if shares else [("none known", float("nan"))] * 2
    return [f"{name.capitalize()} {100 * share:.1f}" for name, share in worst_and_best]


def _folds(evaluation: Evaluation) -> Table:
    """Daily and cumulative loss in each fold."""
    table = _table(evaluation.lines[0].score.name, *(f"{fold.first} to {fold.last}" for fold in evaluation.folds))
    for line in evaluation.lines:
        losses = [fold.losses[line.score.name] for fold in evaluation.folds]
        _add(table, evaluation, line, *(f"{1e4 * daily:.3f} / {1e4 * cumulative:.3f}" for daily, cumulative in losses))
    return table


def _table(best: str, *headings: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column("forecast", no_wrap=True)
    for heading in headings:
        table.add_column(heading.replace("the best", best), justify="right")
    return table


def _add(table: Table, evaluation: Evaluation, line: Line, *cells: str) -> None:
    table.add_row(line.score.name, *cells, style="bold" if line.score.name == evaluation.model else None)
