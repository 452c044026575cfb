"""What `cold_forecast` and `full_forecast` share: the figures of a round, their table, the folder of model and bars.

The cold process imports this before anything is timed: it needs the standard library alone.
"""

import argparse
import statistics
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Round:
    """Seconds in all and by part by the clock, and of processor time; the peak of memory, and the foreign load."""

    whole: float
    parts: dict[str, float]
    processor: float
    megabytes: float
    foreign: float = 0.0


@contextmanager
def open_inputs(description: str | None) -> Generator[tuple[Path, int]]:
    """The folder with model and bars, made where it is empty, and how many rounds are asked for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where model and bars are kept, and found the next time")
    asked = parser.parse_args()
    with nullcontext(asked.folder) if asked.folder else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not (folder / "artifact").exists():
            from benchmarks.once import make_artifact  # noqa: PLC0415 (the measured process needs none of it)

            folder.mkdir(parents=True, exist_ok=True)
            make_artifact(folder)
        yield folder, asked.rounds


def show(title: str, rounds: Sequence[Round], must: float) -> None:
    """Print the medians and the slowest."""
    from rich.console import Console  # noqa: PLC0415 (the measured process needs none of it)
    from rich.table import Table  # noqa: PLC0415 (as above)

    table = Table(title, "median", "slowest")

    def add(name: str, values: Sequence[float], form: str) -> None:
        table.add_row(name, form.format(statistics.median(values)), form.format(max(values)))

    for name in rounds[0].parts:
        add(name, [one.parts[name] for one in rounds], "{:.2f} s")
    add("processor time", [one.processor for one in rounds], "{:.2f} s")
    add("peak of memory", [one.megabytes for one in rounds], "{:.0f} MB")
    add("foreign load", [one.foreign for one in rounds], "{:.2f} cores")
    add(f"whole, must be under {must} s", [one.whole for one in rounds], "{:.2f} s")
    Console().print(table)
