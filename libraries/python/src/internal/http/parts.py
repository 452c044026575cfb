"""Several bodies in one response (`multipart/mixed`, RFC 2046), each with its length, written and read as a stream.

A part is held in memory while it is read; none is while it is written, where it is a file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from internal.errors import UpstreamError

PARTS = "multipart/mixed"
BOUNDARY = "part-of-the-table"
LINE_END = b"\r\n"
FIRST_LINE = f"--{BOUNDARY}\r\n".encode()  # of each part
LAST_LINE = f"--{BOUNDARY}--\r\n".encode()
MOST_OF_A_LINE = 1_000  # bytes
ENDED = "the answer ended before its last part was complete; ask again"
CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Part:
    """One body: its media type, and its content or the file that holds it."""

    media_type: str
    content: bytes | Path

    def read(self) -> bytes:
        """The content."""
        return self.content.read_bytes() if isinstance(self.content, Path) else self.content


def write_parts(parts: Iterable[Part]) -> Iterator[bytes]:
    """The body of a response."""
    for part in parts:
        yield _write_head(part)
        if isinstance(part.content, Path):
            yield from _read_file(part.content)
        else:
            yield part.content
        yield LINE_END
    yield LAST_LINE


def measure_parts(parts: Iterable[Part]) -> int:
    """The length of the body in bytes."""
    return sum(len(_write_head(part)) + _length(part) + len(LINE_END) for part in parts) + len(LAST_LINE)


def read_parts(body: BinaryIO) -> Iterator[Part]:
    """The parts of a body as they arrive; UpstreamError for a body that ends early or is no such body."""
    while (head := _read_line(body)) != LAST_LINE:
        headers = _read_headers(body) if head == FIRST_LINE else {}
        length = headers.get("content-length", "")
        if not length.isdecimal():
            raise UpstreamError(f"the answer is not the announced {PARTS}: {head[:60]!r} instead of a part")
        yield Part(headers.get("content-type", ""), _read(body, int(length)))
        _read(body, len(LINE_END))


def _write_head(part: Part) -> bytes:
    return FIRST_LINE + f"Content-Type: {part.media_type}\r\nContent-Length: {_length(part)}\r\n\r\n".encode()


def _length(part: Part) -> int:
    return part.content.stat().st_size if isinstance(part.content, Path) else len(part.content)


def _read_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _read_headers(body: BinaryIO) -> dict[str, str]:
    """Up to the empty line, by lower-case name."""
    headers: dict[str, str] = {}
    while (line := _read_line(body)) != LINE_END:
        name, _, value = line.decode("ascii", errors="replace").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _read_line(body: BinaryIO) -> bytes:
    line = body.readline(MOST_OF_A_LINE)
    if not line or (len(line) < MOST_OF_A_LINE and not line.endswith(LINE_END)):
        raise UpstreamError(ENDED)
    return line


def _read(body: BinaryIO, length: int) -> bytes:
    content = body.read(length)
    if len(content) < length:
        raise UpstreamError(ENDED)
    return content
