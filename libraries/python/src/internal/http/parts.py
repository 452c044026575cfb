"""Several bodies in one response (`multipart/mixed`, RFC 2046), each with its length, written and read as a stream.

A part is held in memory while it is read; none is while it is written, where it is a file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from internal.errors import UpstreamError

PARTS = "multipart/mixed"
BOUNDARY = "part-of-the-table"
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
        length = part.content.stat().st_size if isinstance(part.content, Path) else len(part.content)
        yield f"--{BOUNDARY}\r\nContent-Type: {part.media_type}\r\nContent-Length: {length}\r\n\r\n".encode()
        if isinstance(part.content, Path):
            yield from _read_file(part.content)
        else:
            yield part.content
        yield b"\r\n"
    yield f"--{BOUNDARY}--\r\n".encode()


def read_parts(body: Iterable[bytes]) -> Iterator[Part]:
    """The parts of a body as they arrive; UpstreamError for a body that ends early or is no such body."""
    stream = _Stream(iter(body))
    while True:
        head = stream.read_line()
        if head == f"--{BOUNDARY}--":
            return
        headers = stream.read_headers() if head == f"--{BOUNDARY}" else {}
        length = headers.get("content-length", "")
        if not length.isdecimal():
            raise UpstreamError(f"the answer is not the announced {PARTS}: {head[:60]!r} instead of a part")
        yield Part(headers.get("content-type", ""), stream.read(int(length)))
        stream.read(len(b"\r\n"))


def _read_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


class _Stream:
    """Bytes as they arrive, read by line or by length."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._pending = b""

    def read_line(self) -> str:
        """Up to the next end of a line, without it."""
        while b"\r\n" not in self._pending:
            self._pending += self._receive()
        line, _, self._pending = self._pending.partition(b"\r\n")
        return line.decode("ascii", errors="replace")

    def read_headers(self) -> dict[str, str]:
        """Up to the empty line, by lower-case name."""
        headers: dict[str, str] = {}
        while line := self.read_line():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return headers

    def read(self, length: int) -> bytes:
        """So many bytes."""
        received, size = [self._pending], len(self._pending)
        while size < length:
            received.append(self._receive())
            size += len(received[-1])
        whole = b"".join(received)
        self._pending = whole[length:]
        return whole[:length]

    def _receive(self) -> bytes:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise UpstreamError("the answer ended before its last part was complete; ask again")
        return chunk
