"""Collection: have datamanager ingest a range of sessions and sync the details of every ticker."""

from dataclasses import dataclass
from datetime import date

from internal.http.datamanager_client import DatamanagerClient
from internal.http.datamanager_responses import CollectionPhase, CollectionProgress
from models.progress import OnProgress, Progress, Step, ignore_progress

MINUTE = 60.0  # seconds


@dataclass(frozen=True)
class Collection:
    """The result of a collection.

    Attributes:
        sessions: Sessions of the range, those present before included.
        fetched: Sessions that were fetched now.
        rows: Bars of the sessions.
        quarantined: Rows that failed a check.
        bars_version: Version of the bars' table afterwards.
        details: Tickers with details.
        sectors: Those of them with a known sector.
    """

    sessions: int
    fetched: int
    rows: int
    quarantined: int
    bars_version: int
    details: int
    sectors: int


def collect(
    datamanager: DatamanagerClient, start: date, end: date, *, on_progress: OnProgress = ignore_progress
) -> Collection:
    """Ingest a range of sessions, then sync the details. Raises what `DatamanagerClient` raises."""

    def report(progress: CollectionProgress) -> None:
        done, total = progress.sessions_done, progress.sessions_total
        text = f"{done}/{total} sessions{_describe_time(progress.seconds_left)}"
        on_progress(Progress(Step.COLLECTING, done, total, text))

    def report_phase(phase: CollectionPhase) -> None:
        text = f"{phase.phase}: {phase.done}/{phase.total} {phase.unit}{_describe_time(phase.seconds_left)}"
        on_progress(Progress(Step.DESCRIBING, phase.done, phase.total, text))

    bars = datamanager.collect_bars(start, end, report)
    count = len(bars.sessions)
    on_progress(Progress(Step.COLLECTING, count, count, f"{count} sessions"))
    details = datamanager.collect_details(report_phase)
    on_progress(Progress(Step.DESCRIBING, 1, 1, f"{details:,} tickers"))
    fetched = sum(session.status == "collected" for session in bars.sessions)
    sectors = datamanager.details().get_column("sector").count()
    return Collection(count, fetched, bars.rows, bars.quarantined, bars.bars_version, details, sectors)


def _describe_time(seconds: float | None) -> str:
    """The time left, in the largest unit that fits; nothing where it is unknown or short."""
    if seconds is None or seconds < MINUTE:
        return ""
    hours, minutes = divmod(round(seconds / MINUTE), 60)
    return f", {hours} h {minutes} min left" if hours else f", {minutes} min left"
