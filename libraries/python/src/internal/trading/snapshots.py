"""The fund's value at a moment, and what trading has cost so far."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The fund's value at a moment of the market's clock, and what trading has cost so far; dollars.

    `pool` is what gains are measured on; None where it is the net asset value itself.
    """

    timestamp: datetime
    portfolio_id: str
    net_asset_value: float
    cash: float
    long_market_value: float
    short_market_value: float
    slippage: float
    fees: float
    borrow: float
    pool: float | None = None
