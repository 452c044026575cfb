"""Versions of corporate actions: what a vendor states now, compared with what is recorded. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from datamanager.action_checks import IS_SPLIT, RATIO, SAME_RATIO, SPLIT_DAY, TERMS
from datamanager.ports import VERSION_COLUMNS
from internal.action_kinds import ActionKind
from internal.schemas.corporate_actions import CORPORATE_ACTIONS_COLUMNS

ACTION_COLUMNS = [name for name in CORPORATE_ACTIONS_COLUMNS if name not in VERSION_COLUMNS]
COMPARED = [name for name in ACTION_COLUMNS if name != "action_id"]
SHARES = ("old_shares", "new_shares")
STATED_BY_EVERY_VENDOR = IS_SPLIT | pl.col("kind").is_in(
    [ActionKind.CASH_DIVIDEND.value, ActionKind.STOCK_DIVIDEND.value]  # a stock dividend may be stated as a split
)
ASKED_AHEAD = timedelta(days=100)
"""How far behind the last effective date a vendor that lists dividends by the day of payment is asked."""
WITHDRAWN = "the vendor no longer states it"
REINSTATED = "the vendor states it again"


@dataclass(frozen=True)
class StatedActions:
    """What a vendor states of the days from start to end.

    Attributes:
        source: The vendor.
        start: The first effective date that was asked for.
        end: The last one.
        actions: The valid statements.
        held_back: ticker, effective_date of those that are held back.
    """

    source: str
    start: date
    end: date
    actions: pl.DataFrame
    held_back: pl.DataFrame


def find_newest(versions: pl.DataFrame) -> pl.DataFrame:
    """The newest version of each action, withdrawn ones included."""
    return versions.sort("version").unique("action_id", keep="last", maintain_order=True)


def find_new_versions(stated: StatedActions, recorded: pl.DataFrame, recorded_at: datetime) -> pl.DataFrame:
    """The versions to add, in `CORPORATE_ACTIONS_COLUMNS`: new, corrected, stated again and withdrawn actions.

    A statement under an unknown id with the terms of an action in force is that action. A recorded action of the window
    that is not stated any more is withdrawn, unless its statements are held back: by its own vendor whatever it is, by
    another vendor if it is a split or a dividend, which every vendor states. One that is paid later than `ASKED_AHEAD`
    may not have been asked for: it stays.

    Args:
        stated: What the vendor states.
        recorded: The newest version of each action.
        recorded_at: Now.
    """
    actions = _adopt_ids(stated.actions, recorded)
    known = actions.join(recorded, on="action_id", suffix="_before")
    unstated = (
        recorded.filter(~pl.col("withdrawn") & pl.col("effective_date").is_between(stated.start, stated.end))
        .filter((pl.col("source") == stated.source) | STATED_BY_EVERY_VENDOR)
        .filter((pl.col("pay_date") <= stated.end + ASKED_AHEAD).fill_null(value=True))
        .join(actions, on="action_id", how="anti")
        .join(stated.held_back, on=SPLIT_DAY, how="anti")
    )
    parts = (
        _make_versions(actions.join(recorded, on="action_id", how="anti"), pl.lit(1), pl.lit(None)),
        _make_versions(_find_corrected(known), pl.col("version") + 1, pl.col("change")),
        _make_versions(unstated, pl.col("version") + 1, pl.lit(WITHDRAWN), withdrawn=True),
    )
    moment = pl.lit(recorded_at).cast(CORPORATE_ACTIONS_COLUMNS["recorded_at"]).alias("recorded_at")
    return pl.concat(part.with_columns(moment).select(list(CORPORATE_ACTIONS_COLUMNS)) for part in parts)


def _adopt_ids(actions: pl.DataFrame, recorded: pl.DataFrame) -> pl.DataFrame:
    """The statements, those under an unknown id with the id of the action in force that has their terms."""
    unknown = actions.join(recorded, on="action_id", how="anti")
    in_force = recorded.filter(~pl.col("withdrawn")).join(actions, on="action_id", how="anti")
    ids = _with_terms(in_force).select(*TERMS, "place", pl.col("action_id").alias("recorded_id"))
    adopted = (
        _with_terms(unknown)
        .join(ids, on=[*TERMS, "place"], how="left", nulls_equal=True)
        .with_columns(pl.coalesce("recorded_id", "action_id").alias("action_id"))
    )
    return pl.concat([actions.join(unknown, on="action_id", how="anti"), adopted.select(actions.columns)])


def _with_terms(actions: pl.DataFrame) -> pl.DataFrame:
    """The actions with their ratio, and the place among the equal ones that are paid on different days."""
    return actions.with_columns(RATIO.round_sig_figs(4).alias("ratio")).with_columns(
        pl.struct("pay_date", "action_id").rank("ordinal").over(TERMS).alias("place")
    )


def _find_corrected(known: pl.DataFrame) -> pl.DataFrame:
    """The actions that differ from their newest version or were withdrawn, with what differs in words."""
    ratio_before = pl.col("new_shares_before") / pl.col("old_shares_before")
    same_ratio = ((RATIO / ratio_before - 1).abs() <= SAME_RATIO).fill_null(value=False)
    differences = [_describe_difference(name, same_ratio) for name in COMPARED]
    again = pl.when(pl.col("withdrawn")).then(pl.lit(REINSTATED))
    change = pl.concat_str(again, *differences, separator="; ", ignore_nulls=True)
    return known.with_columns(change.alias("change")).filter(pl.col("change") != "")


def _describe_difference(name: str, same_ratio: pl.Expr) -> pl.Expr:
    """For people: column, value before and value now; null where they are equal. 2 for 4 equals 1 for 2."""
    differs = pl.col(name).ne_missing(pl.col(f"{name}_before"))
    if name in SHARES:
        differs &= ~same_ratio
    before, now = (pl.col(column).cast(pl.String).fill_null("none") for column in (f"{name}_before", name))
    return pl.when(differs).then(pl.format(f"{name} from {{}} to {{}}", before, now))


def _make_versions(
    actions: pl.DataFrame, version: pl.Expr, change: pl.Expr, *, withdrawn: bool = False
) -> pl.DataFrame:
    return actions.with_columns(
        version.cast(pl.Int32).alias("version"),
        change.cast(pl.String).alias("change"),
        pl.lit(withdrawn).alias("withdrawn"),
    )
