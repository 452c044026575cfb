"""The base class of every strategy: typed parameters, a score or a decision, a construction, a schedule."""

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar, dataclass_transform

import polars as pl

from internal.errors import InvalidRequestError
from internal.strategies.history import History, score_table, window_history
from internal.strategies.schedule import DAILY, Schedule
from internal.trading.arrays import FloatArray
from internal.trading.situation import Situation
from internal.trading.target_checks import HIGHEST_GROSS
from internal.trading.targets import Targets
from internal.trading.universe import Universe

DEFAULT_HISTORY = 260  # sessions: one year and a week


class Construction(StrEnum):
    """How scores become targets; each is a function of `internal.strategies.constructions`."""

    TEN_BY_TEN = "ten_by_ten"
    QUANTILES = "quantiles"
    SECTOR_NEUTRAL = "sector_neutral"
    INVERSE_VOLATILITY = "inverse_volatility"
    OPTIMIZER = "optimizer"
    LONG_ONLY = "long_only"
    LONG_ONLY_BY_SCORE = "long_only_by_score"


@dataclass_transform(frozen_default=True, kw_only_default=True)
class _Parameters:
    """Makes every subclass a frozen dataclass of keyword parameters.

    A class may give an inherited parameter another default without its type: `names_per_side = 30`.
    """

    def __init_subclass__(cls, **options: Any) -> None:  # noqa: ANN401 - passed on as they are
        super().__init_subclass__(**options)
        inherited: Mapping[str, Field[Any]] = getattr(cls, "__dataclass_fields__", {})
        for name in inherited.keys() & vars(cls).keys() - cls.__annotations__.keys():
            cls.__annotations__[name] = inherited[name].type
        dataclass(frozen=True, kw_only=True)(cls)


class Strategy(_Parameters):
    """A strategy: its fields are its parameters, each with a type and a default.

    Write `score` (one pass over the history scores every session; a construction makes targets of the scores), or
    write `decide` for full control. Both must be functions of what they are given alone: no clock, network, file,
    environment or random number, because a restart asks again and must get the same answer.

    Attributes:
        schedule: At the close of which sessions it decides.
        construction: How scores become targets.
        names_per_side: Names held on each side at most; 0 opens nothing.
        gross_exposure: Long plus short market value over capital.
        exit_band: A name is kept while its rank is within `exit_band` times `names_per_side`, so that a name at the
            edge is not bought and sold in turn; 1 for none.
        rebalance_threshold: A kept name's shares are changed only when they differ from their target by more than this
            fraction of it; a small difference costs more to correct than it does harm.
        universe: Which names may be opened.
        uses_forecasts: Whether it reads forecasts; a strategy that does not needs no model.
    """

    schedule: Schedule = DAILY
    construction: Construction = Construction.QUANTILES
    names_per_side: int = 10
    gross_exposure: float = 1.0
    exit_band: float = 1.5
    rebalance_threshold: float = 0.25
    universe: Universe = field(default_factory=Universe)
    uses_forecasts: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the parameters. Raises InvalidRequestError."""
        if self.names_per_side < 0:
            raise InvalidRequestError(f"names_per_side is 0, which opens nothing, or more, not {self.names_per_side}")
        if not 0 < self.gross_exposure <= HIGHEST_GROSS:
            raise InvalidRequestError(
                f"gross_exposure is above 0 and at most {HIGHEST_GROSS:g}, a multiple of capital, "
                f"not {self.gross_exposure:g}"
            )
        if not self.exit_band >= 1:
            raise InvalidRequestError(f"exit_band is at least 1, a multiple of names_per_side, not {self.exit_band:g}")
        if not 0 <= self.rebalance_threshold < 1:
            raise InvalidRequestError(
                f"rebalance_threshold is a fraction from 0 to below 1, not {self.rebalance_threshold:g}"
            )

    @property
    def history_sessions(self) -> int:
        """Sessions of bars that a score or decision reads, the day included; 0 for none."""
        return DEFAULT_HISTORY

    def score(self, history: History) -> pl.Expr | pl.DataFrame | None:
        """An expression over `history.frame`, or a frame of ticker, date, score; the higher, the longer.

        A row's score must be made of rows of the same or earlier dates alone. Null leaves a name out.
        """
        del history
        return None

    def construct(self, situation: Situation, scores: FloatArray) -> Targets:
        """Targets from scores [N], NaN where there is none."""
        from internal.strategies.constructions.catalogue import construct  # noqa: PLC0415 - the catalogue imports this

        return construct(self, situation, scores)

    def decide(self, situation: Situation) -> Targets:
        """What to hold after the day."""
        scores = self.scores(situation)
        return replace(self.construct(situation, scores), scores=scores)

    def scores(self, situation: Situation) -> FloatArray:
        """[N] scores of the day: the ones that were computed for all sessions at once, else those of the window."""
        if situation.inputs.scores is not None:
            return situation.inputs.scores
        history = window_history(situation)
        return self.score_sessions(history, [situation.day], situation.tickers)[0]

    def score_sessions(self, history: History, days: Sequence[date], tickers: tuple[str, ...]) -> FloatArray:
        """[S, N] scores of the sessions.

        Raises InvalidRequestError when the strategy has no score.
        """
        complete = history.with_all_sessions()
        score = self.score(complete)
        if score is None:
            raise InvalidRequestError(f"{type(self).__name__} has neither a score nor a decide of its own: write one")
        return score_table(complete.evaluate(score), days, tickers)

    def has_score(self) -> bool:
        """Whether the class writes `score`."""
        return type(self).score is not Strategy.score
