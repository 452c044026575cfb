"""Records the corporate actions that a vendor states of a window of days: each correction is the action's next version.

The versions are one commit, so an interrupted recording has written all of them or none; recording the same statements
again writes nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from datamanager.action_checks import REASON_PREFIX, check_actions
from datamanager.action_migration import migrate_actions
from datamanager.action_versions import StatedActions, find_new_versions, find_newest
from internal.lake.store import Lake
from internal.lake.tables import QUARANTINE_COLUMNS
from internal.telemetry import get_logger

QUARANTINE = "equity_bars_quarantine"
TOO_MANY = 20  # actions in force that one answer without any action would withdraw
logger = get_logger(__name__)


@dataclass(frozen=True)
class ActionChanges:
    """What a recording changed: the versions that it added, and every statement that it held back.

    Attributes:
        versions: `corporate_actions`; the first version of an action is new, others are corrected or withdrawn.
        quarantined: The quarantine's columns.
    """

    versions: pl.DataFrame
    quarantined: pl.DataFrame


def record_actions(  # noqa: PLR0913, PLR0917 - the statements, who made them, of which days, and when
    lake: Lake, received: pl.DataFrame, source: str, start: date, end: date, recorded_at: datetime
) -> ActionChanges:
    """Record what the vendor states of the days from start to end.

    Late statements are new actions, changed ones the next version, and a recorded action of the window that the vendor
    does not state any more is withdrawn. Invalid and contradicting statements go to the quarantine; what was in force
    before them stays in force. An answer without any action that would withdraw `TOO_MANY` or more is a fault of the
    vendor: it is logged and changes nothing.

    Args:
        lake: Where they are recorded.
        received: `datamanager.ports.ACTION_SCHEMA`, everything that the vendor states of these days.
        source: The vendor, as the rows name it.
        start: The first effective date that was asked for.
        end: The last one.
        recorded_at: Now.
    """
    migrate_actions(lake, recorded_at)
    checked = check_actions(received)
    recorded = find_newest(lake.scan("corporate_actions").collect())
    stated = StatedActions(source, start, end, checked.valid, _days_of(checked.quarantined))
    versions = find_new_versions(stated, recorded, recorded_at)
    if received.is_empty() and versions.height >= TOO_MANY:
        logger.warning("vendor_states_no_actions", source=source, start=str(start), end=str(end), kept=versions.height)
        return ActionChanges(versions.clear(), checked.quarantined)
    if versions.height:
        lake.append("corporate_actions", versions)
    _replace_quarantined(lake, checked.quarantined, start, end, recorded_at.date())
    return ActionChanges(versions, checked.quarantined)


def _days_of(quarantined: pl.DataFrame) -> pl.DataFrame:
    return quarantined.select("ticker", pl.col("date").str.to_date(strict=False).alias("effective_date"))


def _replace_quarantined(lake: Lake, quarantined: pl.DataFrame, start: date, end: date, day: date) -> None:
    """Replace the quarantined actions of the days on which they changed; the bars of these days stay."""
    first, last = start.isoformat(), end.isoformat()
    columns = [name for name in QUARANTINE_COLUMNS if name != "collected_date"]
    inside = pl.col("date").is_between(pl.lit(first), pl.lit(last))
    held_back = quarantined.with_columns(
        pl.when(inside).then("date").otherwise(pl.lit(last)).alias("date"), pl.lit(day).alias("collected_date")
    ).unique(columns, maintain_order=True)
    is_action = pl.col("reason").str.starts_with(REASON_PREFIX)
    stored = lake.scan(QUARANTINE).filter(inside).collect()
    known = stored.filter(is_action)
    changed = pl.concat(
        [
            held_back.join(known, on=columns, how="anti", nulls_equal=True),
            known.join(held_back, on=columns, how="anti", nulls_equal=True),
        ]
    )
    for changed_day in changed.get_column("date").unique().sort():
        rows = pl.concat([stored.filter(~is_action), held_back]).filter(pl.col("date") == changed_day)
        lake.replace_where(QUARANTINE, rows, date=changed_day)
