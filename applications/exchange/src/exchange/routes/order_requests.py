"""What clients send to the trading API, read field by field; a wrong one is refused in Alpaca's words.

Rules that need the account or the market are in `internal.venue.order_checks`.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from internal.venue import rejections
from internal.venue.orders import (
    OrderChanges,
    OrderClass,
    OrderRequest,
    OrderType,
    PositionIntent,
    Side,
    StopLoss,
    TimeInForce,
)

CLIENT_ORDER_ID_LENGTH = 128
UNSUPPORTED_TERMS = ("legs", "advanced_instructions")


def _refuse_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number is expected")  # noqa: TRY004 - pydantic turns a ValueError into the field's fault
    return value


type Number = Annotated[Decimal, BeforeValidator(_refuse_boolean), Field(gt=0, max_digits=20, decimal_places=9)]


def _empty_is_simple(value: object) -> object:
    return OrderClass.SIMPLE if value in ("", None) else value


class TakeProfitFields(BaseModel):
    """`take_profit` of an order."""

    model_config = ConfigDict(extra="ignore")

    limit_price: Number | None = None


class StopLossFields(BaseModel):
    """`stop_loss` of an order."""

    model_config = ConfigDict(extra="ignore")

    stop_price: Number | None = None
    limit_price: Number | None = None

    def to_stop_loss(self) -> StopLoss | None:
        """The stop-loss; None where it has no stop price."""
        return None if self.stop_price is None else StopLoss(self.stop_price, self.limit_price)


class SubmitOrderFields(BaseModel):
    """`POST /v2/orders`; `refuse_unsupported_terms` looks at what this exchange does not simulate."""

    model_config = ConfigDict(extra="ignore")

    symbol: str = Field(min_length=1)
    qty: Number | None = None
    notional: Number | None = None
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    limit_price: Number | None = None
    stop_price: Number | None = None
    trail_price: Number | None = None
    trail_percent: Number | None = None
    order_class: Annotated[OrderClass, BeforeValidator(_empty_is_simple)] = OrderClass.SIMPLE
    take_profit: TakeProfitFields = TakeProfitFields()
    stop_loss: StopLossFields = StopLossFields()
    extended_hours: bool = False
    client_order_id: str | None = Field(None, max_length=CLIENT_ORDER_ID_LENGTH)
    position_intent: PositionIntent | None = None

    def to_request(self) -> OrderRequest:
        """The order's terms. Raises RequestRefusedError unless exactly one of qty and notional is given."""
        if self.qty is None and self.notional is None:
            raise rejections.invalid_field("qty or notional is required")
        if self.qty is not None and self.notional is not None:
            raise rejections.invalid_field("only one of qty or notional is accepted")
        return OrderRequest(
            ticker=self.symbol,
            side=self.side,
            type=self.type,
            time_in_force=self.time_in_force,
            quantity=self.qty,
            notional=self.notional,
            limit_price=self.take_profit.limit_price if self.order_class is OrderClass.OCO else self.limit_price,
            client_order_id=self.client_order_id,
            position_intent=self.position_intent,
            stop_price=self.stop_price,
            trail_price=self.trail_price,
            trail_percent=self.trail_percent,
            order_class=self.order_class,
            take_profit=self.take_profit.limit_price,
            stop_loss=self.stop_loss.to_stop_loss(),
            extended_hours=self.extended_hours,
        )


class ReplaceOrderFields(BaseModel):
    """`PATCH /v2/orders/{id}`."""

    model_config = ConfigDict(extra="ignore")

    qty: Number | None = None
    time_in_force: TimeInForce | None = None
    limit_price: Number | None = None
    stop_price: Number | None = None
    trail: Number | None = None
    client_order_id: str | None = Field(None, max_length=CLIENT_ORDER_ID_LENGTH)

    def to_changes(self) -> OrderChanges:
        """The changes. Raises RequestRefusedError when there is none."""
        if not self.model_dump(exclude_none=True):
            raise rejections.invalid_field(
                "at least one of qty, time_in_force, limit_price, stop_price, trail, client_order_id is required"
            )
        return OrderChanges(
            self.qty, self.time_in_force, self.limit_price, self.client_order_id, self.stop_price, self.trail
        )


class ClosePositionFields(BaseModel):
    """`DELETE /v2/positions/{symbol}`: all of it, so many shares, or a percentage."""

    qty: Number | None = None
    percentage: Annotated[Decimal, Field(gt=0, le=100, max_digits=12)] | None = None


def parse_fields[Body: BaseModel](model: type[Body], values: Mapping[str, object]) -> Body:
    """The body as the model reads it. Raises RequestRefusedError that names the first wrong field."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][:1])
        words = "is required" if first["type"] == "missing" else f"is invalid: {first['msg']}"
        raise rejections.invalid_field(f"{name} {words}") from None


def refuse_unsupported_terms(values: Mapping[str, object]) -> None:
    """Raises RequestRefusedError for terms that the real broker takes and this exchange does not simulate."""
    for name in UNSUPPORTED_TERMS:
        if name in values:
            raise rejections.invalid_field(f"{name} is invalid: this exchange does not simulate it")


def parse_order(content: bytes) -> dict[str, object]:
    """The fields of an order's body that say something: null, an empty text and an empty object count as left out."""
    return {name: value for name, value in parse_object(content).items() if value not in (None, "", {}, [])}


def parse_object(content: bytes) -> dict[str, object]:
    """The body as a JSON object. Raises RequestRefusedError when it is none."""
    try:
        values: object = json.loads(content, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise rejections.malformed_body() from None
    if not isinstance(values, dict):
        raise rejections.malformed_body()
    return cast("dict[str, object]", values)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
