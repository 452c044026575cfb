"""Checks of the corporate actions that a vendor states: repeated statements become one, invalid ones are held back.

Pure. A held-back statement is quarantined with its reason and its whole record.
"""

from dataclasses import dataclass

import polars as pl

from datamanager.ports import ACTION_SCHEMA, VERSION_COLUMNS
from datamanager.quality import to_quarantine
from internal.action_kinds import SPLIT_KINDS, ActionKind
from internal.schemas.corporate_actions import CORPORATE_ACTIONS_SCHEMA
from internal.schemas.frame_schema import split_rows

US_DOLLAR = "USD"
REASON_PREFIX = "corporate_action_"  # of every quarantined action, beside the reasons of bars
SAME_RATIO = 5e-4  # relative: vendors round to four digits, 3 to 1 is also stated as 1 to 0.3333
SPLIT_DAY = ("ticker", "effective_date")
IS_SPLIT = pl.col("kind").is_in([kind.value for kind in SPLIT_KINDS])
RATIO = pl.col("new_shares") / pl.col("old_shares")
TERMS = (
    "kind",
    "ticker",
    "effective_date",
    "cash_amount",
    "special",
    "new_ticker",
    "second_ticker",
    "second_shares",
    "ratio",
)


@dataclass(frozen=True)
class CheckedActions:
    """The valid actions (`ACTION_SCHEMA` without currency), and the others in the quarantine's columns."""

    valid: pl.DataFrame
    quarantined: pl.DataFrame


def check_actions(received: pl.DataFrame) -> CheckedActions:
    """Check and merge what a vendor states.

    Args:
        received: `datamanager.ports.ACTION_SCHEMA`. The same action may be stated several times: 1 for 2 and 2 for 4
            are one split. Splits of one day in different ratios contradict one another, and all are held back. A
            regular and a special dividend of one day are two.
    """
    rows = received.unique(maintain_order=True).with_columns(
        pl.when(pl.col("kind") == ActionKind.CASH_DIVIDEND.value)
        .then(pl.col("special").fill_null(value=False))
        .otherwise("special")
        .alias("special")
    )
    rows = rows.with_columns(_find_action_id().alias("action_id"))
    foreign = (pl.col("currency") != US_DOLLAR).fill_null(value=False)
    valid, invalid = split_rows(_first_versions(rows.filter(~foreign)), CORPORATE_ACTIONS_SCHEMA)
    in_dollars = rows.filter(foreign).with_columns(pl.format("cash_in_{}", "currency").alias("reason"))
    splits, contradicting = _merge_splits(valid.filter(IS_SPLIT))
    merged = pl.concat([splits, _merge_others(valid.filter(~IS_SPLIT))]).select(_stated_columns())
    return CheckedActions(
        merged.sort("effective_date", "ticker", "action_id"),
        pl.concat([_to_quarantine(in_dollars), _to_quarantine(invalid), _to_quarantine(contradicting)]),
    )


def _stated_columns() -> list[str]:
    return [name for name in ACTION_SCHEMA.names() if name != "currency"]


def _find_action_id() -> pl.Expr:
    """The vendor's id; without one, source, kind, ticker, effective date and place among the equal ones of the day."""
    kind = pl.when(IS_SPLIT).then(pl.lit("split")).otherwise("kind")
    special = pl.when(pl.col("special")).then(pl.lit("special"))
    parts = (pl.col("source"), kind, pl.col("ticker"), pl.col("effective_date").cast(pl.String), special)
    terms = pl.concat_str(*parts, separator=":", ignore_nulls=True)
    place = pl.struct("cash_amount", "new_shares", "new_ticker", "pay_date").rank("ordinal").over(terms)
    return pl.coalesce("action_id", pl.format("{}:{}", terms, place))


def _first_versions(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the columns that the lake adds, so that the schema can check them."""
    columns = CORPORATE_ACTIONS_SCHEMA.columns
    return rows.with_columns(
        pl.lit(1, pl.Int32).alias("version"),
        pl.lit(None, columns["change"]).alias("change"),
        pl.lit(value=False).alias("withdrawn"),
        pl.datetime(1970, 1, 1, time_zone="UTC").cast(columns["recorded_at"]).alias("recorded_at"),
    ).select(list(columns))


def _merge_splits(splits: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One split a ticker and day, in the simplest numbers; and those that contradict one another, with the reason."""
    contradicts = RATIO.max().over(SPLIT_DAY) > RATIO.min().over(SPLIT_DAY) * (1 + SAME_RATIO)
    whole = (pl.col("old_shares") == pl.col("old_shares").floor()) & (
        pl.col("new_shares") == pl.col("new_shares").floor()
    )
    ordered = splits.sort(~whole, pl.col("old_shares") + pl.col("new_shares"), "action_id")
    merged = ordered.filter(~contradicts).unique(SPLIT_DAY, keep="first", maintain_order=True)
    reason = pl.lit("split_contradicts_another").alias("reason")
    return merged, ordered.filter(contradicts).with_columns(reason)


def _merge_others(others: pl.DataFrame) -> pl.DataFrame:
    """One row for equal terms; a pay date that one statement lacks is taken from the other."""
    keyed = others.with_columns(RATIO.round_sig_figs(6).alias("ratio")).sort("action_id")
    once = keyed.unique([*TERMS, "pay_date"], keep="first", maintain_order=True)
    dated = pl.col("pay_date").is_not_null() | pl.col("pay_date").is_null().all().over(TERMS)
    return once.filter(dated).drop("ratio")


def _to_quarantine(rows: pl.DataFrame) -> pl.DataFrame:
    """Actions in the bars' quarantine: ticker and effective date in their columns, the record in the reason."""
    record = pl.struct(pl.all().exclude("reason", *VERSION_COLUMNS)).struct.json_encode()
    return to_quarantine(
        rows.select(
            "ticker",
            pl.col("effective_date").alias("date"),
            pl.format(f"{REASON_PREFIX}{{}}: {{}}", "reason", record).alias("reason"),
        )
    )
