"""The notes of a run for a reader: one that comes up in many sessions is written once."""

from collections import Counter
from collections.abc import Iterable

from internal.backtests.report_rows import Note


def write_notes(notes: Iterable[Note]) -> list[str]:
    """Each text once, in the order they came up, with its first session and in how many sessions it came up."""
    days = {(note.text, note.day): None for note in notes}
    counts = Counter(text for text, _ in days)
    first = dict(reversed(days))
    return [
        f"{first[text]}: {text}" + (f" (first of {count:,} sessions)" if count > 1 else "")
        for text, count in counts.items()
    ]
