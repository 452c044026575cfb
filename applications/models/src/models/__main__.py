"""The commands of `models`. Each reads its settings, calls one function and prints; errors end with one sentence.

Knows arguments and exit codes: 0 done, 1 failed with the reason, 2 wrong arguments or not built yet.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from internal.errors import FundError
from internal.forecasting.registry import CHAMPION
from internal.http.datamanager_client import DatamanagerClient
from models.assemble import assemble
from models.collect import collect
from models.configuration import Configuration
from models.dataset import load_dataset
from models.evaluate import evaluate
from models.report import write_report
from models.screen import print_evaluation, progress_bars
from models.tracking import open_tracker
from models.train import train
from models.walk_forward import Plan, run_walk_forward

application = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
StartDate = Annotated[datetime, typer.Option("--start-date", formats=["%Y-%m-%d"], help="First day.")]
EndDate = Annotated[datetime, typer.Option("--end-date", formats=["%Y-%m-%d"], help="Last day.")]
DatasetFolder = Annotated[Path | None, typer.Option("--dataset", help="The dataset's folder.")]
FirstDay = Annotated[
    datetime | None, typer.Option("--first-day", formats=["%Y-%m-%d"], help="First session that judges.")
]
LastDay = Annotated[datetime | None, typer.Option("--last-day", formats=["%Y-%m-%d"], help="Last session that judges.")]


def _seeds(text: str | None) -> tuple[int, ...]:
    parts = [] if text is None else [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise typer.BadParameter(f"--seeds are whole numbers with commas between, such as 7,8, not {text!r}")
    return tuple(int(part) for part in parts)


def _datamanager(configuration: Configuration) -> DatamanagerClient:
    return DatamanagerClient(str(configuration.datamanager_url), configuration.fund_api_token)


@application.command("collect")
def collect_command(start_date: StartDate, end_date: EndDate) -> None:
    """Have datamanager fetch the bars of a range, and the details of every ticker."""
    console = Console()
    with _datamanager(Configuration()) as datamanager, progress_bars(console) as show:
        done = collect(datamanager, start_date.date(), end_date.date(), on_progress=show)
    console.print(
        f"{done.sessions} sessions are in the lake, {done.fetched} fetched now: {done.rows:,} bars, "
        f"{done.quarantined:,} quarantined; details of {done.details:,} tickers; bars version {done.bars_version}."
    )


@application.command("assemble")
def assemble_command(start_date: StartDate, end_date: EndDate, dataset: DatasetFolder = None) -> None:
    """Read adjusted bars and details from datamanager into a dataset folder."""
    console, configuration = Console(), Configuration()
    folder = dataset or configuration.dataset
    with _datamanager(configuration) as datamanager, progress_bars(console) as show:
        made = assemble(datamanager, start_date.date(), end_date.date(), folder, on_progress=show)
    set_aside = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in made.report["set_aside"].items())
    console.print(
        f"{made.bars.height:,} bars of {made.report['tickers']:,} tickers up to {made.end} in {folder} "
        f"(bars version {made.bars_version}); set aside: {set_aside}; "
        f"{made.report['filled_sessions']:,} sessions filled."
    )


@application.command("train")
def train_command(
    dataset: DatasetFolder = None,
    model: Annotated[str, typer.Option("--model", help="small, full, or a baseline's kind.")] = "small",
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same weights.")] = 7,
) -> None:
    """Train a model, register it, and make it the champion when it is not worse than the present one.

    Interrupted, even by kill -9, the same command goes on from the last finished epoch.
    """
    console, configuration = Console(), Configuration()
    material = load_dataset(dataset or configuration.dataset)
    tracker = open_tracker(configuration, f"train-{model}-{seed}", {"model": model, "seed": seed})
    registry = configuration.registry()
    checkpoints = configuration.state_directory / "checkpoints" / f"{model}-{seed}"
    with progress_bars(console) as show:
        done = train(material, registry, tracker, model=model, seed=seed, checkpoints=checkpoints, on_progress=show)
    page = write_report(configuration.state_directory / "evaluations" / done.version, done.evaluation)
    print_evaluation(console, done.evaluation)
    console.print(f"Written to {page}; evaluation.json and the pictures lie beside it.")
    console.print(
        f"Model {done.version} is {'the champion' if done.promoted else 'registered, not champion'}: {done.reason}."
    )


@application.command("evaluate")
def evaluate_command(  # noqa: PLR0913 - a command's options, each its own
    *,
    dataset: DatasetFolder = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", help="A version or an alias (champion); with --folds small, full or a baseline's kind."
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Folder of the JSON, HTML and pictures.")] = None,
    folds: Annotated[
        int | None, typer.Option("--folds", min=1, help="Walk forward: fit everything afresh on so many folds.")
    ] = None,
    seeds: Annotated[
        str | None, typer.Option("--seeds", metavar="N,N", help="Of the networks that are averaged, e.g. 7,8.")
    ] = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    embargo: Annotated[
        int | None, typer.Option("--embargo", min=0, help="Sessions left out beyond the purge of seven.")
    ] = None,
) -> None:
    """Score a registered model beside the baselines on sessions after its training, or walk forward with --folds.

    A walk trains and judges, and registers nothing. Killed, the same command goes on from what has ended.
    """
    console, configuration = Console(), Configuration()
    if folds is None and any(given is not None for given in (seeds, first_day, last_day, embargo)):
        raise typer.BadParameter("--seeds, --first-day, --last-day and --embargo belong to a walk: give --folds too")
    numbers = _seeds(seeds)
    material = load_dataset(dataset or configuration.dataset)
    with progress_bars(console) as show:
        if folds is None:
            registry = configuration.registry()
            evaluation = evaluate(material, registry, model or CHAMPION, on_progress=show)
        else:
            first, last = (None if day is None else day.date() for day in (first_day, last_day))
            plan = Plan(model or "small", folds, numbers, first, last, embargo or 0)
            evaluation = run_walk_forward(material, plan, configuration.state_directory / "walks", on_progress=show)
    page = write_report(output or configuration.state_directory / "evaluations" / evaluation.version, evaluation)
    print_evaluation(console, evaluation)
    console.print(f"Written to {page}; evaluation.json and the pictures lie beside it.")


@application.command("promote")
def promote_command(
    version: Annotated[str, typer.Argument(help="A registered version; `models list` shows them.")],
) -> None:
    """Make a registered model the champion, better or not; one that did not pass the leak gate is refused."""
    Configuration().registry().promote(version)
    Console().print(f"Model {version} is the champion.")


@application.command("list")
def list_command() -> None:
    """Every registered model, oldest first."""
    console = Console()
    for model in Configuration().registry().list():
        console.print(f"{model.version}  {model.kind}  {' '.join(model.aliases)}")


def main() -> None:
    """Run a command; an error of the fund, or of the disk, ends it with its sentence and exit code 1."""
    try:
        application()
    except (FundError, OSError) as error:
        Console(stderr=True).print(f"{getattr(error, 'title', 'System error')}: {error}", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
