"""The progress of a run on the terminal: steps, commands, results."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fund.answers import CurrentPortfolio, ExchangeState, ForecastSummary, Performance, Rebalance
from fund.tables import orders_table, positions_table, summarize_orders, summarize_performance
from internal.bar_files.report import ReadReport
from internal.http.datamanager_responses import ImportedSession
from internal.trading.enums import RunState

Advance = Callable[[int, str], None]


@dataclass(frozen=True)
class Display:
    """Prints the progress of one run.

    Args:
        console: Where it is printed.
    """

    console: Console = field(default_factory=Console)

    def say(self, sentence: str) -> None:
        """Print one sentence inside a step, indented also where it is wrapped."""
        self.console.print(Padding(escape(sentence), (0, 0, 0, 2), expand=False))

    def show_report(self, report: ReadReport) -> None:
        """Print what was understood of a file."""
        for line in report.lines():
            self.console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)

    def show_import(self, sessions: Sequence[ImportedSession]) -> None:
        """Print what became of a file's sessions in the lake."""
        present = sum(session.status == "present" for session in sessions)
        rows, quarantined = sum(one.rows for one in sessions), sum(one.quarantined for one in sessions)
        self.say(
            f"sessions imported: {len(sessions) - present:,}, present before: {present:,}; bars: {rows:,}, "
            f"rows in quarantine: {quarantined:,}"
        )

    def show_command(self, *words: str) -> None:
        """Print a command that the fund runs and that the user could run as well."""
        self.console.print(f"  [dim]$ {escape(' '.join(words))}[/dim]")

    @contextmanager
    def step(self, number: int, count: int, title: str) -> Generator[None]:
        """Print a step's title, and at its end the time that it took."""
        self.console.print(f"\n[bold]{number}/{count}  {escape(title)}[/bold]")
        started = time.monotonic()
        yield
        self.console.print(f"  [green]done[/green] in {time.monotonic() - started:.1f} s")

    @contextmanager
    def progress(self, unit: str, total: int) -> Generator[Advance]:
        """Show a progress bar; the block gets a function of the number done and the words beside the bar.

        Where there is no terminal, a line is printed at the start and at each quarter instead.
        """
        if not self.console.is_terminal:
            yield self._quarters(unit, total)
            return
        columns = (TextColumn("  "), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        with Progress(*columns, TimeElapsedColumn(), console=self.console) as bar:
            task = bar.add_task(unit, total=total)
            yield lambda done, words: bar.update(task, completed=done, description=f"{unit}, {words}")

    def _quarters(self, unit: str, total: int) -> Advance:
        self.say(f"{unit}: 0 of {total}")
        shown = 0

        def advance(done: int, words: str) -> None:
            nonlocal shown
            if total and 4 * done // total > shown:
                shown = 4 * done // total
                self.say(f"{unit}: {done} of {total}, {words}")

        return advance

    def show_market(self, state: ExchangeState) -> None:
        """Print the market that the exchange plays."""
        self.say(
            f"{state.market} market, {state.tickers} tickers listed on {state.session}, clock at {state.timestamp}"
        )
        self.say(f"planted signal: {state.planted_signal}; {state.sessions_left} sessions left")

    def show_forecast(self, forecast: ForecastSummary) -> None:
        """Print what was forecast."""
        self.say(
            f"{forecast.tickers} tickers forecast at {forecast.date} by model {forecast.model_version} "
            f"on bars version {forecast.bars_version}"
        )
        if forecast.excluded:
            first = forecast.excluded[0]
            count = len(forecast.excluded)
            self.say(f"{count} tickers with bars are not forecast, such as {first.ticker}: {first.reason}")

    def show_rebalance(self, rebalance: Rebalance) -> None:
        """Print what was decided and sent, and by which strategy."""
        self.say(rebalance.strategy.describe())
        self.say(
            f"portfolio {rebalance.portfolio_id}: {len(rebalance.positions)} positions, "
            f"{len(rebalance.orders)} orders, {RunState(rebalance.state).words}"
        )
        for note in rebalance.notes:
            self.say(f"note: {note}")

    def show_portfolio(self, portfolio: CurrentPortfolio, orders: pl.DataFrame, performance: Performance) -> None:
        """Print positions, orders, net asset value, exposures and cost."""
        self.console.print(positions_table(portfolio))
        self.console.print(orders_table(orders))
        for sentence in (summarize_orders(orders), *summarize_performance(portfolio, performance)):
            self.say(sentence)
