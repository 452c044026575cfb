"""Alpaca's refusals: each with the status, code and message of the real broker.

Knows error bodies. Knows nothing of the rules that lead to them (`acceptance`, `requests`) or of HTTP.
"""

from decimal import Decimal

from internal.venue.money import plain


class AlpacaError(Exception):
    """A refusal that answers with Alpaca's body: `code`, `message`, and what the real one adds to them."""

    def __init__(self, status: int, code: int | None, message: str, **extra: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, object] = {} if code is None else {"code": code}
        self.body |= {"message": message, **extra}


def unauthorized() -> AlpacaError:
    """A key pair that the broker does not know."""
    return AlpacaError(401, None, "unauthorized.")


def malformed_body() -> AlpacaError:
    """A body that is no JSON object."""
    return AlpacaError(400, 40010000, "request body format is invalid")


def invalid(message: str) -> AlpacaError:
    """A field that is missing, unknown or contradicts another."""
    return AlpacaError(422, 40010001, message)


def unprocessable(message: str) -> AlpacaError:
    """A request that reads well and cannot be carried out."""
    return AlpacaError(422, 42210000, message)


def forbidden(message: str, **extra: str) -> AlpacaError:
    """An order that the account may not send now."""
    return AlpacaError(403, 40310000, message, **extra)


def not_found(message: str) -> AlpacaError:
    """An order, asset or position that is not there."""
    return AlpacaError(404, 40410000, message)


def insufficient_quantity(ticker: str, requested: Decimal, existing: Decimal, held: Decimal) -> AlpacaError:
    """A closing order for more shares than are free; `existing` and `held` are counted without sign."""
    available = max(existing - held, Decimal(0))
    message = f"insufficient qty available for order (requested: {plain(requested)}, available: {plain(available)})"
    return forbidden(
        message,
        available=plain(available),
        existing_qty=plain(existing),
        held_for_orders=plain(held),
        symbol=ticker,
    )


def insufficient_buying_power(buying_power: Decimal, cost_basis: Decimal) -> AlpacaError:
    """An opening order that costs more than the account can carry."""
    return forbidden("insufficient buying power", buying_power=plain(buying_power), cost_basis=plain(cost_basis))
