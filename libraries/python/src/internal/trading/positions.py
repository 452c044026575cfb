"""The fund's own positions: their entries, the band of the forecast in force, and what of the account is foreign."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from internal.trading.enums import Side


class Entry(NamedTuple):
    """A session in which shares of a position were bought, or sold short."""

    ticker: str
    date: date


class Band(NamedTuple):
    """Quantiles of the cumulative simple return from entry."""

    quantile_10: float
    quantile_50: float
    quantile_90: float


@dataclass(frozen=True, slots=True)
class Position:
    """A position of the fund.

    Attributes:
        ticker: Its name at the broker.
        quantity: Shares, negative when short.
        opened_date: The session of its first fill.
        entry_price: The average of its entries, dollars, in the terms of the day of the decision.
        band: The band that was stored last with the position; None when none is.
        broker_price: What the broker values a share at, dollars, in the terms of the day of the decision; None where it
            has no price.
        security_id: The permanent id under which the fund holds it; a new ticker changes nothing of it.
    """

    ticker: str
    quantity: float
    opened_date: date
    entry_price: float
    band: Band | None
    broker_price: float | None = None
    security_id: str | None = None

    @property
    def side(self) -> Side:
        """Long above 0 shares, short below."""
        return Side.LONG if self.quantity > 0 else Side.SHORT


@dataclass(frozen=True, slots=True)
class OwnPositions:
    """The account's positions, divided into the fund's own and what is foreign (signed shares by ticker)."""

    positions: tuple[Position, ...]
    foreign: Mapping[str, float] = field(default_factory=dict[str, float])
