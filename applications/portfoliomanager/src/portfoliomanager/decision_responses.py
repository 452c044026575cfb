"""The JSON bodies of a past decision: its funnel, every name with what became of it, and its replay."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Self

from pydantic import BaseModel, Field

from internal.trading.decision_records import DecisionRecord, NameRecord
from internal.trading.enums import Action, NameOutcome, Side
from internal.trading.funnel import Funnel
from internal.trading.orders import Order
from internal.trading.rank_cutoffs import RankCutoffs
from internal.trading.replay import Replay
from internal.trading.runs import RebalanceRun
from portfoliomanager.responses import DecisionResponse, FunnelResponse, OrderResponse, RowResponse


class NameResponse(BaseModel):
    """A name of the day, or one that was held."""

    ticker: str
    security_id: str | None
    outcome: NameOutcome
    reason: str
    rank: int | None = Field(description="its place by score among the names that are eligible or held, 1 is the best")
    price: float | None = Field(description="the close of the day, dollars")
    quantile_10: float | None = Field(description="cumulative simple return over the longest horizon")
    quantile_50: float | None
    quantile_90: float | None
    shares_before: float = Field(description="negative when short")
    side: Side | None
    action: Action | None
    quantity: float | None = Field(description="shares after the action")

    @classmethod
    def of(cls, name: NameRecord, cutoffs: RankCutoffs) -> Self:
        """The name as it was stored; the reason of one that was not chosen says where the ranking was cut."""
        forecast, row = name.forecast, name.row
        return cls(
            ticker=name.ticker,
            security_id=name.security_id,
            outcome=name.outcome,
            reason=cutoffs.explain(name),
            rank=name.rank,
            price=name.price,
            quantile_10=forecast.quantile_10 if forecast else None,
            quantile_50=forecast.quantile_50 if forecast else None,
            quantile_90=forecast.quantile_90 if forecast else None,
            shares_before=name.position.quantity if name.position else 0.0,
            side=row.side if row else None,
            action=row.action if row else None,
            quantity=row.quantity if row else None,
        )


class DecisionDetailResponse(DecisionResponse):
    """A decision, of all names or one.

    `funnel` counts all names; it and `names` are empty for a decision that was taken before they were stored.
    """

    strategy: str
    parameters: str = Field(description="JSON")
    strategy_digest: str = Field(description="SHA-256 of the strategy's file")
    model_version: str
    bars_version: int
    known_at: dt.datetime | None
    notes: list[str]
    orders: list[OrderResponse]
    funnel: FunnelResponse | None
    names: list[NameResponse]

    @classmethod
    def of(cls, run: RebalanceRun, orders: Iterable[Order], record: DecisionRecord | None, ticker: str | None) -> Self:
        """The run with its orders and, where it was stored, its record; with a ticker, its name and orders alone."""
        names: Sequence[NameRecord] = () if record is None else record.names
        cutoffs = RankCutoffs.of(names)
        return cls(
            **DecisionResponse.model_validate(run).model_dump(),
            strategy=run.policy,
            parameters=run.parameters,
            strategy_digest=run.strategy_digest,
            model_version=run.model_version,
            bars_version=run.bars_version,
            known_at=run.known_at,
            notes=list(run.notes),
            orders=[OrderResponse.model_validate(order) for order in orders if ticker in {None, order.ticker}],
            funnel=None if record is None else FunnelResponse.model_validate(Funnel.of(record.names)),
            names=[NameResponse.of(name, cutoffs) for name in names if ticker in {None, name.ticker}],
        )


class DifferenceResponse(RowResponse):
    """A value of a name that is not the same now."""

    ticker: str
    field: str
    then: str
    now: str


class ReplayResponse(RowResponse):
    """A decision taken again; without differences its orders are the same to the bit."""

    portfolio_id: str
    day: dt.date
    name_count: int
    has_same_rules: bool = Field(description="whether strategy, parameters and limits are those of then")
    differences: list[DifferenceResponse]

    @classmethod
    def of(cls, replay: Replay) -> Self:
        """The replay."""
        return cls.model_validate(replay)
