"""`research signal`: the signal sheet of a strategy's score."""

from typing import Annotated

import typer
from rich.console import Console

from internal.errors import InvalidRequestError
from internal.simulation.whole_history import whole_history
from internal.trading.day_table import compute_day_table
from research.commands.backtest import DEFAULT_MODEL, find_forecasts
from research.commands.check import find_addresses
from research.commands.options import (
    BarsOption,
    DetailsOption,
    FirstDayOption,
    LakeOption,
    LastDayOption,
    ModelOption,
    RefitOption,
    SeedOption,
    SetOption,
    TickersOption,
    choose_source,
    read_strategy,
)
from research.engine.sources import Period
from research.signals.panel import make_panel
from research.signals.sheet import measure_signal
from research.signals.terminal import show_sheet


def signal(  # noqa: PLR0913 - one argument an option of the command line
    address: Annotated[str, typer.Argument(metavar="FILE.py[:Class]", help="The strategy with a score.")],
    *,
    settings: SetOption = None,
    first_day: FirstDayOption = None,
    last_day: LastDayOption = None,
    bars: BarsOption = None,
    details: DetailsOption = None,
    seed: SeedOption = None,
    tickers: TickersOption = None,
    lake: LakeOption = False,
    model: ModelOption = DEFAULT_MODEL,
    refit_every: RefitOption = 63,
) -> None:
    """Show what a score says about coming returns: coefficients, decay, quantiles, turnover, capacity."""
    console, source = Console(), choose_source(bars, details, seed, tickers, lake=lake)
    (name, *others) = find_addresses(address)
    if others:
        raise InvalidRequestError(f"{address} has several strategies: name one, for example {name}")
    loaded = read_strategy(name, settings)
    market = source.open(Period(first_day, last_day), lambda line: console.print(line, style="dim"))
    forecasts = find_forecasts(market, loaded, model, refit_every, console)
    whole = whole_history(market.tables, market.first, market.details, forecasts)
    last = len(market.tables.days) - 1
    liquid = compute_day_table(market.tables.bars, market.first, last, loaded.needs.universe).liquid
    scores = loaded.score_sessions(whole, market.days, market.tables.tickers)
    if scores is None:
        raise InvalidRequestError(f"{name} has no score: a signal sheet needs one")
    panel = make_panel(scores, whole, market.days, liquid, market.tables.tickers)
    title = f"{name} on {market.description}, {market.days[0]} to {market.days[-1]}"
    show_sheet(measure_signal(panel), title, console, market=market.description)
