"""How routes that take or give frames describe themselves in OpenAPI.

Knows media types and examples. Knows no frame's meaning.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from internal.http.frames import ARROW, CSV, JSON, PARQUET

_BINARY = {"schema": {"type": "string", "format": "binary"}}


def frame_body(example: Mapping[str, Any], media_types: Sequence[str] = (ARROW, PARQUET, CSV, JSON)) -> dict[str, Any]:
    """The request body of a route that reads a frame, with one record as the example."""
    records = {"schema": {"type": "array", "items": {"type": "object"}}, "example": [dict(example)]}
    content = {kind: records if kind == JSON else _BINARY for kind in media_types}
    return {"requestBody": {"required": True, "content": content}}
