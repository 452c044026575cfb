"""The JSON bodies of datamanager's responses; `internal.http.frame_documentation` documents the frames."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from datamanager.progress import Phase
from datamanager.session_batches import SessionStatus


class SessionOutcome(BaseModel):
    """The outcome of one session."""

    model_config = ConfigDict(from_attributes=True)
    date: date
    status: SessionStatus = Field(
        description="fetched or imported by this request, present in the lake before, or missing at the vendor"
    )
    rows: int = Field(description="bars of the session in the lake")
    quarantined: int = Field(description="rows of the session that failed a check")
    reason: str | None = Field(default=None, description="why the session is missing")


class IngestionResponse(BaseModel):
    """The outcome of every session of the request."""

    model_config = ConfigDict(from_attributes=True)
    sessions: list[SessionOutcome]
    rows: int
    quarantined: int
    bars_version: int = Field(description="version of the table of bars")


class BarImportResponse(IngestionResponse):
    """The outcome of every session of a file, and what was understood of it."""

    understood: list[str] = Field(description="columns, dates, what was left out and why; one sentence each")


class IngestionProgressResponse(BaseModel):
    """Progress of the running ingestion, or of the last one of this process."""

    model_config = ConfigDict(from_attributes=True)
    sessions_total: int
    sessions_fetched: int = Field(description="fetched from the vendor, or present before")
    sessions_done: int = Field(description="committed to the lake")
    running: bool
    seconds_left: float | None = Field(description="at the pace so far; null before the first session")


class DetailsResponse(BaseModel):
    """The number of tickers with details after a sync, or the number of rows merged from a file."""

    rows: int = Field(ge=0)
    understood: list[str] = Field(
        default_factory=list[str], description="what was understood of a file, one sentence each"
    )


class PhaseResponse(BaseModel):
    """How far one phase of a collection is."""

    phase: Phase
    done: int = Field(description="committed to the lake")
    total: int = Field(description="all of them; what the lake held before is not counted")
    unit: str = Field(description="what is counted")
    running: bool
    seconds_left: float | None = Field(description="at the pace so far, at first at the vendor's rate limit")


class CollectionProgressResponse(BaseModel):
    """Progress of the running collection, or of the last one of this process, by phase."""

    phases: list[PhaseResponse]


class ReleaseResponse(BaseModel):
    """The number of bars released, and the version of the table of bars that has them."""

    rows: int
    bars_version: int


class MissingSessionResponse(BaseModel):
    """A session that is not in the lake."""

    model_config = ConfigDict(from_attributes=True)
    date: date
    reason: str
    attempts: int = Field(description="how often the vendor was asked for it")


class SessionCountsResponse(BaseModel):
    """Sessions of the calendar since the first collected one."""

    model_config = ConfigDict(from_attributes=True)
    first: date | None = Field(description="the first expected session")
    expected: int
    present: int
    late: list[date] = Field(description="collected more than a day after their close")
    repaired: list[date] = Field(description="missing at first, collected later")
    missing: list[MissingSessionResponse]


class QuarantinedReasonResponse(BaseModel):
    """Quarantined rows of one reason."""

    model_config = ConfigDict(from_attributes=True)
    reason: str
    rows: int
    examples: list[str]
    remedy: str
    needs_a_decision: bool


class ActionCountsResponse(BaseModel):
    """Corporate actions with an effective date in the range."""

    model_config = ConfigDict(from_attributes=True)
    in_force: int
    corrected: int
    withdrawn: int


class DataCheckResponse(BaseModel):
    """The state of the data in a range of days."""

    model_config = ConfigDict(from_attributes=True)
    start: date
    end: date
    sessions: SessionCountsResponse
    quarantine: list[QuarantinedReasonResponse]
    released: int = Field(description="bars released from the quarantine, by hand or by later bars")
    actions: ActionCountsResponse
    disagreements: dict[str, int] = Field(description="figures on which two vendors disagree, by field")
    to_do: list[str] = Field(description="what a person has to decide, one sentence each; empty when there is nothing")


class StoredPredictionsResponse(BaseModel):
    """How many rows were stored, and how many of them are re-forecasts of sessions that had forecasts."""

    rows: int
    reforecasts: int


class StoredResponse(BaseModel):
    """The number of rows stored."""

    rows: int
