"""Alpaca's answers about market data, with all keys and types of the real ones."""

from pydantic import BaseModel


class DataBarBody(BaseModel):
    """One daily bar: prices in dollars, volume in shares; `t` is New York's midnight in UTC."""

    t: str
    o: float
    h: float
    l: float  # noqa: E741 - the vendor's key
    c: float
    v: float
    n: int | None
    vw: float | None


class BarsBody(BaseModel):
    """`GET /v2/stocks/bars`: a symbol without a bar is left out."""

    bars: dict[str, list[DataBarBody]]
    next_page_token: str | None


class SymbolBarsBody(BaseModel):
    """`GET /v2/stocks/{symbol}/bars`: `bars` is null where there are none."""

    bars: list[DataBarBody] | None
    symbol: str
    next_page_token: str | None


class CorporateActionsBody(BaseModel):
    """`GET /v1/corporate-actions`: the actions by type."""

    corporate_actions: dict[str, list[dict[str, str | float | bool]]]
    next_page_token: str | None
