"""How often what happens to the securities of a simulated market: rates a year and a security, by setting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from internal.action_kinds import ActionKind

type Events = Literal["none", "realistic", "frequent", "splits"]

SESSIONS_A_YEAR = 252


@dataclass(frozen=True)
class EventRates:
    """Expected events a year and a security; every kind that has a rate happens at least once.

    Attributes:
        actions: By kind of corporate action.
        halts: Single sessions without trading.
        long_halts: Halts of 5 to 40 sessions.
        after_opening: Whether events only happen after the market's opening session.
    """

    actions: Mapping[ActionKind, float]
    halts: float
    long_halts: float
    after_opening: bool


REALISTIC = EventRates(
    actions={
        ActionKind.UNIT_SPLIT: 0.005,
        ActionKind.CASH_DIVIDEND: 0.02,  # special ones; the regular ones are the companies' own
        ActionKind.STOCK_DIVIDEND: 0.005,
        ActionKind.RIGHTS_DISTRIBUTION: 0.002,
        ActionKind.SPIN_OFF: 0.006,
        ActionKind.CASH_MERGER: 0.02,
        ActionKind.STOCK_MERGER: 0.006,
        ActionKind.STOCK_AND_CASH_MERGER: 0.004,
        ActionKind.REDEMPTION: 0.004,
        ActionKind.WORTHLESS_REMOVAL: 0.006,
        ActionKind.NAME_CHANGE: 0.03,
    },
    halts=0.0,  # the simulation's own are enough
    long_halts=0.004,
    after_opening=False,
)
FREQUENT = EventRates(
    actions={
        ActionKind.FORWARD_SPLIT: 7.0,
        ActionKind.REVERSE_SPLIT: 5.0,
        ActionKind.UNIT_SPLIT: 0.5,
        ActionKind.CASH_DIVIDEND: 2.0,
        ActionKind.STOCK_DIVIDEND: 1.0,
        ActionKind.RIGHTS_DISTRIBUTION: 0.5,
        ActionKind.SPIN_OFF: 1.0,
        ActionKind.CASH_MERGER: 0.5,
        ActionKind.STOCK_MERGER: 0.5,
        ActionKind.STOCK_AND_CASH_MERGER: 0.5,
        ActionKind.REDEMPTION: 0.5,
        ActionKind.WORTHLESS_REMOVAL: 0.5,
        ActionKind.NAME_CHANGE: 1.5,
    },
    halts=10.0,
    long_halts=0.5,
    after_opening=True,
)
SPLITS = EventRates(
    actions={ActionKind.FORWARD_SPLIT: 7.0, ActionKind.REVERSE_SPLIT: 5.0},
    halts=10.0,
    long_halts=0.0,
    after_opening=True,
)
RATES: dict[Events, EventRates | None] = {"none": None, "realistic": REALISTIC, "frequent": FREQUENT, "splits": SPLITS}
