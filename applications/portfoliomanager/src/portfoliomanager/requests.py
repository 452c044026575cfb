"""The JSON bodies that portfoliomanager reads."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from internal.trading.trading_state import TradingState

type Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


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


class StateRequest(BaseModel):
    """Who asks for a trading state, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"state": "halted", "changed_by": "ada", "reason": "data look wrong"}]},
    )
    state: TradingState
    changed_by: Sentence = Field(description="a person's name")
    reason: Sentence = Field(description="one sentence")


class FlattenRequest(BaseModel):
    """Who asks for all positions to be closed, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"changed_by": "ada", "reason": "away for a month"}]}
    )
    changed_by: Sentence = Field(description="a person's name")
    reason: Sentence = Field(description="one sentence")
