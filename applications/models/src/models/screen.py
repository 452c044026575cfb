"""What the commands print: progress bars and the evaluation's table.

Knows a terminal. Measures and decides nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from models.evaluate import Evaluation
from models.progress import OnProgress, Progress


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
    """The table, best first, and the verdict below it."""
    title = (
        f"Held out {evaluation.first} to {evaluation.last}: {evaluation.rows:,} origins of {evaluation.tickers} "
        "tickers; mean pinball loss x 1e-4"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("forecast", no_wrap=True)
    for heading in ("daily", "cumulative", "against the best", "80 % covers"):
        table.add_column(heading, justify="right")
    for line in evaluation.lines:
        difference, lower, upper = line.cumulative_difference
        table.add_row(
            line.score.name,
            f"{1e4 * line.score.daily:.3f}",
            f"{1e4 * line.score.cumulative:.3f}",
            f"{difference:+.2f} % ({lower:+.1f}..{upper:+.1f})",
            f"{100 * line.score.coverage:.1f} %",
            style=None if line.is_baseline else "bold",
        )
    console.print(table)
    for sentence in evaluation.verdict:
        console.print(sentence)
