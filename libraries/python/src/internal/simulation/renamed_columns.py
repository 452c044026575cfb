"""Gives a renamed security one continuous series: its present ticker's column holds what it did under earlier ones."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from internal.action_kinds import ActionKind
from internal.simulation.market_tables import FIELDS, MarketTables
from internal.trading.corporate_actions import CorporateAction


def continue_renamed(tables: MarketTables) -> MarketTables:
    """The tables with the earlier sessions of each renamed ticker copied to its new one.

    The old ticker keeps its sessions, for decisions of before. Bars that the new ticker has of another security, which
    had it earlier, stay in the sessions in which the renamed one has none.
    """
    changes = [action for action in tables.actions if action.kind is ActionKind.NAME_CHANGE]
    if not changes:
        return tables
    arrays = {name: getattr(tables, name).copy() for name in FIELDS}
    splits, dividends = dict(tables.split_factors), dict(tables.dividend_factors)
    for old, new, session in _columns(tables, changes):
        known = np.isfinite(arrays["close"][:session, old])
        for values in arrays.values():
            values[:session, new] = np.where(known, values[:session, old], values[:session, new])
        for factors in (splits, dividends):
            _add_earlier(factors, old, new, session)
    return replace(tables, **arrays, split_factors=splits, dividend_factors=dividends)


def _columns(tables: MarketTables, changes: Iterable[CorporateAction]) -> list[tuple[int, int, int]]:
    """Old column, new column and first session of each change, oldest first; changes without bars are left out."""
    found = [
        (tables.column(change.ticker), tables.column(change.new_ticker or ""), _session(tables.days, change))
        for change in changes
    ]
    return [(old, new, session) for old, new, session in found if old is not None and new is not None]


def _session(days: Sequence[date], change: CorporateAction) -> int:
    return bisect_left(days, change.effective_date)


def _add_earlier(factors: dict[int, Sequence[tuple[int, float]]], old: int, new: int, session: int) -> None:
    earlier = [one for one in factors.get(old, ()) if one[0] <= session]
    if earlier:
        factors[new] = sorted([*earlier, *factors.get(new, ())])
