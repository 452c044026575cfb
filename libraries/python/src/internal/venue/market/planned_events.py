"""Chooses what happens to which security of a simulated market, and when; `event_planting` carries it out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from internal.action_kinds import ActionKind
from internal.venue.market.event_rates import SESSIONS_A_YEAR, EventRates
from internal.venue.market.listing import Listing
from internal.venue.market.path import Path
from internal.venue.market.security_types import COMMON_STOCK, PREFERRED, UNIT

ENDS = (
    ActionKind.UNIT_SPLIT,
    ActionKind.REDEMPTION,
    ActionKind.CASH_MERGER,
    ActionKind.STOCK_MERGER,
    ActionKind.STOCK_AND_CASH_MERGER,
    ActionKind.WORTHLESS_REMOVAL,
)
TYPES = {ActionKind.UNIT_SPLIT: UNIT, ActionKind.REDEMPTION: PREFERRED}  # of all others: common stock
HALTED_BEFORE = 3  # sessions before a worthless removal
TRIES = 200  # to find a security that fits


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """A corporate action of a security, by their numbers, before the open of a session."""

    session: int
    column: int
    kind: ActionKind


@dataclass(frozen=True, slots=True)
class PlannedHalt:
    """A security does not trade from a session on, up to another one."""

    column: int
    start: int
    end: int


class EventPlan:
    """The events of a market: one a security and session, none after a security's end.

    Args:
        listings: The securities, by number.
        path: Their bars.
        rates: How often what happens.
        first: The first session on which something may happen.
        random: The stream that everything is drawn from.
    """

    def __init__(
        self, listings: Sequence[Listing], path: Path, rates: EventRates, first: int, random: np.random.Generator
    ) -> None:
        self._listings, self._path, self._random = listings, path, random
        self._first, self._count = max(first, 2), len(path.open)
        self._years = (self._count - self._first) / SESSIONS_A_YEAR
        self._ends: dict[int, int] = {}
        self._taken: set[tuple[int, int]] = set()
        kinds = sorted(rates.actions, key=lambda kind: kind not in ENDS)  # ends first, so that nothing follows them
        found = [event for kind in kinds for event in self._draw(kind, rates.actions[kind])]
        self.events = sorted(found, key=lambda event: (event.session, event.column))
        self.halts = [*self._draw_halts(rates.halts, 1, 1), *self._draw_halts(rates.long_halts, 5, 40)]

    def _number_of(self, rate: float) -> int:
        return max(1, round(rate * self._years * len(self._listings))) if rate else 0

    def _draw(self, kind: ActionKind, rate: float) -> list[PlannedEvent]:
        allowed = TYPES.get(kind, COMMON_STOCK)
        columns = [number for number, one in enumerate(self._listings) if one.security_type == allowed]
        places = [self._find_place(kind, columns) for _ in range(self._number_of(rate))] if columns else []
        return [PlannedEvent(session, column, kind) for session, column in filter(None, places)]

    def _find_place(self, kind: ActionKind, columns: Sequence[int]) -> tuple[int, int] | None:
        """A session and a security that trades in it and before it; None when there is none."""
        for _ in range(TRIES):
            column = columns[int(self._random.integers(len(columns)))]
            session = int(self._random.integers(self._first, self._count))
            if not self._fits(session, column) or (kind in ENDS and column in self._ends):
                continue
            if kind in ENDS:
                self._ends[column] = session - (HALTED_BEFORE if kind is ActionKind.WORTHLESS_REMOVAL else 0)
            self._taken.add((session, column))
            return session, column
        return None

    def _fits(self, session: int, column: int) -> bool:
        trades = bool(self._path.volume[session - 2 : session + 1, column].all())
        return trades and (session, column) not in self._taken and session < self._ends.get(column, self._count)

    def _draw_halts(self, rate: float, shortest: int, longest: int) -> list[PlannedHalt]:
        found: list[PlannedHalt] = []
        for _ in range(self._number_of(rate)):
            column, length = (
                int(self._random.integers(len(self._listings))),
                int(self._random.integers(shortest, longest + 1)),
            )
            start = int(self._random.integers(self._first, self._count))
            found.append(PlannedHalt(column, start, start + length))
        return found
