"""Faults that the control API injects: their kinds and parameters; `fault_injection` plays those of requests."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class FaultKind(StrEnum):
    """What goes wrong: seven wrong answers to a request, three events of the market."""

    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    GATEWAY_TIMEOUT = "gateway_timeout"
    HANG = "hang"
    TRUNCATED_BODY = "truncated_body"
    HTML_BODY = "html_body"
    UNREADABLE_REFUSAL = "unreadable_refusal"
    PARTIAL_FILL = "partial_fill"
    REFUSED_SHORT = "refused_short"
    LATE_REJECTION = "late_rejection"


MARKET_KINDS = frozenset({FaultKind.PARTIAL_FILL, FaultKind.REFUSED_SHORT, FaultKind.LATE_REJECTION})
PROCESSED_KINDS = frozenset({FaultKind.GATEWAY_TIMEOUT, FaultKind.HANG, FaultKind.TRUNCATED_BODY})


class Fault(BaseModel):
    """One fault: `path` and `ticker` are globs, `count` how often it strikes, `seconds` how long it waits or asks for.

    `processed` says whether the request is carried out before the wrong answer; None takes the kind's own habit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    path: str = "*"
    method: str | None = Field(None, pattern="^[A-Z]+$")
    count: int = Field(1, ge=1)
    processed: bool | None = None
    seconds: float | None = Field(None, ge=0, le=3600)
    ticker: str = "*"
    share: Annotated[float, Field(ge=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _share_belongs_to_partial_fills(self) -> Self:
        if (self.share is not None) != (self.kind is FaultKind.PARTIAL_FILL):
            raise ValueError("`share` is needed by partial_fill and by no other kind")
        return self

    @property
    def carries_out(self) -> bool:
        """Whether the request reaches the exchange before the wrong answer."""
        return self.kind in PROCESSED_KINDS if self.processed is None else self.processed


class StoredFault(Fault):
    """A fault with its id and the number of times that it will still strike."""

    id: int
    remaining: int
