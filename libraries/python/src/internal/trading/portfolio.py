"""A decided portfolio: what becomes of each name, and from which versions it was decided."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from internal.trading.arrays import FloatArray
from internal.trading.enums import Action, NameOutcome, Side
from internal.trading.limit_kinds import LimitCut
from internal.trading.positions import Band


@dataclass(frozen=True, slots=True)
class PortfolioRow:
    """One name of a portfolio after its decision.

    Attributes:
        ticker: Its name at the broker.
        side: The side that is held.
        action: What the decision does with it.
        held: Shares before the action; what the orders made of it follows from here, however often it is asked.
        quantity: Shares after the action; 0 when it is closed.
        reference_price: The close of the day, dollars.
        opened_date: The session of the entry's fill.
        entry_price: Dollars.
        band: The band in force.
        frozen: Whether the position must not be touched today.
        reason: One sentence for people; no rule reads it.
        security_id: The permanent id of the security; None in rows that are older than it.
    """

    ticker: str
    side: Side
    action: Action
    held: float
    quantity: float
    reference_price: float
    opened_date: date
    entry_price: float
    band: Band | None
    frozen: bool
    reason: str
    security_id: str | None = None

    @property
    def dollar_amount(self) -> float:
        """Dollars held after the action."""
        return self.quantity * self.reference_price

    @property
    def kept_dollars(self) -> float:
        """Dollars of the shares that were held before and still are; what is added is not among them."""
        return min(self.held, self.quantity) * self.reference_price


class LeftOut(NamedTuple):
    """A name that the strategy wanted to open and that is not opened; `reason` is for people."""

    ticker: str
    outcome: NameOutcome
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The wanted portfolio, sorted by ticker.

    `notes` say what fell short of the policy, `cuts` what a limit cut, and `left_out` what was wanted in vain; `scores`
    [N] are the strategy's, None where it has none.
    """

    rows: tuple[PortfolioRow, ...]
    notes: tuple[str, ...]
    cuts: tuple[LimitCut, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    scores: FloatArray | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A stored portfolio and the versions that it was decided from."""

    portfolio_id: str
    day: date
    rows: tuple[PortfolioRow, ...]
    model_version: str
    bars_version: int
