"""The view of one ticker's page: its price under the stored forecasts, the fund's trades in it, and what it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import polars as pl

from internal.security_types import DESCRIPTIONS
from internal.trading.enums import OrderSide
from internal.trading.orders import Order
from internal.trading.positions import Entry
from portfoliomanager.fill_days import fill_day
from portfoliomanager.pages.book import PositionLine
from portfoliomanager.pages.corporate_actions import ActionLine
from portfoliomanager.pages.past_forecasts import Coverage, PastForecast, measure_coverage
from portfoliomanager.pages.sources import Found

SHOWN_FORECASTS = 25  # of the table; the chart has all
EXCHANGES = {"XNYS": "NYSE", "XNAS": "Nasdaq", "XASE": "NYSE American", "ARCX": "NYSE Arca", "BATS": "Cboe BZX"}


@dataclass(frozen=True)
class TickerDetails:
    """What a security is; empty or None where it is not known.

    Attributes:
        name: The company or fund.
        sector: In words.
        industry: In words.
        security_type: In words, as `Common Stock`.
        exchange: Where it is listed first.
        listed: Since when.
        delisted: When it left the exchange.
        central_index_key: The SEC's number of its company.
        security_id: The permanent id of the security.
        ticker_since: The first session under this ticker.
    """

    name: str
    sector: str
    industry: str
    security_type: str
    exchange: str
    listed: date | None
    delisted: date | None
    central_index_key: str
    security_id: str
    ticker_since: date | None


def read_details(details: pl.DataFrame, ticker: str) -> TickerDetails | None:
    """The details of a ticker, from rows of `schemas.equity_details` with ids; None where there are none."""
    rows = details.filter(pl.col("ticker") == ticker).to_dicts()
    if not rows:
        return None
    row = rows[0]
    text = {name: value for name, value in row.items() if isinstance(value, str)}
    code, exchange = text.get("security_type", ""), text.get("primary_exchange", "")
    return TickerDetails(
        name=text.get("name", ""),
        sector=text.get("sector", "").title(),
        industry=text.get("industry", "").capitalize(),
        security_type=DESCRIPTIONS.get(code, code),
        exchange=EXCHANGES.get(exchange, exchange),
        listed=row["listed_date"],
        delisted=row["delisted_date"],
        central_index_key=text.get("central_index_key", ""),
        security_id=text.get("security_id", ""),
        ticker_since=row["ticker_since"],
    )


def is_of(order: Order, ticker: str, security_id: str) -> bool:
    """Whether an order was one in the security, under whichever name it had; old orders have no id."""
    return order.security_id == security_id if order.security_id and security_id else order.ticker == ticker


@dataclass(frozen=True)
class TickerOrder:
    """An order of the fund.

    Attributes:
        order: The journal's row.
        day: The New York day of its last change: of its fill, once it is filled.
        factor: From the price of that day into the terms of the last close; None where it is not known.
    """

    order: Order
    day: date
    factor: float | None

    @classmethod
    def of(cls, order: Order, factors: Mapping[Entry, float]) -> Self:
        """The line of an order."""
        day = fill_day(order)
        return cls(order, day, factors.get(Entry(order.ticker, day)))

    @property
    def shown_price(self) -> float | None:
        """The average fill in the terms of the last close."""
        price = self.order.filled_average_price
        return price * self.factor if price is not None and self.factor is not None else None

    @property
    def slippage(self) -> float | None:
        """What the fill lost against the close that was decided on, a fraction; positive is a cost."""
        price, order = self.order.filled_average_price, self.order
        if price is None or order.reference_price <= 0:
            return None
        change = price / order.reference_price - 1
        return change if order.side is OrderSide.BUY else -change


@dataclass(frozen=True)
class Quotes:
    """Closes of the ticker and its stored forecasts, in the terms of the last close; both are oldest first."""

    closes: Mapping[date, float]
    forecasts: tuple[PastForecast, ...]


@dataclass(frozen=True)
class TickerView:
    """The page.

    Attributes:
        ticker: As it was asked for.
        details: What it is; None inside where it is not known.
        quotes: Closes and forecasts.
        orders: Of the fund, newest first.
        position: What the fund holds; None inside for nothing.
        actions: Its corporate actions, newest first.
    """

    ticker: str
    details: Found[TickerDetails | None]
    quotes: Found[Quotes]
    orders: Found[Sequence[TickerOrder]]
    position: Found[PositionLine | None]
    actions: Found[Sequence[ActionLine]]

    @property
    def is_unknown(self) -> bool:
        """Whether every source answered, and none has anything of such a ticker."""
        if self.details.problem or self.quotes.problem or self.orders.problem or self.position.problem:
            return False
        quotes = self.quotes.value
        has_quotes = quotes is not None and bool(quotes.closes or quotes.forecasts)
        return not (self.details.value or has_quotes or self.orders.value or self.position.value)

    @property
    def closes(self) -> list[tuple[date, float]]:
        """Closes by session; empty where there are none."""
        return list(self.quotes.value.closes.items()) if self.quotes.value else []

    @property
    def forecasts(self) -> tuple[PastForecast, ...]:
        """Stored forecasts; empty where there are none."""
        return self.quotes.value.forecasts if self.quotes.value else ()

    @property
    def shown(self) -> tuple[PastForecast, ...]:
        """Of the table: the newest forecasts, newest first."""
        return self.forecasts[: -SHOWN_FORECASTS - 1 : -1]

    @property
    def change(self) -> float | None:
        """The last session's return."""
        closes = self.closes
        return closes[-1][1] / closes[-2][1] - 1 if len(closes) > 1 else None

    @property
    def coverage(self) -> tuple[Coverage, ...]:
        """By horizon, how often the outcome lay inside the band."""
        return measure_coverage(self.forecasts)

    @property
    def inside(self) -> tuple[int, int]:
        """Over all horizons: outcomes inside their band, and all."""
        return sum(one.inside for one in self.coverage), sum(one.known for one in self.coverage)

    @property
    def widths(self) -> list[float]:
        """The width of the last horizon's band, by forecast."""
        return [one.last.band.high - one.last.band.low for one in self.forecasts]

    @property
    def chart(self) -> dict[str, object]:
        """The data of the charts; prices in the terms of the last close, returns as fractions."""
        return {
            "closes": [[day.isoformat(), round(close, 4)] for day, close in self.closes],
            "fans": [_draw_fan(one) for one in self.forecasts],
            "orders": [
                {
                    "day": one.day.isoformat(),
                    "side": one.order.side.value,
                    "quantity": one.order.filled_quantity,
                    "price": round(one.shown_price, 4),
                }
                for one in self.orders.value or ()
                if one.shown_price is not None
            ],
        }


def _draw_fan(forecast: PastForecast) -> dict[str, object]:
    bands = [(one.band.low, one.band.middle, one.band.high) for one in forecast.targets]
    return {
        "origin": forecast.origin.isoformat(),
        "model": forecast.model_version[:8],
        "base": round(forecast.base, 4),
        "targets": [one.day.isoformat() for one in forecast.targets],
        "returns": [[round(value, 6) for value in band] for band in bands],
        "prices": [[round(forecast.price(value), 4) for value in band] for band in bands],
        "inside": [one.is_inside for one in forecast.targets],
    }
