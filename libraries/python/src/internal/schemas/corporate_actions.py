"""Corporate actions by the session on which they take effect; `internal.price_adjustment` applies them to prices.

One table holds every kind, and every version of each action: vendors tell late, tell twice, correct and withdraw.
Splits and cash dividends are projections of the versions that are in force.
"""

from datetime import datetime

import polars as pl

from internal.action_kinds import SPLIT_KINDS, ActionKind
from internal.schemas.frame_schema import FrameSchema, Rule, empty_frame, validate_frame
from internal.schemas.rules import not_blank, one_of, positive

CORPORATE_ACTIONS_COLUMNS: dict[str, pl.DataType] = {
    "action_id": pl.String(),  # the vendor's id, else source, kind, ticker, effective date and place
    "version": pl.Int32(),  # from 1; each correction is the next one
    "recorded_at": pl.Datetime("ms", "UTC"),  # when this version was recorded
    "withdrawn": pl.Boolean(),  # whether the vendor no longer states the action
    "change": pl.String(),  # what differs from the version before; for people
    "source": pl.String(),  # the vendor
    "kind": pl.String(),  # an ActionKind
    "ticker": pl.String(),  # the security that it happens to, as it is named on the session before
    "effective_date": pl.Date(),  # the first session that trades with it: ex-date, execution date, first new name
    "declaration_date": pl.Date(),
    "record_date": pl.Date(),
    "pay_date": pl.Date(),
    "old_shares": pl.Float64(),  # `old_shares` of ticker ...
    "new_shares": pl.Float64(),  # ... become, or receive (dividend, spin-off), this many of new_ticker
    "new_ticker": pl.String(),  # null where the shares are of ticker itself
    "second_shares": pl.Float64(),  # of a unit split: the second security that one unit becomes
    "second_ticker": pl.String(),
    "cash_amount": pl.Float64(),  # dollars for each share of ticker
    "special": pl.Boolean(),  # of a dividend: not a regular one
}
CORPORATE_ACTIONS_NULLABLE = (
    "change",
    "declaration_date",
    "record_date",
    "pay_date",
    "old_shares",
    "new_shares",
    "new_ticker",
    "second_shares",
    "second_ticker",
    "cash_amount",
    "special",
)
PAYS_CASH = (
    ActionKind.CASH_DIVIDEND,
    ActionKind.CASH_MERGER,
    ActionKind.STOCK_AND_CASH_MERGER,
    ActionKind.REDEMPTION,
)
GIVES_SHARES = (
    *SPLIT_KINDS,
    ActionKind.UNIT_SPLIT,
    ActionKind.STOCK_DIVIDEND,
    ActionKind.RIGHTS_DISTRIBUTION,
    ActionKind.SPIN_OFF,
    ActionKind.STOCK_MERGER,
    ActionKind.STOCK_AND_CASH_MERGER,
)
DISTRIBUTIONS = (  # of another security; a stock dividend may be one
    ActionKind.SPIN_OFF,
    ActionKind.RIGHTS_DISTRIBUTION,
    ActionKind.STOCK_DIVIDEND,
)
NAMES_ANOTHER = (
    ActionKind.UNIT_SPLIT,
    ActionKind.RIGHTS_DISTRIBUTION,
    ActionKind.SPIN_OFF,
    ActionKind.STOCK_MERGER,
    ActionKind.STOCK_AND_CASH_MERGER,
    ActionKind.NAME_CHANGE,
)


def _needs(kinds: tuple[ActionKind, ...], column: str) -> Rule:
    """An action of the kinds has the column."""
    return Rule(
        f"{column}_of_its_kind",
        column,
        lambda: pl.col(column).is_not_null().or_(~pl.col("kind").is_in([kind.value for kind in kinds])),
    )


CORPORATE_ACTIONS_SCHEMA = FrameSchema(
    "corporate_actions",
    CORPORATE_ACTIONS_COLUMNS,
    CORPORATE_ACTIONS_NULLABLE,
    ("action_id", "version"),
    (
        not_blank("action_id"),
        not_blank("source"),
        not_blank("ticker"),
        one_of("kind", tuple(kind.value for kind in ActionKind)),
        positive("version"),
        positive("old_shares"),
        positive("new_shares"),
        positive("second_shares"),
        positive("cash_amount"),
        _needs(PAYS_CASH, "cash_amount"),
        _needs(GIVES_SHARES, "old_shares"),
        _needs(GIVES_SHARES, "new_shares"),
        _needs(NAMES_ANOTHER, "new_ticker"),
    ),
)

