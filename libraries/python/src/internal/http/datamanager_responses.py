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


class StoredPredictions(BaseModel):
    """The answer of storing predictions: rows, and how many of them are re-forecasts."""

    rows: int
    reforecasts: int


class ImportedBars(BaseModel):
    """The answer of an import of bars."""

    sessions: list[ImportedSession]


class CollectionProgress(BaseModel):
    """How far a collection is."""

    running: bool
    sessions_done: int = 0
    sessions_total: int = 0
    seconds_left: float | None = None


class CollectionPhase(BaseModel):
    """How far one phase of a collection of details is."""

    phase: str
    done: int
    total: int
    unit: str
    running: bool
    seconds_left: float | None


class CollectionPhases(BaseModel):
    """The phases of a collection of details that were started."""

    phases: list[CollectionPhase]


class ReleasedBars(BaseModel):
    """The answer of a release from the quarantine."""

    rows: int
    bars_version: int


class AbsentSession(BaseModel):
    """A session that is not in the lake: why, and how often the vendor was asked."""

    date: date
    reason: str
    attempts: int


class SessionCounts(BaseModel):
    """Sessions of the calendar since the first collected one."""

    first: date | None
    expected: int
    present: int
    late: list[date]
    repaired: list[date]
    missing: list[AbsentSession]


class QuarantinedReason(BaseModel):
    """Quarantined rows of one reason, and what to do about them."""

    reason: str
    rows: int
    examples: list[str]
    remedy: str
    needs_a_decision: bool


class ActionCounts(BaseModel):
    """Corporate actions with an effective date in the range."""

    in_force: int
    corrected: int
    withdrawn: int


class DataCheck(BaseModel):
    """The state of the data in a range of days; `to_do` is empty where nothing needs doing."""

    start: date
    end: date
    sessions: SessionCounts
    quarantine: list[QuarantinedReason]
    released: int
    actions: ActionCounts
    disagreements: dict[str, int]
    to_do: list[str]


class CollectedRows(BaseModel):
    """The answer of a collection of equity details or fundamentals."""

    rows: int
