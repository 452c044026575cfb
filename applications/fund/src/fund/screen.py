"""What the user sees: steps, progress, the book.

Knows `rich` and plain words. Knows nothing of how a step is done.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fund.clients import Clients, Json

STEPS = 6
Advance = Callable[[int, str], None]


@dataclass
class Screen:
    """Shows one walk of the staircase.

    Args:
        console: Where it is shown.
    """

    console: Console = field(default_factory=Console)
    number: int = 0

    def say(self, sentence: str) -> None:
        """One sentence of the step."""
        self.console.print(f"  {escape(sentence)}")

    def command(self, *words: str) -> None:
        """A command that the fund runs and that the user could run himself."""
        self.console.print(f"  [dim]$ {escape(' '.join(words))}[/dim]")

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A step of the staircase, with the time it took."""
        self.number += 1
        self.console.print(f"\n[bold]{self.number}/{STEPS}  {escape(title)}[/bold]")
        started = time.monotonic()
        yield
        self.console.print(f"  [green]done[/green] in {time.monotonic() - started:.1f} s")

    @contextmanager
    def progress(self, unit: str, total: int) -> Iterator[Advance]:
        """A progress bar; the block gets a function of (done, words beside the bar)."""
        columns = (TextColumn("  "), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        with Progress(*columns, TimeElapsedColumn(), console=self.console) as bar:
            task = bar.add_task(unit, total=total)
            yield lambda done, words: bar.update(task, completed=done, description=f"{unit}, {words}")

    def market(self, state: Json) -> None:
        """The market that the exchange plays."""
        self.say(f"{state['market']} market, {state['tickers']} tickers, clock at {state['timestamp']}")
        self.say(f"planted signal: {state['planted_signal']}; {state['sessions_left']} sessions left to play")

    def predictions(self, answer: Json) -> None:
        """What was forecast."""
        self.say(
            f"{answer['tickers']} tickers forecast at {answer['date']} by model {answer['model_version']} "
            f"on bars version {answer['bars_version']}; {len(answer['excluded'])} left out"
        )

    def portfolio(self, answer: Json) -> None:
        """What was decided and sent."""
        self.say(
            f"portfolio {answer['portfolio_id']}: {len(answer['positions'])} positions, "
            f"{len(answer['orders'])} orders, {answer['state']}"
        )
        for note in answer["notes"]:
            self.say(f"note: {note}")

    def book(self, clients: Clients) -> None:
        """Positions, orders, fills, net asset value, exposures and realised cost."""
        self.console.print(f"\n[bold]{STEPS}/{STEPS}  The book[/bold]")
        book = clients.book()
        if book is None:
            self.say("No portfolio yet.")
            return
        self.console.print(positions_table(book))
        orders = clients.portfoliomanager.frame("/orders")
        self.console.print(orders_table(orders))
        self.say(orders_sentence(orders))
        performance = clients.portfoliomanager.get("/performance")
        for sentence in totals(book, performance):
            self.say(sentence)


def positions_table(book: Json) -> Table:
    """The positions, the largest first."""
    table = Table("ticker", "side", title=f"Positions at {book['as_of']}", title_justify="left")
    for column in ("quantity", "entry price", "price", "market value", "gain"):
        table.add_column(column, justify="right")
    for row in sorted(book["positions"], key=lambda position: -abs(float(position["market_value"]))):
        table.add_row(
            *(row["ticker"], row["side"], f"{row['quantity']:,.0f}", f"{row['entry_price']:,.2f}"),
            *(f"{row['price']:,.2f}", f"{row['market_value']:,.0f}", f"{row['unrealized_gain']:+,.0f}"),
        )
    return table


def orders_table(orders: pl.DataFrame) -> Table:
    """The orders by session: how many in each state, and the dollars filled."""
    table = Table("session", title="Orders by session", title_justify="left")
    for column in ("orders", "filled", "waiting for the open", "canceled or refused", "dollars filled"):
        table.add_column(column, justify="right")
    waiting = ("planned", "submitted", "partially_filled", "unresolved")
    by_session = orders.group_by("date").agg(
        pl.len(),
        filled=(pl.col("state") == "filled").sum(),
        waiting=pl.col("state").is_in(waiting).sum(),
        refused=pl.col("state").is_in(("canceled", "rejected", "dropped")).sum(),
        dollars=(pl.col("filled_quantity") * pl.col("filled_average_price")).sum(),
    )
    for row in by_session.sort("date").iter_rows():
        table.add_row(*(str(value) for value in row[:-1]), f"{row[-1]:,.0f}")
    return table


def orders_sentence(orders: pl.DataFrame) -> str:
    """The orders in one sentence."""
    filled = orders.filter(pl.col("filled_quantity") > 0).height
    return f"{orders.height} orders with {orders['client_order_id'].n_unique()} client order ids, {filled} with fills"


def totals(book: Json, performance: Json) -> list[str]:
    """The totals, which come from the broker, and what trading has cost."""
    cost = performance["realized_cost"]
    return [
        f"net asset value {book['net_asset_value']:,.2f}, cash {book['cash']:,.2f}",
        f"return {performance['return']:+.3%}, maximum drawdown {performance['maximum_drawdown']:.3%}",
        f"gross exposure {book['gross_exposure']:.3f}, net exposure {book['net_exposure']:+.3f} of net asset value",
        f"realised cost: slippage {cost['slippage']:,.2f}, fees {cost['fees']:,.2f}, borrow {cost['borrow']:,.2f}",
    ]
