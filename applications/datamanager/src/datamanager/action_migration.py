"""Moves the splits and dividends of an earlier version's lake into the table of corporate actions, once."""

from datetime import datetime

import polars as pl

from internal.action_kinds import ActionKind
from internal.lake.store import Lake
from internal.lake.tables import MOMENT, RETIRED_TABLES
from internal.schemas.corporate_actions import CORPORATE_ACTIONS_COLUMNS
from internal.telemetry import get_logger

SOURCE = "polygon"  # the only vendor of these versions
logger = get_logger(__name__)


def migrate_actions(lake: Lake, now: datetime) -> int:
    """Write the old tables' rows as first versions, in one commit; how many, 0 where there is nothing to move.

    An action was recorded when the first session from its effective date on was collected. Nothing is written once the
    table of corporate actions exists; the old tables stay as they are.
    """
    if lake.version("corporate_actions") >= 0 or max(map(lake.version, RETIRED_TABLES)) < 0:
        return 0
    actions = pl.concat([_read_splits(lake), _read_dividends(lake)], how="diagonal").sort("effective_date", "ticker")
    collected = lake.scan("ingestion_sessions").select("date", "collected_at").sort("date").collect()
    rows = actions.join_asof(
        collected, left_on="effective_date", right_on="date", strategy="forward", check_sortedness=False
    ).with_columns(
        pl.lit(SOURCE).alias("source"),
        pl.lit(1, pl.Int32).alias("version"),
        pl.lit(value=False).alias("withdrawn"),
        pl.col("collected_at").fill_null(pl.lit(now).cast(MOMENT)).alias("recorded_at"),
    )
    lake.append("corporate_actions", _with_all_columns(rows))
    logger.info("corporate_actions_migrated", rows=rows.height)
    return rows.height


def _read_splits(lake: Lake) -> pl.DataFrame:
    return (
        lake.scan("splits")
        .rename({"execution_date": "effective_date", "split_from": "old_shares", "split_to": "new_shares"})
        .with_columns(kind=_kind_of_split(), action_id=_make_id("split"))
        .collect()
    )


def _kind_of_split() -> pl.Expr:
    reverse, forward = pl.lit(ActionKind.REVERSE_SPLIT.value), pl.lit(ActionKind.FORWARD_SPLIT.value)
    return pl.when(pl.col("new_shares") < pl.col("old_shares")).then(reverse).otherwise(forward)


def _read_dividends(lake: Lake) -> pl.DataFrame:
    return (
        lake.scan("dividends")
        .rename({"ex_dividend_date": "effective_date"})
        .with_columns(
            kind=pl.lit(ActionKind.CASH_DIVIDEND.value),
            special=pl.lit(value=False),
            action_id=_make_id("cash_dividend"),
        )
        .collect()
    )


def _make_id(kind: str) -> pl.Expr:
    """The id of an action without a vendor's id, as `datamanager.action_checks` makes it."""
    return pl.format(f"{SOURCE}:{kind}:{{}}:{{}}:1", "ticker", pl.col("effective_date").cast(pl.String))


def _with_all_columns(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in CORPORATE_ACTIONS_COLUMNS.items()
    )
