"""The lines that the proofs leave: each says what was proved, with its figures; all are shown when the run ends.

Knows text. Knows nothing of what is proved.
"""

LINES: list[str] = []


def tell(line: str) -> None:
    """Keep a line for the end of the run, and for whoever reads a failed test's output."""
    LINES.append(line)
