"""The rows of the account's history: what changed cash or shares."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of cash that is no fill. `quantity` and `price` are None where Alpaca's row has none."""

    activity_type: str
    ticker: str | None
    net_amount: Decimal
    description: str
    quantity: Decimal | None = None
    price: Decimal | None = None
