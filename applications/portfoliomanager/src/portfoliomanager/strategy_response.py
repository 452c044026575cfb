"""The JSON bodies about a strategy: what is recorded with a decision, and the strategy that decides now."""

import datetime as dt
import json
from typing import Any, Self

from pydantic import BaseModel, Field

from internal.trading.runs import RebalanceRun
from internal.trading.strategy import Strategy


class StrategyRecordResponse(BaseModel):
    """The strategy of a decision, as it was recorded with it."""

    name: str
    parameters: dict[str, Any] = Field(description="all parameters; empty in decisions older than their record")
    digest: str = Field(description="SHA-256 of the strategy's file; empty in decisions older than its record")

    @classmethod
    def of_run(cls, run: RebalanceRun) -> Self:
        """The strategy that decided a run."""
        return cls(name=run.policy, parameters=json.loads(run.parameters or "{}"), digest=run.strategy_digest)


class StrategyFailureResponse(BaseModel):
    """The last closed session, at whose decision the strategy failed."""

    date: dt.date
    detail: str = Field(description="what becomes of the session, what to do, and the traceback of the strategy's code")


class StrategyResponse(StrategyRecordResponse):
    """The strategy that decides the next session, and what it reads."""

    failure: StrategyFailureResponse | None = Field(
        description="the last closed session, if it is not decided because the strategy failed"
    )
    uses_forecasts: bool = Field(description="false: no model and no predictions are needed")
    history_sessions: int = Field(description="sessions of bars that it reads, the day included")

    @classmethod
    def of(cls, strategy: Strategy, failure: StrategyFailureResponse | None) -> Self:
        """The strategy as it was loaded."""
        record, needs = strategy.record, strategy.needs
        return cls(
            name=record.name,
            parameters=json.loads(record.parameters),
            digest=record.digest,
            failure=failure,
            uses_forecasts=needs.forecasts,
            history_sessions=needs.history_sessions,
        )
