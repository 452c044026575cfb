"""Terminal output of the commands: progress bars and the tables of an evaluation."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Column, Table

from models.evaluation import REFERENCE, Evaluation, ForecastLine
from models.evaluation_texts import (
    EVIDENCE_NOTE,
    format_after_costs,
    format_before_costs,
    format_bet,
    format_interval,
    format_rank,
    format_ranks,
)
from models.progress import OnProgress, Progress
from models.scoring import Score
from models.traits import Trait

LONGEST_BAR: Final = 40
SHORTEST_BAR: Final = 8
BESIDE_BAR: Final = 82  # columns of a step's name, the time left and the longest text


@contextmanager
def show_progress_bars(console: Console) -> Generator[OnProgress]:
    """Show one bar a step, with the time left, which is never cut, and the text of its last message."""
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(min(LONGEST_BAR, max(SHORTEST_BAR, console.width - BESIDE_BAR))),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[text]}", table_column=Column()),
    )
    with Bars(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            if progress.step not in tasks:
                tasks[progress.step] = bars.add_task(
                    progress.step, total=progress.total, completed=int(progress.done), text=""
                )  # units of an interrupted run are completed at the start and do not count for the speed
            task = tasks[progress.step]
            bars.update(task, completed=progress.done, total=progress.total, text=progress.text)

        yield show


def print_evaluation(console: Console, evaluation: Evaluation) -> None:
    """Print the tables, the best baseline first, and the verdict."""
    console.print(
        f"Evaluated on {evaluation.first} to {evaluation.last}: {evaluation.rows:,} origins of {evaluation.tickers} "
        "tickers; mean pinball loss x 1e-4 of daily and of cumulative returns, differences in % with 95 % intervals\n"
    )
    tables = [_make_losses_table(evaluation, measure) for measure in ("daily", "cumulative")]
    tables += [
        _make_coverage_table(evaluation),
        _make_sectors_table(evaluation),
        _make_evidence_table(evaluation),
        _make_bets_table(evaluation),
        *([_make_folds_table(evaluation)] if len(evaluation.folds) > 1 else []),
    ]
    for table in tables:
        console.print(table, "")
    console.print(EVIDENCE_NOTE)
    for sentence in evaluation.verdict:
        console.print(sentence)


def _make_losses_table(evaluation: Evaluation, measure: str) -> Table:
    table = _make_table(evaluation, measure, f"against {evaluation.best_baseline}", f"against {REFERENCE}")
    for line in evaluation.lines:
        loss, differences = (
            (line.score.daily, (line.daily_difference, line.daily_against_reference))
            if measure == "daily"
            else (line.score.cumulative, (line.cumulative_difference, line.cumulative_against_reference))
        )
        _add_row(table, evaluation, line, f"{1e4 * loss:.2f}", *map(_shorten(format_interval), differences))
    return table


def _shorten[T](text_of: Callable[[T], str]) -> Callable[[T], str]:
    """The same text with a comma alone between the bounds of an interval, so that no line breaks in it."""
    return lambda value: text_of(value).replace(" to ", ",")


def _make_coverage_table(evaluation: Evaluation) -> Table:
    """Coverage, also of thirds by volatility (calm first) of all rows and of each date's rows."""
    table = _make_table(evaluation, "80 % coverage", "thirds", "of each date")
    for line in evaluation.lines:
        score = line.score
        thirds = [
            " ".join(f"{100 * share:.1f}" for share in one)
            for one in (score.coverage_by_volatility, score.coverage_within_date)
        ]
        _add_row(table, evaluation, line, f"{100 * score.coverage:.1f}", *thirds)
    return table


def _make_sectors_table(evaluation: Evaluation) -> Table:
    """The sectors whose coverage is lowest and highest."""
    table = _make_table(evaluation, "lowest sector", "highest sector")
    for line in evaluation.lines:
        _add_row(table, evaluation, line, *_format_lowest_and_highest_sector(line.score))
    return table


def _make_evidence_table(evaluation: Evaluation) -> Table:
    """What a book made from each forecast's ranking earns."""
    table = _make_table(evaluation, "ranks", "rank (t)", "spread", "after costs")
    formats = (format_ranks, format_rank, format_before_costs, _shorten(format_after_costs))
    for line in evaluation.lines:
        _add_row(table, evaluation, line, *(one(line.score.evidence) for one in formats))
    return table


def _make_bets_table(evaluation: Evaluation) -> Table:
    """What it bets on."""
    table = _make_table(evaluation, *Trait)
    for line in evaluation.lines:
        _add_row(table, evaluation, line, *(format_bet(line, trait) for trait in Trait))
    return table


def _format_lowest_and_highest_sector(score: Score) -> list[str]:
    """The sectors with the lowest and the highest coverage."""
    shares = sorted(score.coverage_by_sector.items(), key=lambda sector: sector[1])
    if not shares:
        return ["no sector is known"] * 2
    return [f"{name.capitalize()} {100 * share:.1f}" for name, share in (shares[0], shares[-1])]


def _make_folds_table(evaluation: Evaluation) -> Table:
    """Daily and cumulative loss of each fold."""
    table = _make_table(evaluation, *(f"{fold.first} to {fold.last}" for fold in evaluation.folds))
    for line in evaluation.lines:
        losses = [fold.losses[line.score.name] for fold in evaluation.folds]
        _add_row(
            table, evaluation, line, *(f"{1e4 * daily:.3f} / {1e4 * cumulative:.3f}" for daily, cumulative in losses)
        )
    return table


def _make_table(evaluation: Evaluation, *headings: str) -> Table:
    """A table that is whole at 80 columns: what does not fit into a line goes on in the next one, nothing is cut."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    words = [word for line in evaluation.lines for word in line.score.name.split()]
    table.add_column("forecast", width=max(map(len, words), default=0))
    for heading in headings:
        table.add_column(heading.replace("_", " "), justify="right", overflow="fold")
    return table


def _add_row(table: Table, evaluation: Evaluation, line: ForecastLine, *cells: str) -> None:
    table.add_row(line.score.name, *cells, style="bold" if line.score.name == evaluation.model else None)
