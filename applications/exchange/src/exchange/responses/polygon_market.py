"""Polygon's bodies of holidays, types of tickers, open and close of a day, and snapshots."""

from typing import Annotated

from pydantic import BaseModel, Field

from exchange.responses.polygon import request_id


class HolidayBody(BaseModel):
    """One exchange's closed day or early close; moments in UTC."""

    date: str
    exchange: str
    name: str
    status: str
    open: str | None = None
    close: str | None = None


class TickerType(BaseModel):
    """One type of ticker."""

    code: str
    description: str
    asset_class: str = "stocks"
    locale: str = "us"


class TickerTypesBody(BaseModel):
    """`/v3/reference/tickers/types`."""

    results: list[TickerType]
    status: str = "OK"
    request_id: str = Field(default_factory=request_id)
    count: int


class OpenCloseBody(BaseModel):
    """`/v1/open-close/{ticker}/{date}`; prices in US dollars, volume in shares."""

    status: str = "OK"
    date: str = Field(serialization_alias="from")
    symbol: str
    open: float
    high: float
    low: float
    close: float
    volume: float


class SnapshotBar(BaseModel):
    """One session's bar in a snapshot; zeros where there is none."""

    open: Annotated[float, Field(serialization_alias="o")] = 0.0
    high: Annotated[float, Field(serialization_alias="h")] = 0.0
    low: Annotated[float, Field(serialization_alias="l")] = 0.0
    close: Annotated[float, Field(serialization_alias="c")] = 0.0
    volume: Annotated[float, Field(serialization_alias="v")] = 0.0
    volume_weighted_average_price: Annotated[float | None, Field(serialization_alias="vw")] = None

    def at_open(self) -> "SnapshotBar":
        """What is known of the bar while its session runs: the open."""
        return SnapshotBar(open=self.open, high=self.open, low=self.open, close=self.open)


class TickerSnapshot(BaseModel):
    """The latest state of a ticker; `updated` in nanoseconds since 1970 UTC."""

    ticker: str
    day: SnapshotBar
    prev_day: SnapshotBar = Field(serialization_alias="prevDay")
    todays_change: float = Field(serialization_alias="todaysChange")
    todays_change_percent: float = Field(serialization_alias="todaysChangePerc")
    updated: int


class SnapshotBody(BaseModel):
    """One ticker's snapshot."""

    status: str = "OK"
    request_id: str = Field(default_factory=request_id)
    ticker: TickerSnapshot


class SnapshotsBody(BaseModel):
    """Many tickers' snapshots."""

    status: str = "OK"
    request_id: str = Field(default_factory=request_id)
    count: int
    tickers: list[TickerSnapshot]
