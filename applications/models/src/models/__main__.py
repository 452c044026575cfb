"""Collect bars, assemble a dataset, train, evaluate and register models.

Exit status: 0 success, 1 failure with its reason, 2 wrong arguments.
"""

import os
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from internal.day_option import DATE, read_day
from internal.errors import ArtifactError, FundError
from internal.forecasting.held_out_coverage import describe_coverage, read_coverage
from internal.forecasting.rank_evidence import describe_rank_evidence, find_rank_evidence
from internal.forecasting.registry import CHAMPION, RegisteredModel
from internal.http.datamanager_client import DatamanagerClient
from internal.scratch_arrays import scratch_folder
from models.assemble import assemble
from models.collect import collect
from models.configuration import Configuration
from models.dataset import Dataset, load_dataset
from models.evaluate import evaluate
from models.evaluation import Evaluation
from models.missing_sectors import NO_SECTORS, describe_missing_sectors
from models.report import write_report
from models.sizes import SIZES
from models.terminal import print_evaluation, show_progress_bars
from models.tracking import open_tracker
from models.train import InterruptedTrainingError, Training, train
from models.walk_forward import WalkForwardPlan, run_walk_forward

application = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
StartDate = Annotated[date, typer.Option("--start-date", parser=read_day, metavar=DATE, help="First day.")]
EndDate = Annotated[date, typer.Option("--end-date", parser=read_day, metavar=DATE, help="Last day.")]
DatasetFolder = Annotated[Path | None, typer.Option("--dataset", help="Folder of the dataset.")]
TrainedModel = Annotated[str, typer.Option("--model", help="small, full, or the kind of a baseline.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same weights.")]
EvaluatedModel = Annotated[
    str | None,
    typer.Option("--model", help="A version or an alias (champion); with --folds: small, full or a baseline's kind."),
]
Output = Annotated[Path | None, typer.Option("--output", help="Folder of the report.")]
Folds = Annotated[
    int | None, typer.Option("--folds", min=1, help="Evaluate walk-forward: fit every model on so many folds.")
]
Seeds = Annotated[
    str | None, typer.Option("--seeds", metavar="N,N", help="Seeds of the networks to average, e.g. 7,8.")
]
FirstDay = Annotated[
    date | None, typer.Option("--first-day", parser=read_day, metavar=DATE, help="First test session.")
]
LastDay = Annotated[date | None, typer.Option("--last-day", parser=read_day, metavar=DATE, help="Last test session.")]
Embargo = Annotated[int | None, typer.Option("--embargo", min=0, help="Sessions left out besides the purge of seven.")]

Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes that fit models; each holds the whole panel.")
]


@application.command("collect")
def collect_command(start_date: StartDate, end_date: EndDate) -> None:
    """Have datamanager ingest the bars of a range and the details of every ticker."""
    console = Console()
    with _connect(Configuration()) as datamanager, show_progress_bars(console) as show:
        done = collect(datamanager, start_date, end_date, on_progress=show)
    console.print(
        f"{done.sessions} sessions are in the lake, {done.fetched} fetched now: {done.rows:,} bars, "
        f"{done.quarantined:,} quarantined; details of {done.details:,} tickers; bars version {done.bars_version}."
    )
    if done.details and not done.sectors:
        console.print(NO_SECTORS)


@application.command("assemble")
def assemble_command(start_date: StartDate, end_date: EndDate, dataset: DatasetFolder = None) -> None:
    """Read adjusted bars and details from datamanager into a dataset folder."""
    console, configuration = Console(), Configuration()
    folder = dataset or configuration.dataset
    with _connect(configuration) as datamanager, show_progress_bars(console) as show:
        made = assemble(datamanager, start_date, end_date, folder, on_progress=show)
    excluded = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in made.report["set_aside"].items())
    console.print(
        f"{made.bars.height:,} bars of {made.report['tickers']:,} tickers up to {made.end} in {folder} "
        f"(bars version {made.bars_version}); excluded: {excluded}; "
        f"{made.report['filled_sessions']:,} sessions filled."
    )


@application.command("train")
def train_command(dataset: DatasetFolder = None, model: TrainedModel = "small", seed: Seed = 7) -> None:
    """Train and register a model; it becomes the champion when it is better.

    A tie is enough for a newer fit of the champion's kind. One that does not rank
    tickers replaces no champion that does: promote it.

    On real bars expert_aggregation forecasts better than the default, small: its
    loss was up to 0.5 % lower. But ten_by_ten opens nothing on it, because only
    the networks' median differs between tickers.

    After an interruption, even by kill -9, the same command continues after the
    last finished epoch.
    """
    console, configuration = Console(), Configuration()
    checkpoints, done = configuration.state_directory / "checkpoints" / f"{model}-{seed}", None
    try:
        with scratch_folder(configuration.scratch), show_progress_bars(console) as show:
            done = train(
                _load_dataset(console, configuration, dataset),  # held by nothing here: its early bars can be let go
                configuration.open_registry(),
                open_tracker(configuration, f"train-{model}-{seed}", {"model": model, "seed": seed}),
                model=model,
                seed=seed,
                checkpoints=checkpoints,
                on_progress=show,
            )
    except KeyboardInterrupt as interrupt:
        Console(stderr=True).print(_describe_interrupt(interrupt, model, done))
        raise
    try:
        _report(console, configuration, done.evaluation, None)
    finally:  # it is registered, whether or not its report can be written
        console.print(done.describe())


