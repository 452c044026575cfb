"""Changes of the trading state, one row each; rows are added and never changed."""

import polars as pl

from internal.schemas.frame_schema import FrameSchema, empty_frame, validate_frame
from internal.schemas.rules import not_blank, one_of, positive

STATES = ("active", "reduce_only", "halted")
CAUSES = ("owner", "limit", "broker", "restore", "flatten")

COLUMNS: dict[str, pl.DataType] = {
    "number": pl.Int64(),  # one more than that of the change that it was made after
    "state": pl.String(),
    "changed_at": pl.Datetime("ms", "UTC"),  # by the clock of whoever changed it
    "changed_by": pl.String(),  # a person, or `the fund`
    "cause": pl.String(),
    "reason": pl.String(),  # for people: no rule reads it
    "losses_accepted_until": pl.Datetime("ms", "UTC"),  # the market's clock; null before a person loosened the state
}
RULES = (
    positive("number"),
    one_of("state", STATES),
    not_blank("changed_by"),
    one_of("cause", CAUSES),
    not_blank("reason"),
)
TRADING_STATES_SCHEMA = FrameSchema("trading_states", COLUMNS, ("losses_accepted_until",), (), RULES)


def empty() -> pl.DataFrame:
    """No change, with every column."""
    return empty_frame(COLUMNS)


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """The changes in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, TRADING_STATES_SCHEMA)
