"""The typed answers about backtests."""

import datetime as dt
from typing import Self

from pydantic import BaseModel, Field

from internal.backtests.report import BacktestReport


class Measure(BaseModel):
    """A figure with its 95 % interval, in its unit; null where it is not defined."""

    title: str
    unit: str
    value: float | None
    lower: float | None
    upper: float | None


class Backtest(BaseModel):
    """One backtest; its figures do not say what the best of many trials is worth, its verdict does."""

    strategy: str
    parameters: dict[str, object]
    first_session: dt.date
    last_session: dt.date
    market: str
    verdict: str
    measures: list[Measure]

    @classmethod
    def of(cls, report: BacktestReport) -> Self:
        """The backtest of a report."""
        settings = report.settings
        return cls(
            strategy=settings.strategy,
            parameters=dict(settings.parameters),
            first_session=settings.first_session,
            last_session=settings.last_session,
            market=settings.market,
            verdict=report.verdict,
            measures=[
                Measure(**{name: getattr(one, name) for name in Measure.model_fields}) for one in report.measures
            ],
        )


class Backtests(BaseModel):
    """Backtests, newest first, and how many trials there were in all: each was a chance to be lucky."""

    trials: int
    backtests: list[Backtest]
    damaged: list[str] = Field(description="Reports that cannot be read, and what to do about each")
