"""The state of the data in one answer: sessions, quarantine, corporate actions, disagreements, and what to do. Pure.

What needs doing is decided by the rows alone, so that the same data gives the same answer at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from datamanager.action_checks import REASON_PREFIX
from datamanager.missing_sessions import list_given_up
from internal.data_quality.suspicions import Suspicion
from internal.dates import session_close, sessions
from internal.schemas.disagreements import ComparedField

LATE = timedelta(days=1)  # after the session's close
SHOWN_BARS = 5
DECIDED_BY_A_PERSON = {
    Suspicion.SPLIT_RATIO: "a split that is not reported? Held until the vendor reports it; release what is right",
    Suspicion.SPLIT_NOT_IN_PRICES: "a split that the prices do not show: compare with another source, then release",
    Suspicion.POWER_OF_TEN: "another unit of price: compare with another source, then release or import the right bar",
    Suspicion.VOLUME_UNITS: "another unit of volume: compare with another source, then release or import",
    Suspicion.OTHER_TICKER: "two tickers exchanged, or one re-used: import the right bars",
}
LEFT_ALONE = "held; release with `./fund data release` what another source confirms"
REFUSED = "breaks a rule of a bar; import the right one if the ticker matters"
ACTION = "not applied: compare with the company's announcement; the vendor's correction replaces it"
DECIDED_FIELDS = (ComparedField.BAR, ComparedField.CLOSE, ComparedField.SPLIT, ComparedField.DIVIDEND)


@dataclass(frozen=True)
class DataTables:
    """What the check reads: `log` and `asked` (sessions that were missing) whole, the others of the period."""

    log: pl.DataFrame
    asked: pl.DataFrame
    quarantine: pl.DataFrame
    releases: int
    actions: pl.DataFrame
    disagreements: pl.DataFrame


@dataclass(frozen=True)
class MissingSession:
    """A session that is not in the lake: why, and how often the vendor was asked."""

    date: date
    reason: str
    attempts: int


@dataclass(frozen=True)
class SessionCounts:
    """Sessions of the calendar from `first`, which was collected, and what became of them."""

    first: date | None
    expected: int
    present: int
    late: list[date]
    repaired: list[date]
    missing: list[MissingSession]


@dataclass(frozen=True)
class QuarantinedReason:
    """Rows of one reason: how many, some of them, and what to do about them."""

    reason: str
    rows: int
    examples: list[str]
    remedy: str
    needs_a_decision: bool


@dataclass(frozen=True)
class ActionCounts:
    """Corporate actions with an effective date in the period."""

    in_force: int
    corrected: int
    withdrawn: int


@dataclass(frozen=True)
class DataCheck:
    """The answer; `to_do` is empty where nothing needs doing."""

    start: date
    end: date
    sessions: SessionCounts
    quarantine: list[QuarantinedReason]
    released: int
    actions: ActionCounts
    disagreements: dict[str, int]
    to_do: list[str]


def check_data(tables: DataTables, start: date, end: date, *, sessions_from: date | None = None) -> DataCheck:
    """Summarise the rows and actions from start to end, and the sessions from `sessions_from`, by default start."""
    counts = _count_sessions(tables.log, tables.asked, sessions_from or start, end)
    reasons = _group_quarantine(tables.quarantine)
    disagreements = dict(sorted(tables.disagreements.group_by("field").len().iter_rows()))
    return DataCheck(
        start,
        end,
        counts,
        reasons,
        tables.releases,
        _count_actions(tables.actions),
        disagreements,
        [
            *_repair_sessions(counts, list_given_up(tables.asked)),
            *_decide_rows(reasons),
            *_decide_disagreements(disagreements),
        ],
    )


def _count_sessions(log: pl.DataFrame, asked: pl.DataFrame, start: date, end: date) -> SessionCounts:
    first = log.get_column("date").min()
    expected = sessions(max(start, first), end) if isinstance(first, date) and first <= end else []
    present = log.filter(pl.col("date").is_in(expected))
    known = {
        day: (reason, attempts) for day, reason, attempts in asked.select("date", "reason", "attempts").iter_rows()
    }
    absent = sorted(set(expected) - set(present.get_column("date")))
    repaired = asked.filter(pl.col("date").is_in(expected) & pl.col("repaired_at").is_not_null())
    return SessionCounts(
        expected[0] if expected else None,
        len(expected),
        present.height,
        _list_late(log, present),
        sorted(repaired.get_column("date")),
        [MissingSession(day, *known.get(day, ("not asked for yet", 0))) for day in absent],
    )


def _list_late(log: pl.DataFrame, present: pl.DataFrame) -> list[date]:
    """Sessions collected more than a day after their close, by a fund that was collecting already at their close."""
    began = log.get_column("collected_at").min()
    if not isinstance(began, datetime):
        return []
    rows = present.select("date", "collected_at").sort("date").iter_rows()
    return [day for day, collected in rows if session_close(day) > began and collected - session_close(day) > LATE]


def _group_quarantine(rows: pl.DataFrame) -> list[QuarantinedReason]:
    kinds = rows.with_columns(pl.col("reason").str.split(":").list.first())
    groups = (
        kinds.sort("date", "ticker", descending=True, nulls_last=True)
        .group_by("reason")
        .agg(pl.len(), pl.format("{} {}", pl.col("ticker").fill_null("?"), "date").head(SHOWN_BARS).alias("examples"))
    )
    return [_describe_reason(*row) for row in groups.sort("reason").iter_rows()]


def _describe_reason(reason: str, rows: int, examples: Sequence[str]) -> QuarantinedReason:
    if reason.startswith(REASON_PREFIX):
        return QuarantinedReason(reason, rows, list(examples), ACTION, needs_a_decision=True)
    if reason not in set(Suspicion):
        return QuarantinedReason(reason, rows, list(examples), REFUSED, needs_a_decision=False)
    remedy = DECIDED_BY_A_PERSON.get(Suspicion(reason))
    return QuarantinedReason(reason, rows, list(examples), remedy or LEFT_ALONE, needs_a_decision=remedy is not None)


def _count_actions(versions: pl.DataFrame) -> ActionCounts:
    newest = versions.sort("version").unique("action_id", keep="last")
    in_force = newest.filter(~pl.col("withdrawn"))
    return ActionCounts(in_force.height, in_force.filter(pl.col("version") > 1).height, newest.height - in_force.height)


def _repair_sessions(counts: SessionCounts, given_up: set[date]) -> list[str]:
    missing = [one.date for one in counts.missing if one.date not in given_up]
    if not missing:
        return []
    first, last = missing[0], missing[-1]
    again = f"`./fund models collect --start-date {first} --end-date {last}`"
    noun = "session" if len(missing) == 1 else "sessions"
    return [f"{len(missing)} {noun} missing from {first} to {last}: asked for again each night; at once: {again}"]


def _decide_rows(reasons: list[QuarantinedReason]) -> list[str]:
    return [
        f"{one.rows} {'row' if one.rows == 1 else 'rows'} held as {one.reason} "
        f"({', '.join(one.examples)}): {one.remedy}"
        for one in reasons
        if one.needs_a_decision
    ]


def _decide_disagreements(disagreements: dict[str, int]) -> list[str]:
    decided = {field: rows for field, rows in disagreements.items() if field in DECIDED_FIELDS}
    if not decided:
        return []
    listed = ", ".join(f"{field} {rows}" for field, rows in decided.items())
    what_to_do = "compare with a third source; GET /disagreements has both values, POST compares again"
    return [f"the vendors disagree ({listed}): {what_to_do}"]
