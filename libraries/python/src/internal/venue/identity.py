"""Ids that are functions of what they name, so that the same run on the same market gives the same ids again."""

from functools import lru_cache
from uuid import UUID, uuid5

EXCHANGE_NAMESPACE = UUID("6f1c6a52-3d0b-5c1e-9a57-3a1f5d2b7e90")


def asset_id(permanent_id: str) -> str:
    """The asset's id, made of its listing's permanent id: the same in every exchange and under every ticker."""
    return str(uuid5(EXCHANGE_NAMESPACE, f"asset:{permanent_id}"))


def account_id(market: str) -> str:
    """The account's id on one market."""
    return str(uuid5(EXCHANGE_NAMESPACE, f"account:{market}"))


@lru_cache(maxsize=8)
def _namespace(account: str) -> UUID:
    return UUID(account)


def order_id(account: str, sequence: int) -> str:
    """The id of the account's n-th order."""
    return str(uuid5(_namespace(account), f"order:{sequence}"))


def client_order_id(account: str, sequence: int) -> str:
    """The client order id of an order that came without one."""
    return str(uuid5(_namespace(account), f"client:{sequence}"))
