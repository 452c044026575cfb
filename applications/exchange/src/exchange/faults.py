"""Faults that the control API injects: what each kind is, and how they are kept and used up.

Knows kinds and counts. Knows nothing of HTTP (`fault_injection` plays the wrong answers) or of matching.
"""

import sqlite3
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class FaultKind(StrEnum):
    """What goes wrong: six wrong answers to a request, two events of the market."""

    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    GATEWAY_TIMEOUT = "gateway_timeout"
    HANG = "hang"
    TRUNCATED_BODY = "truncated_body"
    HTML_BODY = "html_body"
    PARTIAL_FILL = "partial_fill"
    REFUSED_SHORT = "refused_short"


MARKET_KINDS = frozenset({FaultKind.PARTIAL_FILL, FaultKind.REFUSED_SHORT})
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


def add_fault(connection: sqlite3.Connection, fault: Fault) -> StoredFault:
    """Stores a fault."""
    row = connection.execute(
        "INSERT INTO faults (body, remaining) VALUES (?, ?) RETURNING id", (fault.model_dump_json(), fault.count)
    ).fetchone()
    return StoredFault(**fault.model_dump(), id=row["id"], remaining=fault.count)


def list_faults(connection: sqlite3.Connection) -> list[StoredFault]:
    """Every fault, used-up ones included, oldest first."""
    rows = connection.execute("SELECT * FROM faults ORDER BY id")
    return [
        StoredFault(**Fault.model_validate_json(row["body"]).model_dump(), id=row["id"], remaining=row["remaining"])
        for row in rows
    ]


def clear_faults(connection: sqlite3.Connection) -> None:
    """Forgets every fault."""
    connection.execute("DELETE FROM faults")


def take_request_fault(connection: sqlite3.Connection, method: str, path: str) -> Fault | None:
    """The oldest fault that strikes this request, used up by one; None when the request goes through."""
    for fault in list_faults(connection):
        strikes = fault.kind not in MARKET_KINDS and fault.method in {None, method} and fnmatchcase(path, fault.path)
        if strikes and _use(connection, fault):
            return fault
    return None


def take_market_fault(connection: sqlite3.Connection, kind: FaultKind, ticker: str) -> Fault | None:
    """The oldest fault of the market that strikes this ticker, used up by one."""
    for fault in list_faults(connection):
        if fault.kind is kind and fnmatchcase(ticker, fault.ticker) and _use(connection, fault):
            return fault
    return None


def _use(connection: sqlite3.Connection, fault: StoredFault) -> bool:
    changed = connection.execute(
        "UPDATE faults SET remaining = remaining - 1 WHERE id = ? AND remaining > 0", (fault.id,)
    )
    return changed.rowcount == 1
