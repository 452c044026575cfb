# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyarrow ships no types
"""Responses that are sent as they are read: frames as one Arrow stream, or parts."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

import polars as pl
from starlette.responses import StreamingResponse

from internal.http.frames import ARROW, BARS_VERSION_HEADER, KNOWN_AT_HEADER
from internal.http.parts import BOUNDARY, PARTS, Part, measure_parts, write_parts

ROWS_AT_ONCE = 32_768  # 2.7 MB of bars
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"  # https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format


def stream_response(frames: Iterator[pl.DataFrame], bars_version: int, known_at: datetime) -> StreamingResponse:
    """The frames, of which there is at least one, as an Arrow stream; the first is read before anything is sent."""
    first = next(frames)
    return StreamingResponse(
        write_arrow(chain([first], frames)), headers=_headers(bars_version, known_at), media_type=ARROW
    )


def parts_response(parts: Sequence[Part], bars_version: int, known_at: datetime) -> StreamingResponse:
    """The parts, each as it is read; a body of known length is copied less often on its way than one in chunks."""
    own = {"Vary": "Accept, Prefer", "Content-Length": str(measure_parts(parts))}
    headers = _headers(bars_version, known_at) | own
    return StreamingResponse(write_parts(parts), headers=headers, media_type=f'{PARTS}; boundary="{BOUNDARY}"')


def write_arrow(frames: Iterable[pl.DataFrame]) -> Iterator[bytes | memoryview]:
    """One Arrow stream, a piece for each `ROWS_AT_ONCE`; every Arrow reader supports its types.

    Each piece is a message of the format, made in a buffer of its own that the next ones use again; a growing file in
    memory would be copied and be new memory each time.
    """
    is_first = True
    for frame in frames:
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        if is_first:
            yield memoryview(table.schema.serialize())
        is_first = False
        for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
            yield memoryview(batch.serialize())
    if not is_first:
        yield END_OF_STREAM


def _headers(bars_version: int, known_at: datetime) -> dict[str, str]:
    return {"Vary": "Accept", BARS_VERSION_HEADER: str(bars_version), KNOWN_AT_HEADER: known_at.isoformat()}
