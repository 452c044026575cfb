"""Collection: have datamanager ingest a range of sessions and sync the details of every ticker."""

from dataclasses import dataclass
from datetime import date

from internal.http.datamanager_client import DatamanagerClient
from models.progress import OnProgress, Progress, Step, ignore_progress


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
    """

    sessions: int
    fetched: int
    rows: int
    quarantined: int
    bars_version: int
    details: int


def collect(
    datamanager: DatamanagerClient, start: date, end: date, *, on_progress: OnProgress = ignore_progress
) -> Collection:
    """Ingest a range of sessions, then sync the details. Raises what `DatamanagerClient` raises."""

    def report(done: int, total: int) -> None:
        on_progress(Progress(Step.COLLECTING, done, total, f"{done}/{total} sessions"))

    bars = datamanager.collect_bars(start, end, report)
    count = len(bars.sessions)
    on_progress(Progress(Step.COLLECTING, count, count, f"{count} sessions"))
    details = datamanager.collect_details()
    fetched = sum(session.status == "collected" for session in bars.sessions)
    return Collection(count, fetched, bars.rows, bars.quarantined, bars.bars_version, details)
