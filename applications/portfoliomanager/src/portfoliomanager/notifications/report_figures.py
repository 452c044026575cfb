"""The figures of a daily report as JSON: the same as in its text and its HTML."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field

from internal.dates import is_early_close, next_session, session_open
from internal.trading.enums import OrderSide
from internal.trading.orders import Order
from internal.trading.slippage import measure_slippage
from portfoliomanager.notifications.daily_report import DailyReport, DataHealth

type Dollars = Annotated[float, AfterValidator(lambda dollars: round(dollars, 2))]
"""To the cent, as the text has them."""


class GainFigures(BaseModel):
    """What one name gained since the report before."""

    ticker: str = Field(description="`account`: what belongs to no name")
    side: str = Field(description="`long`, `short`, `closed` or `account`")
    dollars: Dollars


class FillFigures(BaseModel):
    """An order that was filled, in whole or in part."""

    ticker: str
    side: OrderSide
    shares: float
    price: float | None = Field(description="average, dollars")
    decided_price: float = Field(description="the close that was decided at, dollars")
    slippage: Dollars = Field(description="dollars against that close; below 0, a gain")
    impact: Dollars | None = Field(description="of it dollars against the open; null where the open is not known")

    @classmethod
    def of(cls, order: Order, impact: float | None) -> Self:
        """The figures of an order."""
        return cls(
            ticker=order.ticker,
            side=order.side,
            shares=order.filled_quantity,
            price=order.filled_average_price,
            decided_price=order.reference_price,
            slippage=measure_slippage(order),
            impact=impact,
        )


class HandTradeFigures(BaseModel):
    """What somebody has sold or bought back of the fund's positions at the broker."""

    ticker: str
    side: OrderSide
    shares: float
    price: float | None = Field(description="average, dollars")


class FillsFigures(BaseModel):
    """The fund's fills since the decision before."""

    dollars: Dollars
    slippage: Dollars = Field(description="dollars against the closes that were decided at; below 0, a gain")
    slippage_rate: float | None = Field(description="a fraction of the filled shares' value at these closes")
    impact: Dollars | None = Field(description="of it dollars against the opens; null where an open is not known")
    orders: list[FillFigures]


class PlannedFigures(BaseModel):
    """An order of the session, as it was decided."""

    ticker: str
    side: OrderSide
    shares: float
    dollars: Dollars = Field(description="at the close that was decided at")
    reason: str

    @classmethod
    def of(cls, order: Order) -> Self:
        """The figures of an order."""
        dollars = order.quantity * order.reference_price
        return cls(ticker=order.ticker, side=order.side, shares=order.quantity, dollars=dollars, reason=order.reason)


class NextOpenFigures(BaseModel):
    """What the next open is to do."""

    date: dt.date
    opens_at: dt.datetime
    closes_early: bool
    opened: Dollars = Field(description="dollars, at the closes that were decided at")
    closed: Dollars = Field(description="dollars, at the closes that were decided at")
    orders: list[PlannedFigures]


class DataFigures(BaseModel):
    """The state of the data; null where the data service did not say it."""

    sessions_present: int | None
    sessions_expected: int | None
    to_do: list[str]
    problem: str

    @classmethod
    def of(cls, data: DataHealth) -> Self:
        """The figures of the data."""
        return cls(
            sessions_present=data.present,
            sessions_expected=data.expected,
            to_do=list(data.to_do),
            problem=data.problem,
        )


class ReportFigures(BaseModel):
    """A daily report; dollars, rates as fractions."""

    date: dt.date
    closed_early: bool
    value: Dollars = Field(description="net asset value")
    gain: Dollars = Field(description="since the report before, without what was paid in or out")
    gain_rate: float
    paid_in: Dollars = Field(description="since the report before; negative when paid out")
    cash: Dollars
    long: Dollars
    short: Dollars = Field(description="negative")
    gains_by_side: dict[str, Dollars]
    gains_by_name: list[GainFigures]
    fills: FillsFigures
    traded_by_hand: list[HandTradeFigures]
    not_decided: list[dt.date] = Field(description="sessions before this one that nobody decided")
    problem: str = Field(description="why nothing was decided; empty when something was")
    next_open: NextOpenFigures
    refused: list[PlannedFigures]
    dropped: list[PlannedFigures]
    data: DataFigures
    notes: list[str]

    @classmethod
    def of(cls, report: DailyReport) -> Self:
        """The figures of a report."""
        return cls(
            date=report.day,
            closed_early=is_early_close(report.day),
            value=report.snapshot.net_asset_value,
            gain=report.gain,
            gain_rate=report.gain_rate,
            paid_in=report.flows,
            cash=report.snapshot.cash,
            long=report.snapshot.long_market_value,
            short=report.snapshot.short_market_value,
            gains_by_side={side: float(dollars) for side, dollars in report.gains_by_side.items()},
            gains_by_name=[
                GainFigures(ticker=one.ticker, side=one.side, dollars=float(one.dollars))
                for one in report.gains_by_name
            ],
            fills=_list_fills(report),
            traded_by_hand=[
                HandTradeFigures(
                    ticker=order.ticker,
                    side=order.side,
                    shares=order.filled_quantity,
                    price=order.filled_average_price,
                )
                for order in report.by_hand
            ],
            not_decided=list(report.missed),
            problem=report.problem,
            next_open=_describe_next_open(report),
            refused=_list_planned(report.refused),
            dropped=_list_planned(report.dropped),
            data=DataFigures.of(report.data),
            notes=list(report.notes),
        )


def _list_fills(report: DailyReport) -> FillsFigures:
    return FillsFigures(
        dollars=report.fills.traded_dollars,
        slippage=report.fills.slippage,
        slippage_rate=report.fills.slippage_rate,
        impact=report.impact,
        orders=[FillFigures.of(order, report.find_impact(order)) for order in report.filled],
    )


def _describe_next_open(report: DailyReport) -> NextOpenFigures:
    following = next_session(report.day)
    return NextOpenFigures(
        date=following,
        opens_at=session_open(following),
        closes_early=is_early_close(following),
        opened=report.opened_dollars,
        closed=report.closed_dollars,
        orders=_list_planned(report.next_orders),
    )


def _list_planned(orders: Sequence[Order]) -> list[PlannedFigures]:
    return [PlannedFigures.of(order) for order in orders]
