"""Names that are functions of what they name, so that a replayed exchange gives the same ids again.

Knows UUIDs and Alpaca's activity ids. Knows nothing of what carries them.
"""

from datetime import datetime
from uuid import UUID, uuid5

from internal.venue.clock import NEW_YORK

EXCHANGE_NAMESPACE = UUID("6f1c6a52-3d0b-5c1e-9a57-3a1f5d2b7e90")


def asset_id(ticker: str) -> str:
    """The asset's id: the same in every exchange."""
    return str(uuid5(EXCHANGE_NAMESPACE, f"asset:{ticker}"))


def account_id(market: str) -> str:
    """The account's id on one market."""
    return str(uuid5(EXCHANGE_NAMESPACE, f"account:{market}"))


def order_id(account: str, sequence: int) -> str:
    """The id of the account's n-th order."""
    return str(uuid5(UUID(account), f"order:{sequence}"))


def client_order_id(account: str, sequence: int) -> str:
    """The client order id of an order that came without one."""
    return str(uuid5(UUID(account), f"client:{sequence}"))


def activity_id(account: str, sequence: int, moment: datetime) -> str:
    """17 digits of New York time to the millisecond, `::`, and a UUID, as Alpaca writes them."""
    local = moment.astimezone(NEW_YORK)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}::{uuid5(UUID(account), f'activity:{sequence}')}"
