"""OpenAPI documentation of the routes that read or answer frames."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from internal.http.frames import ARROW, CSV, FRAME_RESPONSES, JSON, PARQUET

_BINARY = {"schema": {"type": "string", "format": "binary"}}


def document_request_frame(
    example: Mapping[str, Any], media_types: Sequence[str] = (ARROW, PARQUET, CSV, JSON)
) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads a frame, with one record as the example."""
    records = {"schema": {"type": "array", "items": {"type": "object"}}, "example": [dict(example)]}
    content = {media_type: records if media_type == JSON else _BINARY for media_type in media_types}
    return {"requestBody": {"required": True, "content": content}}


def document_response_frame(columns: Mapping[str, pl.DataType]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers a frame, with the columns as the properties of each JSON record."""
    properties = {name: _json_schema(data_type) for name, data_type in columns.items()}
    records = {"schema": {"type": "array", "items": {"type": "object", "properties": properties}}}
    answer = FRAME_RESPONSES[200]
    return {200: {**answer, "content": {**answer["content"], JSON: records}}}


def _json_schema(data_type: pl.DataType) -> dict[str, Any]:
    if data_type == pl.Date:
        return {"type": ["string", "null"], "format": "date"}
    if data_type == pl.Datetime:
        return {"type": ["string", "null"], "format": "date-time"}
    if data_type == pl.Boolean:
        return {"type": ["boolean", "null"]}
    if data_type.is_integer():
        return {"type": ["integer", "null"]}
    return {"type": ["number" if data_type.is_numeric() else "string", "null"]}
