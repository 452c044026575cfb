"""Reads how large the record batches of an Arrow stream are from its messages' metadata, without unpacking any.

The layout is that of https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc;
the metadata are flatbuffers (https://flatbuffers.dev/internals/).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

CONTINUATION = 0xFFFFFFFF
DICTIONARY_BATCH, RECORD_BATCH = 2, 3  # the kinds of a message's header that have buffers
PREFIX_BYTES = 8  # of a compressed buffer: its unpacked length
PLAIN = -1  # such a length says that the buffer is not compressed after all


@dataclass(frozen=True)
class BatchSize:
    """What one batch, of rows or of a dictionary, states of itself.

    Attributes:
        values: The values of all its columns, nested ones included.
        unpacked_bytes: Its buffers once they are unpacked.
    """

    values: int
    unpacked_bytes: int


@dataclass(frozen=True)
class Table:
    """A table of a flatbuffer: where its fields are."""

    content: memoryview
    start: int

    @classmethod
    def at_offset(cls, content: memoryview, place: int) -> "Table":
        """The table that the offset stored at `place` leads to."""
        return cls(content, place + _read("<I", content, place))

    def _find(self, number: int) -> int | None:
        """The place of a field, or None where it has its default value."""
        layout = self.start - _read("<i", self.content, self.start)
        if 4 + 2 * number >= _read("<H", self.content, layout):
            return None
        offset = _read("<H", self.content, layout + 4 + 2 * number)
        return self.start + offset if offset else None

    def integer(self, number: int, kind: str) -> int:
        """An integer field."""
        place = self._find(number)
        return 0 if place is None else _read(kind, self.content, place)

    def table(self, number: int) -> "Table | None":
        """A field that is a table."""
        place = self._find(number)
        return None if place is None else Table.at_offset(self.content, place)

    def pairs(self, number: int) -> list[tuple[int, int]]:
        """A vector of structs of two 64-bit integers; no more of them than the content holds."""
        place = self._find(number)
        if place is None:
            return []
        start = place + _read("<I", self.content, place)
        count = _read("<I", self.content, start)
        rows = self.content[start + 4 : start + 4 + 16 * count]
        return list(struct.iter_unpack("<qq", rows))


def _read(kind: str, content: memoryview, place: int) -> int:
    if place < 0:
        raise struct.error("an offset leads out of the metadata")
    value: int = struct.unpack_from(kind, content, place)[0]
    return value


def list_batches(stream: bytes) -> list[BatchSize]:
    """The sizes of all batches. ValueError for bytes that are no Arrow stream."""
    try:
        return list(_walk(memoryview(stream)))
    except struct.error as error:
        raise ValueError(f"this is no Arrow stream: {error}") from error


def _walk(stream: memoryview) -> Iterator[BatchSize]:
    place = 0
    while place + 4 <= len(stream):
        length, place = _read("<I", stream, place), place + 4
        if length == CONTINUATION:
            length, place = _read("<I", stream, place), place + 4
        if length == 0:  # the end of the stream
            return
        metadata, body = stream[place : place + length], place + length
        message = Table.at_offset(metadata, 0)
        size = message.integer(3, "<q")
        if size < 0 or body + size > len(stream):
            raise struct.error("a message is cut off")
        if (batch := _find_batch(message)) is not None:
            yield _measure(batch, stream[body : body + size])
        place = body + size


def _find_batch(message: Table) -> Table | None:
    kind, header = message.integer(1, "<B"), message.table(2)
    if header is None or kind not in {DICTIONARY_BATCH, RECORD_BATCH}:
        return None
    return header.table(1) if kind == DICTIONARY_BATCH else header


def _measure(batch: Table, body: memoryview) -> BatchSize:
    is_compressed = batch.table(3) is not None
    values = [length for length, _ in batch.pairs(1)]
    lengths = [_unpacked_length(body, *one) if is_compressed else one[1] for one in batch.pairs(2)]
    if min([0, *values, *lengths]) < 0:
        raise struct.error("a length is negative")
    return BatchSize(max(batch.integer(0, "<q"), sum(values)), sum(lengths))


def _unpacked_length(body: memoryview, offset: int, length: int) -> int:
    if length < PREFIX_BYTES:
        return 0
    stated = _read("<q", body, offset)
    return length - PREFIX_BYTES if stated == PLAIN else stated
