"""How a request for many symbols and sessions is cut, so that addresses stay short and pages are full. Pure."""

from collections.abc import Sequence
from datetime import date

from internal.dates import next_session

PAGE_POINTS = 10_000
ADDRESS_CHARACTERS = 6_000  # of the symbols in an address; servers accept 8,000 in all
ENCODED_COMMA = 3


def cut_runs(sessions: Sequence[date]) -> list[list[date]]:
    """The sessions in runs without a session missing between them: a range is asked for, not a list of days."""
    runs: list[list[date]] = []
    for session in sessions:
        if runs and session == next_session(runs[-1][-1]):
            runs[-1].append(session)
        else:
            runs.append([session])
    return runs


def cut_symbols(symbols: Sequence[str], session_count: int) -> list[list[str]]:
    """The symbols in lists that fit an address, each a multiple of what fills a page where that fits."""
    full_page = max(PAGE_POINTS // session_count, 1)
    chunks: list[list[str]] = []
    position = 0
    while position < len(symbols):
        fitting = _count_fitting(symbols, position)
        count = fitting // full_page * full_page or fitting
        chunks.append(list(symbols[position : position + count]))
        position += count
    return chunks


def _count_fitting(symbols: Sequence[str], position: int) -> int:
    """How many symbols from the position on an address takes; at least one."""
    characters = count = 0
    for symbol in symbols[position:]:
        characters += len(symbol) + ENCODED_COMMA
        if characters > ADDRESS_CHARACTERS and count:
            break
        count += 1
    return count
