"""Faults of a market data vendor about corporate actions: stated late, twice, corrected, withdrawn."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

TERMS = ("old_shares", "new_shares", "cash_amount")
AGAIN = "again"  # ends the id of an action that is stated twice

type Term = Annotated[float | None, Field(gt=0)]


class StatementKind(StrEnum):
    """What the vendor does wrong."""

    LATE = "late"
    REPEATED = "repeated"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


class Statement(BaseModel):
    """How the vendor states one action, by the id under which it is served, from a day on.

    `late`: not before the day. `repeated`: from the day on a second time, under another id, in the numbers given.
    `corrected`: from the day on in the numbers given. `withdrawn`: from the day on no more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: StatementKind
    action_id: str = Field(min_length=1)
    day: date
    old_shares: Term = None
    new_shares: Term = None
    cash_amount: Term = None

    @model_validator(mode="after")
    def _numbers_belong_to_other_terms(self) -> Self:
        given = any(getattr(self, name) is not None for name in TERMS)
        if given != (self.kind in {StatementKind.REPEATED, StatementKind.CORRECTED}):
            raise ValueError("old_shares, new_shares or cash_amount are for `repeated` and `corrected`, which need one")
        return self


def state_actions(actions: pl.DataFrame, statements: Iterable[Statement], today: date) -> pl.DataFrame:
    """The actions as the vendor states them on a day; columns of the table `corporate_actions`."""
    for statement in statements:
        concerned = pl.col("action_id") == statement.action_id.removeprefix("E")  # as one of the vendors writes it
        has_come = statement.day <= today
        if statement.kind is (StatementKind.WITHDRAWN if has_come else StatementKind.LATE):
            actions = actions.filter(~concerned)
        elif statement.kind is StatementKind.CORRECTED and has_come:
            actions = actions.with_columns(
                pl.when(concerned).then(_term(statement, name)).otherwise(pl.col(name)).alias(name) for name in TERMS
            )
        elif statement.kind is StatementKind.REPEATED and has_come:
            second = actions.filter(concerned).with_columns(
                pl.concat_str("action_id", pl.lit(AGAIN)), *(_term(statement, name).alias(name) for name in TERMS)
            )
            actions = pl.concat([actions, second])
    return actions


def _term(statement: Statement, name: str) -> pl.Expr:
    value: float | None = getattr(statement, name)
    return pl.col(name) if value is None else pl.lit(value)
