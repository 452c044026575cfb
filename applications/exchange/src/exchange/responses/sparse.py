"""The base of bodies that leave out what is None, so that the OpenAPI document does not require it."""

from typing import Any

from pydantic import BaseModel, ConfigDict


def _require_no_null(schema: dict[str, Any]) -> None:
    """Remove from `required` every property that may be null."""
    null = {"type": "null"}
    required = [name for name in schema.get("required", []) if null not in schema["properties"][name].get("anyOf", [])]
    schema.pop("required", None)
    schema.update({"required": required} if required else {})


class SparseBody(BaseModel):
    """A body that is written without what is None (`exclude_none`), as the vendor writes it."""

    model_config = ConfigDict(json_schema_extra=_require_no_null)
