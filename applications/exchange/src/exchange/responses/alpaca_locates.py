"""Alpaca's locates: quotes, and what became of requests."""

from pydantic import BaseModel

from exchange.responses.sparse import SparseBody


class LocateQuoteBody(SparseBody):
    """How many shares of a symbol can be located, at which fee a share; the price is left out where there are none."""

    symbol: str
    available_qty: int
    price: str | None
    quoted_at: str


class LocateQuoteErrorBody(BaseModel):
    """Why a symbol has no quote."""

    symbol: str
    code: str
    message: str


class LocateQuotesBody(BaseModel):
    """Quotes of the symbols that were asked for."""

    quotes: list[LocateQuoteBody]
    errors: list[LocateQuoteErrorBody]


class LocateBody(SparseBody):
    """One locate; what a rejected one does not have is left out."""

    id: str
    symbol: str
    requested_qty: int
    all_or_none: bool
    status: str
    created_at: str
    limit_price: str | None
    located_qty: int | None
    located_price: str | None
    total_fee: str | None
    expires_at: str | None
    rejection_reason: str | None


class LocatesBody(BaseModel):
    """A page of locates, newest first."""

    locates: list[LocateBody]
    next_page_token: str | None
