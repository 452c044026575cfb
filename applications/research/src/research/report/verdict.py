"""What a backtest shows and does not show, in sentences that may be quoted."""

from typing import Final

from internal.backtests.deflation import DeflatedSharpe
from internal.backtests.overfitting import MINIMUM_SESSIONS, Overfitting
from internal.backtests.settings import BacktestSettings
from internal.performance import MINIMUM_RETURNS_FOR_A_YEAR, SESSIONS_A_YEAR
from research.statistics.summary import Statistics

CONFIDENCE: Final = 0.95

LIMITATIONS: Final = (
    "This is one path of one period. The intervals draw its sessions again in blocks; they cover no other market.",
    "Survivorship: only tickers of the given bars could be held, none that was left out of them.",
    "Orders fill at the open and close of daily bars, at the venue's spread, impact, fees and borrow rates.",
    "Trials that were made outside this ledger, and choices made after looking at these sessions, are not counted.",
    "Figures of first order scale what was booked: orders, sizes and refusals would have changed too.",
)


def judge(statistics: Statistics, settings: BacktestSettings) -> str:
    """The first sentences of a report: what it shows of skill, and whether the prices hold a planted signal."""
    return f"{_judge_skill(statistics)} {settings.planted_signal}".rstrip()


def _judge_skill(statistics: Statistics) -> str:
    deflated, moments = statistics.deflated, statistics.moments
    if moments is None or deflated.probability is None:
        return "The net asset value did not move, fell to zero, or is not known: there is nothing to judge."
    if moments.returns < MINIMUM_RETURNS_FOR_A_YEAR:
        return (
            f"Too short to say anything of skill: yearly figures need {MINIMUM_RETURNS_FOR_A_YEAR} daily returns, and "
            f"there are {moments.returns}."
        )
    return f"{_judge_deflated(deflated, deflated.probability)} {describe_overfitting(statistics.overfitting)}"


def _judge_deflated(deflated: DeflatedSharpe, probability: float) -> str:
    trials = f"{count_trials(deflated.trials)} in overlapping sessions of this market"
    counted = f"after counting {trials}, the deflated Sharpe ratio is {probability:.0%}"
    if probability >= CONFIDENCE:
        return f"The Sharpe ratio is higher than luck explains: {counted}, at or above {CONFIDENCE:.0%}."
    return f"This backtest does not show skill: {counted}, below {CONFIDENCE:.0%}."


def describe_overfitting(overfitting: Overfitting | None) -> str:
    """The probability of backtest overfitting, in words."""
    if overfitting is None:
        return (
            "The probability of backtest overfitting is not defined: it needs two finished trials of the same "
            f"{MINIMUM_SESSIONS} sessions or more."
        )
    return (
        f"The probability of backtest overfitting is {overfitting.probability:.0%} over "
        f"{count_trials(overfitting.trials)} in the same sessions."
    )


def count_trials(count: int) -> str:
    """How many trials, in words."""
    return "1 trial" if count == 1 else f"{count:,} trials"


def describe_trials(statistics: Statistics) -> tuple[tuple[str, str], ...]:
    """Title and text of every figure that depends on the trials."""
    deflated, overfitting, year = statistics.deflated, statistics.overfitting, SESSIONS_A_YEAR**0.5
    error = "not defined" if statistics.sharpe_error is None else f"{statistics.sharpe_error * year:.2f} annualised"
    rows = (
        ("Trials on this data", f"{deflated.trials:,}, of which {statistics.trials_of_strategy:,} of this strategy"),
        ("Standard error of the Sharpe ratio", error),
        ("Probability of a Sharpe ratio above zero", _share(statistics.above_zero, ", as if it were the only trial")),
        ("Sharpe ratio expected of the luckiest trial", f"{deflated.threshold * year:.2f} annualised"),
        ("Deflated Sharpe ratio", _share(deflated.probability, " probability of exceeding it")),
    )
    if overfitting is None:
        return (*rows, ("Probability of backtest overfitting", f"needs two trials and {MINIMUM_SESSIONS} sessions"))
    return (
        *rows,
        (
            "Probability of backtest overfitting",
            f"{overfitting.probability:.1%} of {overfitting.combinations:,} splits",
        ),
        ("Probability that the selected trial loses", f"{overfitting.loss_probability:.1%} of the same splits"),
    )


def _share(value: float | None, meaning: str) -> str:
    return "not defined" if value is None else f"{value:.1%}{meaning}"
