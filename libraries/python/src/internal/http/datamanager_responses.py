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


class ImportedSession(BaseModel):
    """One session of an import; `status` is `imported`, or `present` when the lake held the same rows before."""

    date: date
    status: str
    rows: int
    quarantined: int


class ImportedBars(BaseModel):
    """The answer of an import of bars."""

    sessions: list[ImportedSession]


class CollectionProgress(BaseModel):
    """How far a collection is."""

    running: bool
    sessions_done: int = 0
    sessions_total: int = 0


class CollectedRows(BaseModel):
    """The answer of a collection of equity details or fundamentals."""

    rows: int
