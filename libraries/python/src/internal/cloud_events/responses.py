"""The answer of `GET /events`."""

from typing import Final

from pydantic import BaseModel

PENDING: Final = "pending"  # the state of a received event that waits for its handler, or that it works on
HANDLED: Final = "handled"  # of one whose handler has finished
IGNORED: Final = "ignored"  # of one that this service does not act on


class SentEvent(BaseModel):
    """One event of the outbox and its delivery to one subscriber, `null` when there is none."""

    id: str
    type: str
    time: str | None
    state: str
    attempts: int
    last_error: str | None
    subscriber: str | None


class ReceivedEvent(BaseModel):
    """One event of the inbox and the state of its handling."""

    id: str
    type: str
    time: str | None
    state: str
    attempts: int
    last_error: str | None
    source: str


class RecentEvents(BaseModel):
    """The newest events of both boxes, newest first."""

    outbox: list[SentEvent]
    inbox: list[ReceivedEvent]
