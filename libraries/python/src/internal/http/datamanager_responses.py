"""Answers of datamanager that its clients read, as far as they read them."""

from datetime import date

from pydantic import BaseModel


class CollectedSession(BaseModel):
    """One session of a collection; `status` is `collected`, or `present` when it was complete before."""

    date: date
    status: str


class CollectedBars(BaseModel):
    """The answer of a collection: its sessions, rows written and set aside, and the version of the bars' table."""

    sessions: list[CollectedSession]
    rows: int
    quarantined: int
    bars_version: int


class CollectionProgress(BaseModel):
    """How far a collection is."""

    running: bool
    sessions_done: int = 0
    sessions_total: int = 0


class CollectedDetails(BaseModel):
    """The answer of a collection of equity details."""

    rows: int
