"""How a CSV file is written: its encoding, the separator of its columns, the lines that are no rows."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass

from internal.bar_files.columns import is_known_name
from internal.bar_files.errors import TableFileError

SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_LINE = "sep="  # the first line of files that Excel wrote for Excel
COMMENT = "#"


@dataclass(frozen=True)
class Dialect:
    """One CSV file's way of writing.

    Attributes:
        separator: Between two columns.
        header: The names of the columns.
        header_line: The line that holds them, counted from 1.
        header_start: The byte at which that line begins.
        notes: The lines above the header that were skipped.
    """

    separator: str
    header: tuple[str, ...]
    header_line: int
    header_start: int
    notes: tuple[str, ...]


def decode_text(content: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """The file as UTF-8 without a byte order mark, and a note where it was written in another encoding.

    Raises:
        TableFileError: The bytes are no text.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _convert(content, "utf-16", "UTF-16", name)
    content = content.removeprefix(codecs.BOM_UTF8)
    if b"\0" in content[:4096]:
        raise TableFileError(f"{name}: this is no text; a CSV file was expected by its name")
    if content.isascii() or _is_utf8(content):
        return content, ()
    return _convert(content, "cp1252", "Windows-1252", name)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _convert(content: bytes, encoding: str, title: str, name: str) -> tuple[bytes, tuple[str, ...]]:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise TableFileError(
            f"{name}: the text is neither UTF-8 nor {title} (byte {error.start}); save it as UTF-8"
        ) from error
    return text.removeprefix("\ufeff").encode(), (f"the text is {title}",)


def read_dialect(content: bytes, name: str) -> Dialect:
    """The dialect of a file, from its first lines.

    Raises:
        TableFileError: The file has no line with names of columns, or several.
    """
    stated = None
    lines = _lines_of(content)
    for number, (start, line) in enumerate(lines, start=1):
        if line.lower().startswith(SEPARATOR_LINE) and len(line) == len(SEPARATOR_LINE) + 1:
            stated = line[-1]
        elif line.strip() and not line.startswith(COMMENT):
            separator = stated or _find_separator(line)
            header = tuple(cell.strip() for cell in _split(line, separator))
            _refuse_second_header(header, next(lines, (0, ""))[1], number, name)
            return Dialect(separator, header, number, start, _skipped_note(number - 1))
    raise TableFileError(f"{name}: the file is empty; expected a line with the names of the columns, then the rows")


def _lines_of(content: bytes) -> Iterator[tuple[int, str]]:
    """Each line with the byte at which it begins."""
    start = 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        yield start, content[start:end].decode(errors="replace").strip("\r\n")
        start = end + 1


def _refuse_second_header(header: tuple[str, ...], below: str, number: int, name: str) -> None:
    """Refuse the header of three lines that yfinance writes: the tickers are in its second line."""
    if header[0] == "Price" and below.startswith("Ticker"):
        raise TableFileError(
            f"{name}: lines {number} and {number + 1} are both headers, as yfinance writes them; download one ticker a "
            "file with multi_level_index=False, and give the folder of the files"
        )


def _skipped_note(count: int) -> tuple[str, ...]:
    lines = "line" if count == 1 else f"{count} lines"
    return (f"skipped the {lines} above the names of the columns",) if count else ()


def _find_separator(header: str) -> str:
    """The separator that gives the most known names, then the most names; a comma where none does."""

    def score(separator: str) -> tuple[int, int]:
        cells = _split(header, separator)
        return sum(is_known_name(cell) for cell in cells), len(cells)

    return max(SEPARATORS, key=score)


def _split(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator))