def _describe_interrupt(interrupt: KeyboardInterrupt, model: str, done: Training | None) -> str:
    """What became of an interrupted training, and what the same command does."""
    if done is not None:
        return f"Interrupted. {done.describe()}"
    if isinstance(interrupt, InterruptedTrainingError):
        return str(interrupt)
    resumes = "continues after the last finished epoch" if model in SIZES else "starts again"
    return f"Interrupted, nothing was registered: the same command {resumes}."


@application.command("evaluate")
def evaluate_command(  # noqa: PLR0913 - a command's options, each its own
    *,
    dataset: DatasetFolder = None,
    model: EvaluatedModel = None,
    output: Output = None,
    folds: Folds = None,
    seeds: Seeds = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    embargo: Embargo = None,
    workers: Workers = None,
) -> None:
    """Compare a model with the baselines on sessions after its training.

    With --folds, every model is fitted on each fold and evaluated walk-forward;
    nothing is registered. After an interruption, the same command continues with
    the unfinished models.
    """
    if folds is None and any(given is not None for given in (seeds, first_day, last_day, embargo, workers)):
        raise typer.BadParameter(
            "--seeds, --first-day, --last-day, --embargo and --workers are options of a walk-forward evaluation: give "
            "--folds too"
        )
    plan = None
    if folds is not None:
        days = first_day, last_day
        plan = WalkForwardPlan(model or "small", folds, _parse_seeds(seeds), *days, embargo or 0)
    console, configuration = Console(), Configuration()
    evaluation = _evaluate(console, configuration, dataset, model, plan, workers=workers or 1)
    _report(console, configuration, evaluation, output)


@application.command("promote")
def promote_command(
    version: Annotated[str, typer.Argument(help="A registered version; `models list` shows them.")],
) -> None:
    """Make a registered model the champion, better or not.

    A model that did not pass the leak gate is refused.
    """
    Configuration().open_registry().promote(version)
    Console().print(f"Model {version} is the champion.")


@application.command("list")
def list_command() -> None:
    """List every registered model, oldest first, with its rank evidence and its coverage by group and after a break."""
    console = Console()
    for model in Configuration().open_registry().list():
        console.print(f"{model.version}  {model.kind}  {' '.join(model.aliases)}")
        for sentence in _describe_registered(model):
            console.print(Padding(escape(sentence), (0, 0, 0, 2), expand=False))


def _describe_registered(model: RegisteredModel) -> list[str]:
    """What the list says of a model."""
    if model.damage:
        remedy = "run the same training again, which repairs it, restore its folder from a backup, or remove it"
        return [f"{model.damage}. It cannot forecast: {remedy}."]
    evidence = describe_rank_evidence(find_rank_evidence(model.kind, model.metrics))
    try:
        return [evidence, *describe_coverage(read_coverage(model.metrics))]
    except ArtifactError as error:  # of another version of the code: it hides no other model
        return [evidence, f"{error.detail}."]


def _connect(configuration: Configuration) -> DatamanagerClient:
    return DatamanagerClient(str(configuration.datamanager_url), configuration.fund_api_token)


def _load_dataset(console: Console, configuration: Configuration, folder: Path | None) -> Dataset:
    """Load the dataset, and say what a model will miss in it."""
    data = load_dataset(folder or configuration.dataset)
    if (missing := describe_missing_sectors(data)) is not None:
        console.print(missing)
    return data


def _parse_seeds(text: str | None) -> tuple[int, ...]:
    parts = [] if text is None else [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise typer.BadParameter(f"--seeds are whole numbers separated by commas, such as 7,8, not {text!r}")
    return tuple(int(part) for part in parts)


def _evaluate(  # noqa: PLR0913 - what the command was given
    console: Console,
    configuration: Configuration,
    folder: Path | None,
    model: str | None,
    plan: WalkForwardPlan | None,
    *,
    workers: int,
) -> Evaluation:
    """Evaluate a registered model, or walk-forward when there is a plan."""
    data = _load_dataset(console, configuration, folder)
    with scratch_folder(configuration.scratch), show_progress_bars(console) as show:
        if plan is None:
            return evaluate(data, configuration.open_registry(), model or CHAMPION, on_progress=show)
        walks = configuration.state_directory / "walks"
        return run_walk_forward(data, plan, walks, workers=workers, on_progress=show)


def _report(console: Console, configuration: Configuration, evaluation: Evaluation, output: Path | None) -> None:
    """Write the report's files and print the tables."""
    page = write_report(output or configuration.state_directory / "evaluations" / evaluation.version, evaluation)
    print_evaluation(console, evaluation)
    console.print(f"Report written to {page}; evaluation.json and the charts are saved in the same folder.")


def main() -> None:
    """Run a command; an error of the fund or of the disk is printed and ends it with exit status 1."""
    try:
        application(prog_name=os.environ.get("MODELS_TYPED_AS"))
    except (FundError, OSError) as error:
        Console(stderr=True).print(f"{getattr(error, 'title', 'System error')}: {error}", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
