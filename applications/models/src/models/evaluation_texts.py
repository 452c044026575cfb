"""The figures of an evaluation as texts, the same on the terminal and in its report."""

from typing import Final

from internal.forecasting.rank_evidence import RankEvidence
from models.evaluation import Difference, ForecastLine
from models.traits import Trait

EVIDENCE_NOTE: Final = (
    "Long the best and short the worst tenth by median over the width of the 80 % interval, held for seven sessions; "
    "per cent of one side's value for each seven sessions, with the 95 % interval; borrowing is not in the costs. The "
    "last columns are the score's rank correlations: what the book would bet on besides the forecast."
)


def format_interval(difference: Difference) -> str:
    """A difference with its bounds, in per cent; a dash where a forecast is compared with itself."""
    return "-" if difference == (0.0, 0.0, 0.0) else "{:+.2f} ({:+.2f} to {:+.2f})".format(*difference)


def format_rank(evidence: RankEvidence | None) -> str:
    """The rank correlation of score and return, and its t statistic; none where nothing is ranked."""
    correlation, t_statistic = (None, None) if evidence is None else (evidence.rank_correlation, evidence.rank_t)
    return "none" if correlation is None or t_statistic is None else f"{correlation:+.3f} ({t_statistic:+.1f})"


def format_after_costs(evidence: RankEvidence | None) -> str:
    """The return of the ranked book after costs with its interval, per cent; or why there is none."""
    if evidence is None:
        return "not measured"
    if not evidence.ranks:
        return "none: it does not rank"
    lower, upper = evidence.interval
    return format_interval((100 * evidence.after_costs, 100 * lower, 100 * upper))


def format_ranks(evidence: RankEvidence | None) -> str:
    """Whether the score has an order of its own."""
    return "not measured" if evidence is None else "yes" if evidence.ranks else "no"


def format_before_costs(evidence: RankEvidence | None) -> str:
    """The return of the ranked book before costs, per cent; none where nothing is ranked."""
    if evidence is None:
        return "not measured"
    return f"{100 * evidence.spread:+.2f}" if evidence.ranks else "none"


def format_bet(line: ForecastLine, trait: Trait) -> str:
    """The correlation of the score with a trait; a dash where it is not known."""
    correlation = line.score.bets.get(trait)
    return "-" if correlation is None else f"{correlation:+.2f}"
