"""Frames over HTTP: content negotiation and encoding of responses, decoding of request bodies.

Representations are Arrow streams, parquet, CSV and JSON records.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import polars as pl
from polars.exceptions import PanicException, PolarsError
from starlette.requests import Request
from starlette.responses import Response

from internal.errors import InvalidRequestError, NotAcceptableError, UnsupportedMediaTypeError
from internal.http.coercion import coerce
from internal.http.decoded_size import (
    require_bounded_arrow,
    require_bounded_csv,
    require_bounded_parquet,
    require_bounded_records,
)

ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
JSON = "application/json"
CSV = "text/csv"
BARS_VERSION_HEADER = "X-Bars-Version"
KNOWN_AT_HEADER = "X-Known-At"

FRAME_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The frame, in the representation that Accept prefers",
        "content": {ARROW: {}, PARQUET: {}, JSON: {}},
    }
}


def _weight(accepted: list[tuple[str, float]], media_type: str) -> float:
    """The quality (RFC 9110, 12.5.1) of a media type: that of the most specific range that covers it, else 0."""
    ranges = dict(accepted)
    for candidate in (media_type, f"{media_type.split('/', maxsplit=1)[0]}/*", "*/*"):
        if candidate in ranges:
            return ranges[candidate]
    return 0.0


def _parse_accept(header: str) -> list[tuple[str, float]]:
    return [_parse_range(part) for part in header.split(",") if part.strip()]


def _parse_range(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weights = [value for name, _, value in (one.partition("=") for one in parameters) if name.strip() == "q"]
    try:
        return media_range, float(weights[0]) if weights else 1.0
    except ValueError:
        raise NotAcceptableError(f"Accept: {part.strip()} has a q that is not a number") from None


def negotiate(accept: str | None, offered: Sequence[str] = (ARROW, PARQUET, JSON)) -> str:
    """The media type to answer with; the first among equals. Raises NotAcceptableError when none is acceptable."""
    accepted = _parse_accept(accept) if accept and accept.strip() else [("*/*", 1.0)]
    best = max(offered, key=lambda media_type: _weight(accepted, media_type))
    if _weight(accepted, best) <= 0:
        known = f"{', '.join(offered[:-1])} or {offered[-1]}"
        raise NotAcceptableError(f"this is available as {known}; none of them is in Accept: {accept}")
    return best


def _json_ready() -> list[pl.Expr]:
    """Conversions before JSON is written: moments to ISO 8601 with Z, decimals to numbers; Polars makes NaN null."""
    return [
        pl.selectors.decimal().cast(pl.Float64),
        pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
    ]


def _encode(frame: pl.DataFrame, media_type: str) -> bytes:
    if media_type == JSON:
        return frame.with_columns(_json_ready()).write_json().encode()
    buffer = io.BytesIO()
    if media_type == ARROW:
        frame.write_ipc_stream(buffer, compat_level=pl.CompatLevel.oldest())  # every Arrow reader supports these types
    else:
        frame.write_parquet(buffer)
    return buffer.getvalue()


def frame_response(
    frame: pl.DataFrame, request: Request, *, bars_version: int | None = None, known_at: datetime | None = None
) -> Response:
    """The frame as the caller's Accept prefers it, with `Vary: Accept`.

    When it derives from bars, X-Bars-Version is their version and X-Known-At the moment of what was known beside them.
    Raises NotAcceptableError.
    """
    media_type = negotiate(request.headers.get("accept"))
    headers = {"Vary": "Accept"}
    if bars_version is not None:
        headers[BARS_VERSION_HEADER] = str(bars_version)
    if known_at is not None:
        headers[KNOWN_AT_HEADER] = known_at.isoformat()
    return Response(_encode(frame, media_type), headers=headers, media_type=media_type)


def _refuse_constant(name: str) -> float:
    raise InvalidRequestError(f"the body holds {name}, which is not JSON; a missing number is null")


def _decode_json(body: bytes) -> pl.DataFrame:
    found: object = json.loads(body, parse_constant=_refuse_constant)
    records = cast("list[object]", found) if isinstance(found, list) else [None]
    if not all(isinstance(record, dict) for record in records):
        raise InvalidRequestError("the body is JSON, but not a list of records: send [{column: value, ...}, ...]")
    rows = cast("list[dict[str, object]]", records)
    require_bounded_records(rows)
    return pl.from_dicts(rows, infer_schema_length=None) if rows else pl.DataFrame()


def _decode_parquet(body: bytes) -> pl.DataFrame:
    require_bounded_parquet(body)
    return pl.read_parquet(body)


def _decode_arrow(body: bytes) -> pl.DataFrame:
    require_bounded_arrow(body)
    return pl.read_ipc_stream(body)


def _decode_csv(body: bytes) -> pl.DataFrame:
    require_bounded_csv(body)
    return pl.read_csv(body, infer_schema=False)


DECODERS: dict[str, Callable[[bytes], pl.DataFrame]] = {
    ARROW: _decode_arrow,
    PARQUET: _decode_parquet,
    CSV: _decode_csv,
    JSON: _decode_json,
}


def decode(body: bytes, media_type: str) -> pl.DataFrame:
    """Decode a body to a frame. Raises UnsupportedMediaTypeError, or InvalidRequestError that names the fault."""
    decoder = DECODERS.get(media_type)
    if decoder is None:
        known = ", ".join(DECODERS)
        raise UnsupportedMediaTypeError(f"Content-Type {media_type or '(none)'} is not supported; send one of {known}")
    if not body:
        raise InvalidRequestError(f"the body is empty; a frame was expected as {media_type}")
    try:
        return decoder(body)
    except (PolarsError, PanicException, ValueError, TypeError, OSError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidRequestError(f"the body cannot be read as {media_type}: {reason}") from None


async def read_frame(
    request: Request,
    schema: Mapping[str, pl.DataType] | None = None,
    defaults: Mapping[str, str | bool | float] | None = None,
) -> pl.DataFrame:
    """The request's body as a frame; with a schema, exactly its columns in its types, those left out by default.

    Raises InvalidRequestError that names what is wrong: unreadable body, missing or unknown columns, or the first
    values that do not fit; UnsupportedMediaTypeError for another content type.
    """
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    frame = decode(await request.body(), media_type)
    return frame if schema is None else coerce(frame, schema, defaults)
