"""Record the cases, or run them again and compare with what was recorded.

    PYTHONPATH=$PWD uv run --directory tests python -m parity record seed-1
    PYTHONPATH=$PWD uv run --directory tests python -m parity compare seed-1 real

Without names, all cases are run, one after the other. `compare` ends with 1 when there is a difference.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from parity.cases import CASES
from parity.comparison import Difference, Kind, compare
from parity.recording import RECORDED, load, save
from parity.running import RunFailedError, run

SHOWN = 8  # differences shown of one field of one table; the others are counted


@dataclass
class Arguments(argparse.Namespace):
    """The command line."""

    command: str = ""
    names: Sequence[str] = ()
    folder: Path | None = None


def arguments() -> Arguments:
    """The command line, parsed."""
    parser = argparse.ArgumentParser(
        prog="parity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["record", "compare"])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(CASES)}; all of them without a name")
    parser.add_argument(
        "--folder", type=Path, help="Where the new recordings are saved (record: tests/parity/recorded)"
    )
    parsed = parser.parse_args(namespace=Arguments())
    if unknown := set(parsed.names) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    return parsed


def record(name: str, folder: Path) -> None:
    """Run a case and save its recording."""
    recording = run(CASES[name])
    path = save(recording, folder)
    say(f"{name}: saved to {path}, {path.stat().st_size / 1000:.0f} kB")
    for table, rows in recording.counts().items():
        say(f"  {rows:6d} rows of {table}")


def check(name: str, folder: Path | None) -> bool:
    """Run a case again and tell how it differs from its recording; whether it does not."""
    recorded, repeated = load(name), run(CASES[name])
    if folder is not None:
        save(repeated, folder)
    differences = compare(recorded, repeated)
    tell(differences)
    counts = Counter(difference.kind for difference in differences)
    rows = sum(recorded.counts().values())
    say(
        f"{name}: {rows} rows compared, {counts[Kind.FAILURE]} differences, {counts[Kind.DOCUMENTED]} documented "
        f"differences, {counts[Kind.NOTE]} notes"
    )
    return counts[Kind.FAILURE] == 0


def tell(differences: Sequence[Difference]) -> None:
    """Print the differences, the first few of each field."""
    shown: Counter[tuple[str, str, Kind]] = Counter()
    for difference in differences:
        group = (difference.table, difference.field, difference.kind)
        shown[group] += 1
        if shown[group] <= SHOWN:
            say(f"{difference.kind}: {difference.sentence()}")
    for (table, field, kind), count in shown.items():
        if count > SHOWN:
            say(f"{kind}: {table}, field {field}: {count - SHOWN} more that are not shown.")


def say(sentence: str) -> None:
    """Print at once, also into a file."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def main() -> int:
    """Record or compare; the exit code."""
    asked = arguments()
    names = asked.names or list(CASES)
    if asked.command == "record":
        for name in names:
            record(name, asked.folder or RECORDED)
        return 0
    same = [check(name, asked.folder) for name in names]  # every case, also after one that differs
    return 0 if all(same) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RunFailedError as error:
        sys.exit(str(error))
