"""Rank evidence: whether held-out sessions show that a book made of a forecast's ranking earns more than it costs.

An evaluation measures it and stores it in the artifact; live orders ask for it, and reports say it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

SIGNIFICANCE: Final = 1.96  # standard errors on each side of an estimate: 95 %, as in every interval of the verdict
NOT_MEASURED: Final = "Rank evidence after costs was not measured: train the model again, on six tickers or more."


@dataclass(frozen=True, slots=True)
class RankEvidence:
    """A book that is long the best and short the worst tenth of a forecast's scores, on held-out sessions.

    The score is `median_over_width` over the longest horizon. Each session's tenths are held for that horizon, so that
    a part of the book is replaced in every session. Returns and costs are fractions of the value of one side, for each
    time that the whole book is replaced.

    Attributes:
        ranks: Whether the scores have an order of their own; not when it is that of the interval's width.
        rank_correlation: Mean over sessions of Spearman's correlation of score and return; None where all scores are
            alike.
        rank_error: Its standard error; None as above.
        spread: The best tenth's return less the worst's, before costs.
        spread_error: Its standard error, from returns of single sessions, which do not overlap.
        spread_cost: Spread, impact and fees of the book's turnover; borrowing is not in it.
    """

    ranks: bool
    rank_correlation: float | None
    rank_error: float | None
    spread: float
    spread_error: float
    spread_cost: float

    @classmethod
    def read(cls, held_out: Mapping[str, float]) -> Self | None:
        """From a model's figures in the held-out block of an artifact; None where it was registered without them."""
        ranks, correlation, error = (held_out.get(name) for name in ("ranks", "rank_correlation", "rank_error"))
        spread, spread_error, cost = (held_out.get(name) for name in ("spread", "spread_error", "spread_cost"))
        if ranks is None or spread is None or spread_error is None or cost is None:
            return None
        return cls(bool(ranks), correlation, error, spread, spread_error, cost)

    def figures(self) -> dict[str, float]:
        """The figures of the held-out block; what is not known is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def rank_t(self) -> float | None:
        """The t statistic of the rank correlation."""
        if self.rank_correlation is None or not self.rank_error:
            return None
        return self.rank_correlation / self.rank_error

    @property
    def after_costs(self) -> float:
        """The best tenth's return less the worst's, after costs."""
        return self.spread - self.spread_cost

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the return after costs."""
        return self.after_costs - SIGNIFICANCE * self.spread_error, self.after_costs + SIGNIFICANCE * self.spread_error

    @property
    def is_enough(self) -> bool:
        """Whether the forecast ranks, and the whole interval of the return after costs is above zero."""
        return self.ranks and self.interval[0] > 0

    def describe(self) -> str:
        """What it says, in one sentence."""
        if not self.ranks:
            return (
                "The median does not rank tickers: any advantage is in the width of the forecast, and `ten_by_ten` "
                "opens nothing on it."
            )
        lower, upper = self.interval
        answer = "earns more than it costs" if self.is_enough else "does NOT earn more than it costs by more than noise"
        return (
            f"A book of the best and the worst tenth {answer}: {100 * self.spread:+.2f} % before and "
            f"{100 * self.after_costs:+.2f} % after costs for each seven sessions, 95 % interval {100 * lower:+.2f} to "
            f"{100 * upper:+.2f} %."
        )


def find_rank_evidence(kind: str, metrics: Mapping[str, Any]) -> RankEvidence | None:
    """Of a model, in the metrics of its artifact; None where it was registered without."""
    return RankEvidence.read(metrics.get("held_out", {}).get(kind, {}))


def describe_rank_evidence(evidence: RankEvidence | None) -> str:
    """The sentence about rank evidence, or that there is none."""
    return NOT_MEASURED if evidence is None else evidence.describe()
