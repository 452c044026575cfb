"""What a live track record shows, in sentences that may be quoted."""

from dataclasses import dataclass

from internal.pages.formats import count, percent, plain
from internal.performance import MINIMUM_RETURNS_FOR_A_YEAR, Numbers
from internal.track_record import MINIMUM_VALUES, track_record

BENCHMARK = "An equal-weighted holding of the same tickers returned {} in the same sessions."


@dataclass(frozen=True)
class RecordVerdict:
    """The headline, and the figures behind it."""

    headline: str
    detail: str


def judge_record(index: Numbers, benchmark_return: float | None = None) -> RecordVerdict:
    """The verdict on a fund.

    Args:
        index: The time-weighted value at each session, f64 [session], above zero, oldest first.
        benchmark_return: That of an equal-weighted holding over the same sessions; None where it is not known.
    """
    headline, detail = _judge(index)
    if benchmark_return is not None and len(index) > 1:
        detail = f"{detail} {BENCHMARK.format(percent(benchmark_return))}"
    return RecordVerdict(headline, detail.strip())


def _judge(index: Numbers) -> tuple[str, str]:
    returns = max(len(index) - 1, 0)
    if not (index > 0).all():
        return "The value fell to zero.", "There is no return after it."
    if len(index) < MINIMUM_VALUES or returns <= MINIMUM_RETURNS_FOR_A_YEAR - 1:
        needed = f"{count(returns, 'session')}; annual figures need {MINIMUM_RETURNS_FOR_A_YEAR}."
        return "Too short to tell skill from luck.", needed
    record = track_record(index)
    if record.sharpe is None or record.sharpe_interval is None:
        return "The value did not move.", f"Over {count(returns, 'session')} there is nothing to judge."
    low, high = record.sharpe_interval
    figures = (
        f"Sharpe ratio {plain(record.sharpe, 2)}, 95\u2009% interval {plain(low, 2)} to {plain(high, 2)}, over "
        f"{count(returns, 'session')}"
    )
    if low > 0:
        return "The Sharpe ratio is above zero by more than noise.", f"{figures}, on this one path."
    if high < 0:
        return "The fund loses by more than noise.", f"{figures}."
    return "The interval includes zero.", f"{figures}: this path does not show that the fund earns anything."
