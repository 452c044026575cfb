"""The JSON body of the model registry: each model with what its training measured on held-out sessions."""

import datetime as dt
from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, Field

from internal.forecasting.held_out_coverage import SESSIONS_BEFORE
from portfoliomanager.pages.model import VersionLine
from portfoliomanager.responses import RowResponse


class RankEvidenceResponse(RowResponse):
    """What a book of the best and worst tenth by score returned; fractions of one side's value a replacement."""

    ranks: bool = Field(description="whether the scores have an order of their own")
    rank_correlation: float | None
    rank_error: float | None
    spread: float = Field(description="before costs")
    spread_error: float
    spread_cost: float


class BreakCoverageResponse(RowResponse):
    """Coverage after the sharpest rise of volatility."""

    first_day: dt.date
    rise: float = Field(description="how many times as large the mean absolute return was as before")
    session_count: int = Field(description="origins that are counted, from the first day's close on")
    whole: float
    thirds: list[float] = Field(description="calm, middle and volatile third of each date's tickers")


class CoverageResponse(RowResponse):
    """Coverage of the 80 % interval of cumulative returns on held-out sessions; fractions."""

    whole: float
    thirds: list[float] = Field(description="calm, middle and volatile third of each date's tickers")
    sectors: dict[str, float]
    after_break: BreakCoverageResponse | None = Field(
        description=f"null where volatility did not double after the first {SESSIONS_BEFORE} sessions"
    )


class RankingBetsResponse(BaseModel):
    """What a book made from the ranking bets on: mean rank correlations of the score with traits, -1 to 1."""

    volatility: float | None = None
    size: float | None = Field(default=None, description="dollar volume")
    beta: float | None = None
    past_return: float | None = None


class RegisteredModelResponse(BaseModel):
    """A model of the registry; null is what was not measured when it was trained."""

    version: str
    kind: str
    size: str
    aliases: list[str]
    trained_through: dt.date | None
    passed_leak_gate: bool
    loss: float | None = Field(description="held-out pinball loss of cumulative log returns")
    evidence: RankEvidenceResponse | None
    bets: RankingBetsResponse | None = Field(description="positive: long what has more of the trait")
    coverage: CoverageResponse | None

    @classmethod
    def of(cls, model: VersionLine) -> Self:
        """A line of the page's registry."""
        evidence = None if model.evidence is None else RankEvidenceResponse.model_validate(model.evidence)
        coverage = None if model.coverage is None else CoverageResponse.model_validate(model.coverage)
        return cls(
            version=model.version,
            kind=model.kind,
            size=model.size,
            aliases=list(model.aliases),
            trained_through=model.trained_through,
            passed_leak_gate=model.passed_leak_gate,
            loss=model.loss,
            evidence=evidence,
            bets=RankingBetsResponse.model_validate(model.bets) if model.bets else None,
            coverage=coverage,
        )


class RegistryResponse(BaseModel):
    """Every registered model, the newest first."""

    models: list[RegisteredModelResponse]

    @classmethod
    def of(cls, versions: Sequence[VersionLine]) -> Self:
        """The registry of the page Model."""
        return cls(models=[RegisteredModelResponse.of(one) for one in versions])
