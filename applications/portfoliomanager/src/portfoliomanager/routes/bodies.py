"""Bodies that several routes share: a day in a POST, and frames as JSON records.

Knows how a body is written. Knows nothing of what it is for.
"""

from datetime import date
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field


class DayRequest(BaseModel):
    """Which session is meant; without `date` the last one that has closed by the broker's clock."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"date": "2024-12-31"}, {}]})
    day: date | None = Field(None, alias="date", description="A session of XNYS that has closed")


def records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows as JSON-ready records; moments and days are written in ISO 8601 by FastAPI."""
    return frame.to_dicts()
