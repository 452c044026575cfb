"""The typed answers about decisions, orders and forecasts, with the units that a reader needs."""

import datetime as dt
from typing import Self

import polars as pl
from pydantic import BaseModel, Field

from fund.answers import Position
from internal.trading.enums import NameOutcome


class Decision(BaseModel):
    """The decision of one session, at its close."""

    date: dt.date
    portfolio_id: str
    state: str = Field(description="How far its orders are: planned, submitted, reconciled, ...")
    updated_at: dt.datetime


class Decisions(BaseModel):
    """Decisions, oldest first."""

    decisions: list[Decision]


class Funnel(BaseModel):
    """How many names were left after each condition of a decision."""

    listed: int
    priced: int = Field(description="With a close of the day")
    eligible: int = Field(description="That could have been opened long")
    forecast: int = Field(description="Of the eligible, those with a forecast; all where none is needed")
    shortable: int = Field(description="Of these, those that the broker lends")
    chosen: int = Field(description="In the portfolio after the decision")


class DecidedName(BaseModel):
    """What a decision made of one name, and why; price in dollars, quantiles of the return to the longest horizon."""

    ticker: str
    outcome: NameOutcome
    reason: str
    rank: int | None = Field(description="Its place by score among the names that are eligible or held, 1 is the best")
    price: float | None = Field(description="The close of the day")
    quantile_10: float | None
    quantile_50: float | None
    quantile_90: float | None
    shares_before: float = Field(description="Negative when short")
    side: str | None = Field(description="Long or short; null where the name is not in the portfolio")
    action: str | None = Field(description="What the decision does with it")
    quantity: float | None = Field(description="Shares after the action")


class Order(BaseModel):
    """An order of the journal; shares and dollars."""

    date: dt.date = Field(description="The session at whose close it was decided")
    ticker: str
    side: str
    leg: str = Field(description="Whether it opens or closes a position")
    quantity: float
    reference_price: float = Field(description="The close at which it was decided")
    state: str
    filled_quantity: float
    filled_average_price: float | None
    reason: str
    client_order_id: str

    @classmethod
    def list_of(cls, frame: pl.DataFrame) -> list[Self]:
        """The orders of a frame."""
        return [cls.model_validate(row) for row in frame.to_dicts()]


class Orders(BaseModel):
    """Orders, newest first."""

    orders: list[Order]


class DecisionDetails(Decision):
    """One decision: with which strategy and model, how many names each condition left, positions and orders."""

    strategy: str
    parameters: str = Field(description="JSON")
    model_version: str
    bars_version: int
    notes: list[str]
    funnel: Funnel | None = Field(description="Null for a decision that was taken before reasons were stored")
    positions: list[DecidedName] = Field(description="Names that are held before or after the decision")
    outcomes: dict[NameOutcome, int] = Field(description="Names by what became of them")
    orders: list[Order]


class DecidedNames(BaseModel):
    """Names of one decision with their reasons."""

    date: dt.date
    names: list[DecidedName]


class ForecastStep(BaseModel):
    """One session ahead: quantiles of the simple return from the close of the forecast's session to that close."""

    horizon: int = Field(description="Sessions ahead")
    target_date: dt.date
    quantile_10: float
    quantile_50: float
    quantile_90: float


class Forecast(BaseModel):
    """The forecast of a ticker's return over the next seven sessions."""

    ticker: str
    date: dt.date = Field(description="The session from whose close it was forecast")
    model_version: str
    bars_version: int
    steps: list[ForecastStep]


class ForecastWeights(BaseModel):
    """Which inputs the network looked at for a forecast; the weights of each kind sum to one."""

    ticker: str
    date: dt.date
    model_version: str
    static: dict[str, float] = Field(description="Weight by property of the ticker")
    past: dict[str, float] = Field(description="Weight by variable of past sessions")
    future: dict[str, float] = Field(description="Weight by what is known of the sessions ahead")


class TickerExplanation(BaseModel):
    """Why a ticker is held, traded or left out by a decision."""

    ticker: str
    why: str
    decision: Decision
    name: DecidedName | None = Field(description="What the decision made of it; null where it did not see it")
    orders: list[Order] = Field(description="Orders of the decision for this ticker")
    position: Position | None = Field(description="What the account holds now; null where it holds nothing")
    forecast: Forecast | None = Field(description="The forecast at that close; null where there is none")
