"""What of the account is somebody else's: a position or an open order."""

from dataclasses import dataclass

from internal.trading.enums import ForeignKind, OrderSide


@dataclass(frozen=True, slots=True)
class ForeignItem:
    """A position or an open order in the account that the journal does not explain."""

    kind: ForeignKind
    ticker: str
    quantity: float  # shares; of a position negative when short
    side: OrderSide | None = None
    client_order_id: str | None = None
