"""Play rounds of chaos and check what must hold after each; ends with 1 when something is broken.

    PYTHONPATH=$PWD uv run --directory tests python -m chaos --rounds 200 --seed 1

Each fund trades `--lap` sessions, then a new one is opened: every other one as at a broker, where the scheduler alone
announces a session, with the stream of order updates and delayed bars; the others with the events of their exchange.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from chaos.laps import Lap, Played
from chaos.supervised_fund import PATIENCE_SECONDS
from fund.interrupts import INTERRUPTED, INTERRUPTS


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="how many sessions are played (20)")
    parser.add_argument("--first-round", type=int, default=1, help="the number of the first of them (1)")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn follows from it (1)")
    parser.add_argument("--lap", type=int, default=20, help="how many of them one fund plays (20)")
    parser.add_argument("--events", choices=("none", "realistic", "frequent"), default="realistic")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_SECONDS, help="seconds until something is stuck (240)"
    )
    parser.add_argument("--folder", type=Path, help="where the funds are; one in which something broke stays there")
    return parser.parse_args()


def play(arguments: argparse.Namespace) -> Iterator[Played]:
    """All rounds; a lap that something broke ends early, and the next one goes on after it."""
    folder: Path = arguments.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    number, end, place = arguments.first_round, arguments.first_round + arguments.rounds, 0
    while number < end:
        numbers = range(number, min(number + arguments.lap, end))
        lap = Lap(arguments.seed, numbers, place, arguments.events, folder / f"fund-{number}", arguments.patience)
        for played in lap.play():
            number = played.number + 1
            yield played
        place += 1


def main() -> int:
    """Play, show progress, and say what is broken; the exit status."""
    INTERRUPTS.install()
    arguments, console, broken = parse_arguments(), Console(), 0
    columns = (TextColumn("rounds"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=arguments.rounds)
        for played in play(arguments):
            progress.advance(task)
            broken += bool(played.broken)
            for sentence in played.broken:
                console.print(f"[red]broken[/red]  round {played.number}: {escape(sentence)}", soft_wrap=True)
            if played.broken:
                console.print(f"         {escape(played.text)}", soft_wrap=True)
    console.print(f"{arguments.rounds} rounds of seed {arguments.seed}, {broken} of them broken")
    return 1 if broken else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # the services have been ended
        sys.exit(INTERRUPTED)
