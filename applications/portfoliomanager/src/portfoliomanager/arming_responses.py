"""The JSON bodies of arming a live account."""

import datetime as dt
import json
from dataclasses import fields
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from internal.modes import Mode
from portfoliomanager.live_arming import ArmingStatus, LiveArming
from portfoliomanager.requests import Sentence
from portfoliomanager.responses import RowResponse


class ArmingRequest(BaseModel):
    """What the owner allows, as it was shown."""

    model_config = ConfigDict(extra="forbid")
    account_number: Sentence = Field(description="the broker's, typed by the owner")
    digest: Sentence = Field(description="of what was shown: `GET /arming`")
    armed_by: Sentence
    days: int = Field(default=30, ge=1, le=366)
    without_evidence: str = Field(default="", description="the model or strategy that is traded without evidence")


class DisarmingRequest(BaseModel):
    """Who takes the arming back."""

    model_config = ConfigDict(extra="forbid")
    disarmed_by: Sentence


class StoredArmingResponse(RowResponse):
    """The last arming."""

    account_number: str
    armed_at: dt.datetime
    armed_by: str
    expires_at: dt.datetime
    dry_run_through: dt.date = Field(description="the last session whose orders are planned, shown and dropped")
    evidence_waived: str


class ArmingResponse(BaseModel):
    """What would be traded, what speaks for it, and whether it may be."""

    mode: Mode
    armed: bool = Field(description="all orders are sent; always so where no real money is at stake")
    problem: str | None = Field(description="why nothing is sent, or only exits are, and what to do")
    exits: bool = Field(description="orders that make positions smaller are sent; so once an arming has ended")
    strategy: str
    parameters: dict[str, Any]
    capital: str = Field(description="the setting CAPITAL; empty for the whole account")
    limits: dict[str, float]
    digest: str = Field(description="of strategy, parameters, capital and limits")
    evidence_name: str = Field(description="the model, or the strategy, that the evidence is about")
    evidence_is_enough: bool = Field(description="else it is armed only if the owner names it")
    verdict: list[str] = Field(description="the evaluation's words")
    last: StoredArmingResponse | None

    @classmethod
    def of(cls, arming: LiveArming, status: ArmingStatus) -> Self:
        """The status as JSON."""
        record, limits = arming.strategy.record, arming.limits
        return cls(
            mode=status.mode,
            armed=status.problem is None,
            problem=status.problem,
            exits=status.exits,
            strategy=record.name,
            parameters=json.loads(record.parameters or "{}"),
            capital=arming.capital,
            limits={one.name: getattr(limits, one.name) for one in fields(limits) if one.name != "names"},
            digest=status.digest,
            evidence_name=status.evidence.name,
            evidence_is_enough=status.evidence.is_enough,
            verdict=list(status.evidence.verdict),
            last=None if status.last is None else StoredArmingResponse.model_validate(status.last),
        )
