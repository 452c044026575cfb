"""What a reader understood of a file, what it left out and why, for the person whose file it is."""

import textwrap
from dataclasses import dataclass
from datetime import date

WIDTH = 80  # columns of a terminal
SHOWN_JUMPS = 3
SHOWN_IGNORED = 8


@dataclass(frozen=True)
class LeftOut:
    """Rows that are not used: why, how many, and the first of them as the file numbers them."""

    reason: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class SplitLikeJump:
    """A price that jumps overnight by the ratio of a split: `close` / `open` of the next session."""

    ticker: str
    date: date
    ratio: float
    close: float
    open: float


@dataclass(frozen=True)
class ReadReport:
    """What became of a file of bars or details.

    Attributes:
        name: The file or folder.
        description: Its kind, in a few words.
        columns: Each known column with its name in the file.
        ignored_columns: The other columns of the file.
        rows_read: The rows of the file.
        rows_used: Those in the frame.
        tickers: The number of different tickers in the frame.
        dates: How the dates are written; None of details.
        numbers: How the numbers are written, where they are not plain.
        first_session: Of the bars; None of details.
        last_session: Of the bars; None of details.
        sessions: The number of different days in the frame.
        left_out: The rows that are not used, by reason.
        outside_range: Bars that are used although open, close or average price is outside low..high.
        jumps: Prices that look as if a split was not adjusted.
        notes: What else was done to read the file.
    """

    name: str
    description: str
    columns: tuple[tuple[str, str], ...]
    ignored_columns: tuple[str, ...]
    rows_read: int
    rows_used: int
    tickers: int
    dates: str | None = None
    numbers: str | None = None
    first_session: date | None = None
    last_session: date | None = None
    sessions: int = 0
    left_out: tuple[LeftOut, ...] = ()
    outside_range: int = 0
    jumps: tuple[SplitLikeJump, ...] = ()
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The report as lines of at most 80 columns."""
        return [line for sentence in self.sentences() for line in _wrap(sentence)]

    def sentences(self) -> list[str]:
        """The report, one line each that is not wrapped yet."""
        columns = ", ".join(known if known == name else f"{known} from `{name}`" for known, name in self.columns)
        return [
            f"{self.name}: {self.description}",
            f"columns: {columns}",
            *self._understood(),
            self._totals(),
            *[_describe_left_out(one) for one in self.left_out],
            *self._warnings(),
        ]

    def _understood(self) -> list[str]:
        shown = ", ".join(f"`{name}`" for name in self.ignored_columns[:SHOWN_IGNORED])
        more = len(self.ignored_columns) - SHOWN_IGNORED
        lines = [f"columns not used: {shown}" + (f" and {more} more" if more > 0 else "")] * bool(shown)
        lines += [f"dates: {self.dates}"] * bool(self.dates)
        lines += [f"numbers: {self.numbers}"] * bool(self.numbers)
        return [*lines, *self.notes]

    def _totals(self) -> str:
        used = f"used: {self.rows_used:,} of {_count(self.rows_read, 'row')}, {_count(self.tickers, 'ticker')}"
        if self.first_session is None:
            return used
        return f"{used}, {_count(self.sessions, 'session')} from {self.first_session} to {self.last_session}"

    def _warnings(self) -> list[str]:
        lines = [f"used although a price is outside low..high: {_count(self.outside_range, 'row')}"]
        lines *= bool(self.outside_range)
        for jump in self.jumps[:SHOWN_JUMPS]:
            lines.append(
                f"not adjusted for a split? {jump.ticker} {jump.date}: {jump.close:g} to {jump.open:g}, "
                f"ratio {jump.ratio:.4g}"
            )
        more = len(self.jumps) - SHOWN_JUMPS
        return [*lines, *[f"and {more:,} more such jumps"] * (more > 0)]


def _describe_left_out(rows: LeftOut) -> str:
    examples = f" (first: {'; '.join(rows.examples)})" if rows.examples else ""
    return f"left out: {_count(rows.count, 'row')}, {rows.reason}{examples}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _wrap(sentence: str) -> list[str]:
    return textwrap.wrap(sentence, WIDTH - 2, subsequent_indent="  ", break_on_hyphens=False)
