"""The options that the commands share: the strategy, the market, the period, and what they are made of."""

import os
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from internal.day_option import DATE, read_day
from internal.errors import InvalidRequestError
from internal.file_option import FILE, FILE_OR_FOLDER, read_bars_path, read_details_path
from internal.strategies.loading import LoadedStrategy, load_strategy
from internal.task_runners.process_runner import ProcessRunner
from internal.task_runners.ray_runner import RayRunner
from internal.task_runners.runner import InProcessRunner, TaskRunner
from internal.venue.market.event_rates import Events
from research.engine.sources import DEFAULT_SEED, DEFAULT_TICKERS, WARM_UP, MarketSource, SimulatedSource

StrategyOption = Annotated[
    str,
    typer.Option("--strategy", metavar="FILE.py:Class", help="The strategy, such as strategies/momentum.py:Momentum."),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the strategy; may be repeated.")
]
FirstDayOption = Annotated[
    date | None,
    typer.Option(
        "--first-day",
        parser=read_day,
        metavar=DATE,
        help="First day that is traded; decided after the close of the session before it.",
        show_default=f"the first after {WARM_UP} sessions of bars",
    ),
]
LastDayOption = Annotated[
    date | None,
    typer.Option(
        "--last-day",
        parser=read_day,
        metavar=DATE,
        help="Last day that is traded.",
        show_default="the last of the bars",
    ),
]
BarsOption = Annotated[
    Path | None,
    typer.Option(
        "--bars",
        parser=read_bars_path,
        metavar=FILE_OR_FOLDER,
        help="Real bars to replay: parquet, CSV or a folder of them; without it the simulated market.",
    ),
]
DetailsOption = Annotated[
    Path | None,
    typer.Option(
        "--details", parser=read_details_path, metavar=FILE, help="Sectors and industries of the tickers of --bars."
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option("--seed", metavar="N", min=0, help="Seed of the simulated market.", show_default=str(DEFAULT_SEED)),
]
TickersOption = Annotated[
    int | None,
    typer.Option(
        "--tickers", metavar="N", min=1, max=20_000, help="Simulated tickers.", show_default=str(DEFAULT_TICKERS)
    ),
]
EventsOption = Annotated[
    str | None,
    typer.Option(
        "--events",
        help="Corporate actions of the simulated market: none, realistic or frequent.",
        show_default="none",
    ),
]
LakeOption = Annotated[bool, typer.Option("--lake", help="Bars from the fund's lake, with splits and dividends.")]

WorkersOption = Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Processes of this machine.")]
CashOption = Annotated[str, typer.Option("--cash", help="Dollars at the opening.")]
CostsOption = Annotated[str, typer.Option("--costs", help="Spread, impact, fees and borrow: 0.5x, 1x, 2x, ...")]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        show_default=False,
        help="The baseline whose forecasts are read; heterogeneous_volatility without it.",
    ),
]
RefitOption = Annotated[int, typer.Option("--refit-every", metavar="N", min=1, help="Sessions between two fits.")]


def fund_home() -> Path:
    """The fund's folder: `FUND_HOME`, by default `./.fund`."""
    return Path(os.environ.get("FUND_HOME", ".fund")).resolve()


def read_strategy(address: str, settings: Sequence[str] | None) -> LoadedStrategy:
    """The strategy with its parameters set. Raises ConfigurationError."""
    return load_strategy(address, read_parameters(settings or ()))


def read_parameters(settings: Sequence[str]) -> dict[str, str]:
    """Parameters by name from texts NAME=VALUE. Raises InvalidRequestError."""
    pairs = [text.partition("=") for text in settings]
    if wrong := [name for name, equals, _ in pairs if not (name and equals)]:
        raise InvalidRequestError(f"--set takes NAME=VALUE, for example --set names_per_side=30; not {wrong[0]}")
    return {name: value for name, _, value in pairs}


def read_multiple(text: str) -> Decimal:
    """The number of `2x`, `0.5x` or `1`. Raises InvalidRequestError."""
    try:
        multiple = Decimal(text.removesuffix("x"))
    except InvalidOperation:
        multiple = Decimal("NaN")
    if not multiple.is_finite() or multiple < 0:
        raise InvalidRequestError(f"--costs takes a multiple such as 0.5x, 1x or 2x, not {text}")
    return multiple


def read_cash(text: str) -> Decimal:
    """Dollars and cents above 0. Raises InvalidRequestError."""
    try:
        cash = Decimal(text.replace(",", "").replace("_", ""))
    except InvalidOperation:
        cash = Decimal("NaN")
    if not cash.is_finite() or cash <= 0 or cash != round(cash, 2):
        raise InvalidRequestError(f"--cash takes dollars above 0, in whole cents at most, not {text}")
    return cash


def choose_runner(workers: int, ray: str | None = None) -> TaskRunner:
    """The runner that the options name. Raises InvalidRequestError."""
    if ray is not None and workers > 1:
        raise InvalidRequestError("choose --workers or --ray: a Ray cluster has its own workers")
    if ray is not None:
        return RayRunner(ray)
    return InProcessRunner() if workers == 1 else ProcessRunner(workers)


def choose_source(  # noqa: PLR0913 - one argument an option of the command line
    bars: Path | None,
    details: Path | None,
    seed: int | None,
    tickers: int | None,
    events: str | None = None,
    *,
    lake: bool,
) -> MarketSource:
    """The source that the options name; the simulated market without any. Raises InvalidRequestError."""
    simulated = not (seed is tickers is events is None)
    if (bars is not None) + simulated + lake > 1:
        raise InvalidRequestError(
            "choose one market: --bars FILE, --lake, or the simulated one of --seed, --tickers and --events"
        )
    if details is not None and bars is None:
        raise InvalidRequestError("--details belongs to --bars: give both; the other markets have their own")
    if bars is not None:
        from research.engine.replay_source import BarsFileSource  # noqa: PLC0415 - its imports take a while

        return BarsFileSource(bars, details)
    if lake:
        return _lake_source()
    return SimulatedSource(
        DEFAULT_SEED if seed is None else seed,
        DEFAULT_TICKERS if tickers is None else tickers,
        read_events(events),
    )


def read_events(text: str | None) -> Events:
    """How often things happen to simulated securities; `none` without the option. Raises InvalidRequestError."""
    match text:
        case None | "none":
            return "none"
        case "realistic" | "frequent":
            return text
        case _:
            raise InvalidRequestError(f"--events takes none, realistic or frequent, not {text}")


def _lake_source() -> MarketSource:
    from internal.settings import ObjectStoreSettings  # noqa: PLC0415 - needed by --lake alone
    from research.engine.lake_source import LakeSource  # noqa: PLC0415 - as above

    address = os.environ.get("DATA_BUCKET") or str(fund_home() / "lake")
    return LakeSource(address, ObjectStoreSettings().storage_options_for(address))
