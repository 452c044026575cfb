# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyarrow ships no types
"""Responses that are sent as they are read: frames as one Arrow stream, or parts."""

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

import polars as pl
from pyarrow import ipc
from starlette.responses import StreamingResponse

from internal.http.frames import ARROW, BARS_VERSION_HEADER, KNOWN_AT_HEADER
from internal.http.parts import BOUNDARY, PARTS, Part, measure_parts, write_parts


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


def write_arrow(frames: Iterable[pl.DataFrame]) -> Iterator[bytes]:
    """One Arrow stream, a piece for each frame; every Arrow reader supports its types."""
    sink, writer = io.BytesIO(), None
    for frame in frames:
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or ipc.new_stream(sink, table.schema)
        writer.write_table(table)
        yield _drain(sink)
    if writer is not None:
        writer.close()
        yield _drain(sink)


def _drain(sink: io.BytesIO) -> bytes:
    content = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return content


def _headers(bars_version: int, known_at: datetime) -> dict[str, str]:
    return {"Vary": "Accept", BARS_VERSION_HEADER: str(bars_version), KNOWN_AT_HEADER: known_at.isoformat()}
