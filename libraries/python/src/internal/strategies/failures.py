"""What a person reads when a strategy fails: a sentence, and the traceback from the strategy's own file on."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from textwrap import shorten, wrap
from traceback import FrameSummary, StackSummary, extract_tb, format_exception_only

from polars.exceptions import PanicException

from internal.errors import FundError

FAILURES = (Exception, SystemExit, PanicException)  # a panic of Polars is no Exception
WIDTH = 80  # columns of a terminal
INDENT = 4  # of a source line in a traceback


def describe_failure(name: str, day: date, error: BaseException, file: Path) -> str:
    """What happened in a decision, and what follows of it."""
    summary = f"the strategy {name} failed on {day}: nothing is decided or sent for this session"
    return f"{summary}\n{describe_error(error, file)}"


def describe_error(error: BaseException, file: Path) -> str:
    """The error in lines of at most 80 columns, with the frames of the strategy's file and the last one after them.

    An error that the fund itself raised about what the strategy answered has no such frame: it is its sentence alone.
    """
    frames = list(_own_frames(error, file))
    if not frames and isinstance(error, FundError):
        return "\n".join(wrap(error.detail, WIDTH))
    header = ["Traceback (most recent call last):", *_format(frames, file)] if frames else []
    return "\n".join([*header, *_message_lines(error)])


def _own_frames(error: BaseException, file: Path) -> Iterator[FrameSummary]:
    """The frames of the file, and where the error was raised when that is elsewhere."""
    own, frames = file.resolve(), list(extract_tb(error.__traceback__))
    found = [place for place, frame in enumerate(frames) if Path(frame.filename).resolve() == own]
    yield from (frames[place] for place in found)
    if found and found[-1] < len(frames) - 1:
        yield frames[-1]


def _format(frames: list[FrameSummary], file: Path) -> list[str]:
    """The usual two lines a frame; the strategy's file as it was named, others shortened, without marks below."""
    own = file.resolve()
    short = [
        FrameSummary(
            str(file) if Path(frame.filename).resolve() == own else _short_path(frame.filename),
            frame.lineno,
            frame.name,
            line=shorten(frame.line or "", WIDTH - INDENT, placeholder=" ..."),
        )
        for frame in frames
    ]
    return "".join(StackSummary.from_list(short).format()).splitlines()


def _short_path(name: str) -> str:
    """The file and its folder: enough to find it, short enough to read."""
    return str(Path(*Path(name).parts[-2:]))


def _message_lines(error: BaseException) -> list[str]:
    lines = "".join(format_exception_only(error)).rstrip().splitlines()
    if isinstance(error, SyntaxError):
        return lines  # the mark below the source line must stay where it is
    return [part for line in lines for part in _wrap(line)]


def _wrap(line: str) -> list[str]:
    return wrap(line, WIDTH, subsequent_indent="  ") or [""]
