"""Alpaca's messages on its stream."""

from pydantic import BaseModel

from exchange.responses.alpaca import OrderBody


class TradeUpdateBody(BaseModel):
    """What happened to an order; price and shares of a fill, and the position after it, are left out otherwise."""

    event: str
    execution_id: str
    order: OrderBody
    timestamp: str
    position_qty: str | None
    price: str | None
    qty: str | None


class StreamMessage(BaseModel):
    """One message: the name of its stream, and what it says."""

    stream: str
    data: TradeUpdateBody | dict[str, str | list[str]]

    def content(self) -> dict[str, object]:
        """The message as plain values; an order keeps its null fields, an update without a fill has no price."""
        content = self.model_dump()
        if isinstance(self.data, TradeUpdateBody):
            content["data"] = {name: value for name, value in content["data"].items() if value is not None}
        return content
