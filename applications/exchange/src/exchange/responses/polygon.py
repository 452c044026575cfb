"""Polygon's bodies; a field that the market does not have is left out, as the vendor leaves it out."""

from uuid import uuid4

from pydantic import BaseModel, Field

from exchange.responses.sparse import SparseBody


def request_id() -> str:
    """32 hexadecimal digits, as the vendor's."""
    return uuid4().hex


class BarBody(SparseBody):
    """One bar under the vendor's letters; `timestamp` in milliseconds since 1970 UTC, prices in US dollars."""

    ticker: str | None = Field(None, serialization_alias="T")
    volume: float = Field(serialization_alias="v")
    volume_weighted_average_price: float | None = Field(serialization_alias="vw")
    open: float = Field(serialization_alias="o")
    close: float = Field(serialization_alias="c")
    high: float = Field(serialization_alias="h")
    low: float = Field(serialization_alias="l")
    timestamp: int = Field(serialization_alias="t")
    transactions: int | None = Field(serialization_alias="n")


class AggregatesBody(SparseBody):
    """Bars in the vendor's envelope; without bars it has no `results` at all."""

    ticker: str | None = None
    query_count: int = Field(serialization_alias="queryCount")
    results_count: int = Field(serialization_alias="resultsCount")
    adjusted: bool
    results: list[BarBody] | None
    status: str = "OK"
    request_id: str = Field(default_factory=request_id)
    count: int
    next_url: str | None = None


class PageBody(SparseBody):
    """What every page of a reference list has besides its rows."""

    status: str = "OK"
    request_id: str = Field(default_factory=request_id)
    count: int
    next_url: str | None


class TickerRow(SparseBody):
    """A row of `/v3/reference/tickers`."""

    ticker: str
    name: str
    market: str
    locale: str
    primary_exchange: str
    type: str | None
    active: bool
    currency_name: str
    cik: str | None = None
    composite_figi: str | None = None
    share_class_figi: str | None = None
    last_updated_utc: str | None = None
    delisted_utc: str | None = None


class TickersBody(PageBody):
    """A page of tickers."""

    results: list[TickerRow]


class SplitRow(BaseModel):
    """A row of `/v3/reference/splits`: `split_to` shares for `split_from`."""

    id: str
    ticker: str
    execution_date: str
    split_from: int | float
    split_to: int | float


class SplitsBody(PageBody):
    """A page of splits."""

    results: list[SplitRow]


class DividendRow(BaseModel):
    """A row of `/v3/reference/dividends`; `cash_amount` in US dollars a share, `frequency` in payments a year."""

    id: str
    ticker: str
    ex_dividend_date: str
    cash_amount: int | float
    declaration_date: str | None = None
    record_date: str | None = None
    pay_date: str | None = None
    currency: str
    dividend_type: str
    frequency: int


class DividendsBody(PageBody):
    """A page of dividends."""

    results: list[DividendRow]


class StockSplitRow(BaseModel):
    """A row of `/stocks/v1/splits`; the factor brings prices of before the day to shares of now."""

    id: str
    ticker: str
    execution_date: str
    split_from: int | float
    split_to: int | float
    adjustment_type: str
    historical_adjustment_factor: float


class StockSplitsBody(PageBody):
    """A page of splits and stock dividends."""

    results: list[StockSplitRow]


class StockDividendRow(BaseModel):
    """A row of `/stocks/v1/dividends`; `split_adjusted_cash_amount` in US dollars for a share of now."""

    id: str
    ticker: str
    ex_dividend_date: str
    cash_amount: int | float
    split_adjusted_cash_amount: int | float
    declaration_date: str | None = None
    record_date: str | None = None
    pay_date: str | None = None
    currency: str
    distribution_type: str
    frequency: int


class StockDividendsBody(PageBody):
    """A page of dividends."""

    results: list[StockDividendRow]


class TickerChange(BaseModel):
    """The ticker that a security has from an event on."""

    ticker: str


class TickerEvent(BaseModel):
    """A change of ticker."""

    type: str = "ticker_change"
    date: str
    ticker_change: TickerChange


class TickerEvents(SparseBody):
    """A security and its tickers, newest first."""

    name: str
    composite_figi: str | None
    cik: str | None
    events: list[TickerEvent]


class TickerEventsBody(BaseModel):
    """`/vX/reference/tickers/{id}/events`."""

    results: TickerEvents
    status: str = "OK"
    request_id: str = Field(default_factory=request_id)


class Address(BaseModel):
    """A company's office."""

    address1: str
    city: str
    state: str
    postal_code: str


class Branding(BaseModel):
    """Where a company's pictures are."""

    logo_url: str
    icon_url: str


class TickerDetails(TickerRow):
    """One ticker and the company behind it; `market_cap` in US dollars, shares as of the day asked for."""

    sic_code: str | None
    sic_description: str | None
    ticker_root: str
    list_date: str
    market_cap: float | None
    share_class_shares_outstanding: int | None
    weighted_shares_outstanding: int | None
    round_lot: int
    address: Address | None = None
    branding: Branding | None = None
    description: str | None = None
    homepage_url: str | None = None
    phone_number: str | None = None
    total_employees: int | None = None


class DetailsBody(BaseModel):
    """`/v3/reference/tickers/{ticker}`."""

    results: TickerDetails
    status: str = "OK"
    request_id: str = Field(default_factory=request_id)


class MarketStatusBody(BaseModel):
    """`/v1/marketstatus/now`; `server_time` is New York's."""

    after_hours: bool = Field(serialization_alias="afterHours")
    currencies: dict[str, str]
    early_hours: bool = Field(serialization_alias="earlyHours")
    exchanges: dict[str, str]
    indices_groups: dict[str, str] = Field(serialization_alias="indicesGroups")
    market: str
    server_time: str = Field(serialization_alias="serverTime")
