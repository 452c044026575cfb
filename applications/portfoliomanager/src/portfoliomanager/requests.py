"""The JSON bodies that portfoliomanager reads."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class DayRequest(BaseModel):
    """Which session is meant; without `date` the last one that has closed by the broker's clock."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"date": "2024-12-31"}, {}]})
    day: date | None = Field(None, alias="date", description="A session of XNYS that has closed")


class ReconciliationRequest(BaseModel):
    """How to reconcile."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})
    accept_broker_state: bool = Field(
        default=False, description="The broker was put back to an older state: let the journal follow it"
    )
