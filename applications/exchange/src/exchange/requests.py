"""What clients send to the trading API, read field by field; a wrong one is refused in Alpaca's words.

Knows the wire's names and types. Knows no rule that needs the account or the market (`acceptance` does).
"""

import json
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from internal.venue import rejections
from internal.venue.orders import OrderChanges, OrderRequest, OrderType, PositionIntent, Side, TimeInForce

CLIENT_ORDER_ID_LENGTH = 128
UNPLAYED = ("stop_price", "trail_price", "trail_percent", "trail", "take_profit", "stop_loss", "legs", "extended_hours")
PLAYED_CLASSES = frozenset({None, "", "simple"})


def _empty_is_absent(value: object) -> object:
    return None if value == "" else value


type Number = Annotated[Decimal | None, BeforeValidator(_empty_is_absent), Field(gt=0, max_digits=20, decimal_places=9)]
type ClientOrderId = Annotated[str | None, BeforeValidator(_empty_is_absent), Field(max_length=CLIENT_ORDER_ID_LENGTH)]


class OrderBody(BaseModel):
    """`POST /v2/orders`; `refuse_unplayed` looks at what this exchange cannot play."""

    model_config = ConfigDict(extra="ignore")

    symbol: str = Field(min_length=1)
    qty: Number = None
    notional: Number = None
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    limit_price: Number = None
    client_order_id: ClientOrderId = None
    position_intent: PositionIntent | None = None

    def to_request(self) -> OrderRequest:
        """The order's terms. Raises AlpacaError unless exactly one of qty and notional is given."""
        if self.qty is None and self.notional is None:
            raise rejections.invalid("qty or notional is required")
        if self.qty is not None and self.notional is not None:
            raise rejections.invalid("only one of qty or notional is accepted")
        return OrderRequest(
            ticker=self.symbol,
            side=self.side,
            type=self.type,
            time_in_force=self.time_in_force,
            quantity=self.qty,
            notional=self.notional,
            limit_price=self.limit_price,
            client_order_id=self.client_order_id,
            position_intent=self.position_intent,
        )


class ReplaceBody(BaseModel):
    """`PATCH /v2/orders/{id}`."""

    model_config = ConfigDict(extra="ignore")

    qty: Number = None
    time_in_force: TimeInForce | None = None
    limit_price: Number = None
    client_order_id: ClientOrderId = None

    def to_changes(self) -> OrderChanges:
        """The changes. Raises AlpacaError when there is none."""
        if not self.model_dump(exclude_none=True):
            raise rejections.invalid("at least one of qty, time_in_force, limit_price, client_order_id is required")
        return OrderChanges(self.qty, self.time_in_force, self.limit_price, self.client_order_id)


class ClosePositionQuery(BaseModel):
    """`DELETE /v2/positions/{symbol}`: all of it, so many shares, or a percentage."""

    qty: Number = None
    percentage: Annotated[Decimal | None, Field(gt=0, le=100, max_digits=12)] = None


def parse[Body: BaseModel](model: type[Body], values: object) -> Body:
    """The body as the model reads it. Raises AlpacaError 422 that names the first wrong field."""
    if not isinstance(values, dict):
        raise rejections.malformed_body()
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][:1])
        words = "is required" if first["type"] == "missing" else f"is invalid: {first['msg']}"
        raise rejections.invalid(f"{name} {words}") from None


def refuse_unplayed(values: object) -> None:
    """Raises AlpacaError for terms that the real broker knows and this exchange does not play."""
    if not isinstance(values, dict):
        raise rejections.malformed_body()
    if values.get("order_class") not in PLAYED_CLASSES:
        raise rejections.invalid("order_class is invalid: this exchange plays simple orders")
    for name in UNPLAYED:
        if values.get(name) not in {None, False}:
            raise rejections.invalid(f"{name} is invalid: this exchange does not play it")


def parse_json(content: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds; `parse` checks it
    """The body as JSON. Raises AlpacaError 400 when it is none."""
    try:
        return json.loads(content, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise rejections.malformed_body() from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
