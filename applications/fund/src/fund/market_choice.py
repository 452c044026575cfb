"""The market that the options of a command name, and the one that a fund's folder holds."""

from pathlib import Path
from typing import Annotated

import typer

from fund.market_settings import MarketSettings
from fund.options import Events, Signal
from internal.file_option import FILE, FILE_OR_FOLDER, read_bars_path, read_details_path

DEFAULT_SEED = 1
DEFAULT_TICKERS = 120

BarsOption = Annotated[
    Path | None,
    typer.Option(
        "--bars",
        envvar="EXCHANGE_BARS_FILE",
        parser=read_bars_path,
        metavar=FILE_OR_FOLDER,
        help="Real bars to replay: CSV, parquet, or a folder (docs/your_own_bars.md); without it the simulated market.",
    ),
]
DetailsOption = Annotated[
    Path | None,
    typer.Option(
        "--details",
        envvar="EXCHANGE_DETAILS_FILE",
        parser=read_details_path,
        metavar=FILE,
        help="Sectors and industries of the tickers of --bars.",
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed", envvar="EXCHANGE_SEED", min=0, help=f"The simulated market's seed; {DEFAULT_SEED} without it."
    ),
]
TickersOption = Annotated[
    int | None,
    typer.Option(
        "--tickers",
        envvar="EXCHANGE_TICKER_COUNT",
        min=40,
        max=8000,
        help=f"Simulated tickers; {DEFAULT_TICKERS} without it.",
    ),
]
CashOption = Annotated[
    float | None,
    typer.Option("--cash", envvar="EXCHANGE_CASH", min=1, help="Dollars that the account opens with."),
]
EventsOption = Annotated[
    Events | None,
    typer.Option(
        "--events",
        envvar="EXCHANGE_EVENTS",
        help="How often corporate actions of every kind happen in the simulated market, which then has funds, "
        "warrants and renamed tickers too; without it regular dividends and splits alone.",
    ),
]
SignalOption = Annotated[
    Signal | None,
    typer.Option(
        "--signal",
        envvar="EXCHANGE_SIGNAL",
        help="What predictable signal the simulated prices hold; without it momentum.",
    ),
]


def choose_market(  # noqa: PLR0913, PLR0917 - one argument an option of the command line
    bars: Path | None,
    details: Path | None,
    seed: int | None,
    tickers: int | None,
    cash: float | None = None,
    events: Events | None = None,
    planted_signal: Signal | None = None,
) -> MarketSettings:
    """The market that the options name, with defaults for those that are not given.

    Raises:
        typer.BadParameter: Events or a signal for a market that is replayed from a file, or details for another one.
    """
    if details is not None and bars is None:
        raise typer.BadParameter("--details (EXCHANGE_DETAILS_FILE) belongs to --bars: give both, or neither")
    for option, value in (("events", events), ("signal", planted_signal)):
        if bars is not None and value is not None:
            raise typer.BadParameter(
                f"--{option} (EXCHANGE_{option.upper()}) is for the simulated market: leave it out with --bars"
            )
    return MarketSettings(
        bars=str(bars.resolve()) if bars else None,
        details=str(details.resolve()) if details else None,
        seed=DEFAULT_SEED if seed is None else seed,
        tickers=DEFAULT_TICKERS if tickers is None else tickers,
        cash=None if cash is None else f"{cash:.2f}",
        events=None if events is None else events.value,
        signal=None if planted_signal is None else planted_signal.value,
    )


def continue_market(stored: MarketSettings | None, chosen: MarketSettings) -> MarketSettings:
    """The market that the folder holds, on the files that were chosen now; what was chosen where it is another."""
    return stored.continue_on(chosen) if stored is not None and stored.same_market(chosen) else chosen
