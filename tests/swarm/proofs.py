"""The results of the Swarm tests, one line each with its figures, shown together at the end of the run."""

LINES: list[str] = []


def tell(line: str) -> None:
    """Keep a line for the end of the run, and for whoever reads a failed test's output."""
    LINES.append(line)
