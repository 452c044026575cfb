"""Corporate actions in words, as the pages list them."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from internal.action_kinds import ActionKind

SHOWN_ACTIONS = 12


@dataclass(frozen=True)
class ActionLine:
    """A corporate action in words."""

    day: date
    ticker: str
    title: str
    terms: str


def list_actions(actions: pl.DataFrame, most: int = SHOWN_ACTIONS) -> list[ActionLine]:
    """The newest corporate actions in words, at most so many, from rows of `schemas.corporate_actions`."""
    newest = actions.sort(["effective_date", "ticker"], descending=[True, False]).head(most)
    return [
        ActionLine(
            row["effective_date"], row["ticker"], str(row["kind"]).replace("_", " ").capitalize(), _describe_terms(row)
        )
        for row in newest.iter_rows(named=True)
    ]


def _describe_terms(row: dict[str, object]) -> str:
    """Shares and cash of an action."""
    old, new, cash = row["old_shares"], row["new_shares"], row["cash_amount"]
    other = row["new_ticker"] if ActionKind(str(row["kind"])) is not ActionKind.NAME_CHANGE else None
    parts: list[str] = []
    if isinstance(old, float) and isinstance(new, float):
        parts.append(f"{new:g}{f' {other}' if other else ''} for {old:g}")
    if isinstance(cash, float):
        parts.append(f"${cash:,.{2 if round(cash, 2) == cash else 4}f} a share")
    if row["new_ticker"] and not parts:
        parts.append(f"now {row['new_ticker']}")
    return ", ".join(parts)
