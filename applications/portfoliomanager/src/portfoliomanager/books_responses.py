"""The JSON bodies of the books: profit and loss, lots, realised gains, and differences from the broker; dollars."""

import datetime as dt
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from internal.books.ledger import ACCOUNT
from internal.books.lots import Lot
from internal.books.profit import Profit
from internal.books.reconciliation import Difference, DifferenceKind
from internal.books.tax_form import TaxRow, Term
from portfoliomanager.account_books import BooksView


class ProfitResponse(BaseModel):
    """Dollars gained by kind; what was paid is negative."""

    model_config = ConfigDict(from_attributes=True)
    price: float = Field(description="realised and unrealised, at the prices that were decided at")
    slippage: float = Field(description="fills against those prices")
    dividend: float = Field(description="received on longs, less paid on shorts and withheld")
    fee: float
    borrow: float
    interest: float
    other: float = Field(description="activities of a type that the books do not know")
    total: float


class NamedProfitResponse(ProfitResponse):
    """Dollars gained with one name."""

    ticker: str | None = Field(description="null: what belongs to no security")

    @classmethod
    def of_name(cls, ticker: str, profit: Profit) -> Self:
        """The name's profit as JSON."""
        return cls(ticker=None if ticker == ACCOUNT else ticker, **ProfitResponse.model_validate(profit).model_dump())


class DifferenceResponse(BaseModel):
    """The books and the broker disagree: dollars of cash, or signed shares of a ticker."""

    model_config = ConfigDict(from_attributes=True)
    kind: DifferenceKind
    ticker: str | None
    books: float
    broker: float
    causes: list[str]

    @classmethod
    def of(cls, difference: Difference) -> Self:
        """The difference as JSON."""
        return cls.model_validate(difference)


class BooksResponse(BaseModel):
    """The books beside the broker; net asset value = flows + profit + unexplained."""

    as_of: dt.datetime = Field(description="the market's clock")
    cash: float
    flows: float = Field(description="paid in less paid out, the opening balance included")
    net_asset_value: float = Field(description="the broker's figure")
    profit: ProfitResponse
    unexplained: float = Field(description="0 unless there are differences")
    differences: list[DifferenceResponse]
    notes: list[str] = Field(description="what the activities leave open, one sentence each")

    @classmethod
    def of(cls, view: BooksView) -> Self:
        """The books as JSON."""
        return cls(
            as_of=view.as_of,
            cash=float(view.books.cash),
            flows=float(view.books.flows),
            net_asset_value=float(view.net_asset_value),
            profit=ProfitResponse.model_validate(view.profit),
            unexplained=float(view.unexplained),
            differences=[DifferenceResponse.of(one) for one in view.differences],
            notes=list(view.books.notes),
        )


class LotResponse(BaseModel):
    """Shares of one opening that are still held."""

    ticker: str
    number: int
    opened: dt.date
    quantity: float = Field(description="shares, negative when sold short")
    basis: float = Field(description="what they cost; negative of a short sale: what it brought")

    @classmethod
    def of(cls, lot: Lot) -> Self:
        """The lot as JSON."""
        return cls(
            ticker=lot.ticker,
            number=lot.number,
            opened=lot.opened,
            quantity=float(lot.quantity),
            basis=float(lot.basis),
        )


class GainResponse(BaseModel):
    """A closed position as a row of IRS Form 8949."""

    model_config = ConfigDict(from_attributes=True)
    term: Term
    description: str
    date_acquired: dt.date
    date_sold: dt.date
    proceeds: float
    cost: float
    code: str = Field(description="W: wash sale")
    adjustment: float = Field(description="loss that is disallowed")
    gain: float

    @classmethod
    def of(cls, row: TaxRow) -> Self:
        """The row as JSON."""
        return cls.model_validate(row)
