"""Why the venue refuses a request: the reason for rules, a sentence in Alpaca's words for people."""

from decimal import Decimal
from enum import StrEnum

from internal.venue.money import plain


class RefusalReason(StrEnum):
    """What kind of refusal it is; the trading API gives each its status and code."""

    MALFORMED_BODY = "malformed_body"
    INVALID_FIELD = "invalid_field"
    DUPLICATE_CLIENT_ORDER_ID = "duplicate_client_order_id"
    UNPROCESSABLE = "unprocessable"
    NOT_SHORTABLE = "not_shortable"
    TRADING_SUSPENDED = "trading_suspended"
    INSUFFICIENT_BUYING_POWER = "insufficient_buying_power"
    INSUFFICIENT_QUANTITY = "insufficient_quantity"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"


class RequestRefusedError(Exception):
    """A request that the venue does not carry out; nothing was changed.

    `details` holds what the broker's answer says besides the sentence, e.g. `buying_power` or `existing_order_id`.
    """

    def __init__(self, reason: RefusalReason, message: str, **details: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.details = details


def malformed_body() -> RequestRefusedError:
    """A body that is no JSON object."""
    return RequestRefusedError(RefusalReason.MALFORMED_BODY, "request body format is invalid")


def invalid_field(message: str) -> RequestRefusedError:
    """A field that is missing, unknown or contradicts another."""
    return RequestRefusedError(RefusalReason.INVALID_FIELD, message)


def duplicate_client_order_id() -> RequestRefusedError:
    """An order with the client's id was accepted before, whatever became of it."""
    return RequestRefusedError(RefusalReason.DUPLICATE_CLIENT_ORDER_ID, "client_order_id must be unique")


def unprocessable(message: str) -> RequestRefusedError:
    """A request that reads well and cannot be carried out."""
    return RequestRefusedError(RefusalReason.UNPROCESSABLE, message)


def not_shortable(ticker: str) -> RequestRefusedError:
    """A short sale of shares that nobody lends."""
    return RequestRefusedError(RefusalReason.NOT_SHORTABLE, f'asset "{ticker}" cannot be sold short')


def trading_suspended() -> RequestRefusedError:
    """Any new order while the owner has suspended trading in the whole account."""
    return RequestRefusedError(RefusalReason.TRADING_SUSPENDED, "new orders are rejected by user request")


def forbidden(message: str, **details: str) -> RequestRefusedError:
    """An order that the account may not send now."""
    return RequestRefusedError(RefusalReason.FORBIDDEN, message, **details)


def beyond_base_price(message: str, base_price: Decimal) -> RequestRefusedError:
    """An exit on the wrong side of the price at which its entry would fill."""
    return RequestRefusedError(RefusalReason.UNPROCESSABLE, message, base_price=plain(base_price))


def not_found(message: str) -> RequestRefusedError:
    """An order, asset or position that is not there."""
    return RequestRefusedError(RefusalReason.NOT_FOUND, message)


def insufficient_quantity(ticker: str, requested: Decimal, existing: Decimal, held: Decimal) -> RequestRefusedError:
    """A closing order for more shares than are free; `existing` and `held` are counted without sign."""
    available = max(existing - held, Decimal(0))
    return RequestRefusedError(
        RefusalReason.INSUFFICIENT_QUANTITY,
        f"insufficient qty available for order (requested: {plain(requested)}, available: {plain(available)})",
        available=plain(available),
        existing_qty=plain(existing),
        held_for_orders=plain(held),
        symbol=ticker,
    )


def insufficient_buying_power(buying_power: Decimal, cost_basis: Decimal) -> RequestRefusedError:
    """An opening order that costs more than the account can carry."""
    return RequestRefusedError(
        RefusalReason.INSUFFICIENT_BUYING_POWER,
        "insufficient buying power",
        buying_power=plain(buying_power),
        cost_basis=plain(cost_basis),
    )
