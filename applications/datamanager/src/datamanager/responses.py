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


class StoredResponse(BaseModel):
    """The number of rows stored."""

    rows: int
