"""The tear sheet of one backtest: value beside its benchmark, drawdowns, months, figures, costs and trials."""

from dataclasses import dataclass

from internal.backtests.deflation import DeflatedSharpe
from internal.backtests.report import BacktestReport, MeasureRow, Values
from internal.performance import MINIMUM_RETURNS_FOR_A_YEAR, SESSIONS_A_YEAR
from internal.strategies.parameter_text import write_parameters
from portfoliomanager.pages.frame import Frame
from portfoliomanager.pages.research import CONFIDENCE, name_market, name_strategy

SHOWN_NOTES = 20
FIGURE_SESSIONS = 25  # of the table of figures, the newest
STRIP = ("annualised_return", "sharpe", "volatility", "maximum_drawdown", "beta", "cost")


@dataclass(frozen=True)
class SessionRow:
    """A session of the table of figures; fractions, but for `rolling`, a Sharpe ratio; None where not defined."""

    day: str
    value: float | None
    own: float | None
    benchmark: float | None
    drawdown: float | None
    rolling: float | None


@dataclass(frozen=True)
class RunView:
    """The page.

    Attributes:
        frame: The frame.
        name: Of the backtest's folder.
        report: What was run, and what it came to.
        deflated: The deflated Sharpe ratio by all trials there are now; None where it is not among them.
        ledger_problem: Why the trials cannot be counted.
    """

    frame: Frame
    name: str
    report: BacktestReport
    deflated: DeflatedSharpe | None
    ledger_problem: str = ""

    @property
    def title(self) -> str:
        """The strategy's class."""
        return name_strategy(self.report.settings)

    @property
    def market(self) -> str:
        """What was played."""
        return name_market(self.report.settings)

    @property
    def has_rolling(self) -> bool:
        """Whether there were enough sessions for the Sharpe ratio of half a year."""
        return any(value is not None for value in self.report.series.rolling_sharpe)

    @property
    def parameters(self) -> str:
        """Its parameters on one line."""
        return write_parameters(self.report.settings.parameters)

    @property
    def strip(self) -> list[MeasureRow]:
        """The key figures."""
        by_name = {row.name: row for row in self.report.measures}
        return [by_name[name] for name in STRIP if name in by_name]

    @property
    def is_young(self) -> bool:
        """Whether annual figures would be noise."""
        return len(self.report.series.date) <= MINIMUM_RETURNS_FOR_A_YEAR

    @property
    def shows_skill(self) -> bool:
        """Whether its Sharpe ratio is higher than luck explains once the trials are counted."""
        return (
            self.deflated is not None
            and self.deflated.probability is not None
            and self.deflated.probability >= CONFIDENCE
        )

    @property
    def threshold(self) -> float | None:
        """The Sharpe ratio expected of the luckiest trial without skill, annualised."""
        return self.deflated.threshold * SESSIONS_A_YEAR**0.5 if self.deflated else None

    @property
    def notes(self) -> list[str]:
        """The first notes, with their days."""
        return [f"{note.day:%-d %b %Y}: {note.text}" for note in self.report.notes[:SHOWN_NOTES]]

    @property
    def figures(self) -> list[SessionRow]:
        """The newest sessions, newest first."""
        series = self.report.series
        own, benchmark = _gains(series.net_asset_value), _gains(series.benchmark)
        columns = series.date, series.net_asset_value, own, benchmark, series.drawdown, series.rolling_sharpe
        rows = zip(*columns, strict=True)
        shown = [SessionRow(day.isoformat(), *values) for day, *values in rows]
        return shown[: -FIGURE_SESSIONS - 1 : -1]

    @property
    def chart(self) -> dict[str, object]:
        """The data of the charts; fractions, drawdowns negative."""
        series = self.report.series
        benchmark = _gains(series.benchmark)
        return {
            "name": "Backtest",
            "benchmark": "Benchmark",
            "days": [day.isoformat() for day in series.date],
            "value": [None if value is None else round(value, 2) for value in series.net_asset_value],
            "fund": _round(_gains(series.net_asset_value)),
            "base": None if None in benchmark else _round(benchmark),
            "fall": _round([None if value is None else -value for value in series.drawdown]),
            "rolling": [None if value is None else round(value, 3) for value in series.rolling_sharpe],
        }


def _gains(values: Values) -> list[float | None]:
    """Returns since the first value."""
    first = values[0]
    return [value / first - 1 if value is not None and first else None for value in values]


def _round(values: list[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 6) for value in values]
