"""Collect: have datamanager fetch a range of bars, and the details of every ticker.

Knows the order of the two requests. Fetches nothing from a vendor itself.
"""

from dataclasses import dataclass
from datetime import date

from internal.http.datamanager_client import DatamanagerClient
from models.progress import OnProgress, Progress, silent


@dataclass(frozen=True)
class Collection:
    """What datamanager collected.

    Attributes:
        sessions: Sessions of the range, those already present included.
        fetched: Sessions that were fetched now.
        rows: Bars written now.
        quarantined: Bars set aside now.
        bars_version: Version of the bars' table afterwards.
        details: Tickers with details.
    """

    sessions: int
    fetched: int
    rows: int
    quarantined: int
    bars_version: int
    details: int


def collect(datamanager: DatamanagerClient, start: date, end: date, *, on_progress: OnProgress = silent) -> Collection:
    """Backfill a range of sessions and sync the details. Raises what `DatamanagerClient` raises."""
    bars = datamanager.collect_bars(
        start,
        end,
        lambda done, total: on_progress(Progress("collecting bars", done, total, f"{done}/{total} sessions")),
    )
    count = len(bars.sessions)
    on_progress(Progress("collecting bars", count, count, f"{count} sessions"))
    details = datamanager.collect_details()
    fetched = sum(session.status == "collected" for session in bars.sessions)
    return Collection(count, fetched, bars.rows, bars.quarantined, bars.bars_version, details)