SPLITS_COLUMNS: dict[str, pl.DataType] = {
    "ticker": pl.String(),
    "execution_date": pl.Date(),  # the first session that trades split
    "split_from": pl.Float64(),  # old shares
    "split_to": pl.Float64(),  # new shares: from 1 to 20 is "20 for 1"
}
DIVIDENDS_COLUMNS: dict[str, pl.DataType] = {
    "ticker": pl.String(),
    "ex_dividend_date": pl.Date(),  # the first session that trades without it
    "cash_amount": pl.Float64(),  # dollars a share
    "declaration_date": pl.Date(),
    "record_date": pl.Date(),
    "pay_date": pl.Date(),
}
DIVIDENDS_NULLABLE = ("declaration_date", "record_date", "pay_date")
SPLITS_SCHEMA = FrameSchema(
    "splits",
    SPLITS_COLUMNS,
    (),
    ("ticker", "execution_date"),
    (not_blank("ticker"), positive("split_from"), positive("split_to")),
)
DIVIDENDS_SCHEMA = FrameSchema(
    "dividends",
    DIVIDENDS_COLUMNS,
    DIVIDENDS_NULLABLE,
    ("ticker", "ex_dividend_date", "cash_amount", "pay_date"),  # a regular and a special one may be paid on one day
    (not_blank("ticker"), positive("cash_amount")),
)


def empty_actions() -> pl.DataFrame:
    """No corporate action, with every column."""
    return empty_frame(CORPORATE_ACTIONS_COLUMNS)


def empty_splits() -> pl.DataFrame:
    """No splits, with every column."""
    return empty_frame(SPLITS_COLUMNS)


def empty_dividends() -> pl.DataFrame:
    """No dividends, with every column."""
    return empty_frame(DIVIDENDS_COLUMNS)


def validate_splits(frame: pl.DataFrame) -> pl.DataFrame:
    """The splits in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, SPLITS_SCHEMA)


def validate_dividends(frame: pl.DataFrame) -> pl.DataFrame:
    """The dividends in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, DIVIDENDS_SCHEMA)


def validate_actions(frame: pl.DataFrame) -> pl.DataFrame:
    """The actions in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, CORPORATE_ACTIONS_SCHEMA)


def actions_in_force(actions: pl.LazyFrame, known_at: datetime | None = None) -> pl.LazyFrame:
    """The newest version of each action, without those that were withdrawn.

    Args:
        actions: Every version.
        known_at: **Guard:** versions that were recorded after this moment are left out; None leaves out none.
    """
    known = actions if known_at is None else actions.filter(pl.col("recorded_at") <= known_at)
    newest = pl.col("version") == pl.col("version").max().over("action_id")
    return known.filter(newest).filter(~pl.col("withdrawn"))


def splits_of(actions: pl.LazyFrame) -> pl.LazyFrame:
    """The splits and stock dividends among actions in force, in `SPLITS_COLUMNS`: 5 for 100 shares is 100 to 105."""
    is_stock_dividend = pl.col("kind") == ActionKind.STOCK_DIVIDEND.value
    in_own_shares = is_stock_dividend & pl.col("new_ticker").is_null()
    is_split = pl.col("kind").is_in([kind.value for kind in SPLIT_KINDS])
    return actions.filter(is_split | in_own_shares).select(
        "ticker",
        pl.col("effective_date").alias("execution_date"),
        pl.col("old_shares").alias("split_from"),
        (pl.col("new_shares") + pl.when(is_stock_dividend).then("old_shares").otherwise(0.0)).alias("split_to"),
    )


def dividends_of(actions: pl.LazyFrame) -> pl.LazyFrame:
    """The cash dividends among actions in force, regular and special ones of one day apart, in `DIVIDENDS_COLUMNS`."""
    return actions.filter(pl.col("kind") == ActionKind.CASH_DIVIDEND.value).select(
        "ticker",
        pl.col("effective_date").alias("ex_dividend_date"),
        "cash_amount",
        "declaration_date",
        "record_date",
        "pay_date",
    )
