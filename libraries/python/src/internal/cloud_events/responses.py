"""The answer of `GET /events`."""

from typing import Final

from pydantic import BaseModel

HANDLED: Final = "handled"  # the state of a received event whose handler has finished
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
