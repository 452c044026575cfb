"""Fitting of Temporal Fusion Transformers on a fold. It imports tinygrad, so it is imported only to train networks."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from internal.errors import FundError
from internal.features.variables import KNOWN_VARIABLES, OBSERVED_VARIABLES, STATIC_VARIABLES
from internal.features.vocabulary import Vocabulary
from internal.features.windows import HORIZON, PAST_LENGTH, Windows
from internal.forecasting.artifact import Artifact
from internal.forecasting.calibration import Calibration
from internal.forecasting.quantiles import QUANTILES
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration
from internal.tft.network_model import KIND, NetworkModel, encode_configuration
from internal.tft.training import TrainingConfiguration, TrainingProgress, fit
from models.baseline_fitting import Candidate
from models.checkpoints import open_checkpoint
from models.code_version import read_code_revision
from models.folds import FoldData, fold_to_json
from models.prepared_fold import PreparedFold, prepare_fold
from models.progress import OnProgress, Progress, Step
from models.relative_target import RelativeWindows, standardise_returns
from models.sizes import Size
from models.tracking import Tracker

NETWORK_UNITS: Final = 1000  # of a progress bar


@dataclass(frozen=True)
class TrainingRun:
    """The settings of one training run.

    Attributes:
        name: The size's name.
        size: Its numbers.
        seed: Of the parameters, the order of windows and dropout: the same seed gives the same weights.
    """

    name: str
    size: Size
    seed: int


class DivergedError(FundError):
    """The loss or its gradient is not a finite number."""

    status = 500
    title = "Training diverged"
    slug = "diverged"


def fit_network(
    data: FoldData, run: TrainingRun, tracker: Tracker, on_progress: OnProgress, checkpoints: Path | None
) -> Candidate:
    """Train the networks of a run; with a folder for checkpoints, an interrupted training is continued.

    Raises:
        ConfigurationError: No C compiler works.
        DivergedError: The loss is not a finite number.
        InvalidRequestError: The fold has no training or no validation window.
    """
    prepared, maximum = prepare_fold(data, on_progress), run.size.windows_per_epoch
    blocks = prepared.training.thin(maximum), prepared.validation.thin(maximum // 4)
    runs = [replace(run, seed=run.seed + number) for number in range(run.size.seeds)]
    shares = [report_share(on_progress, number, len(runs)) for number in range(len(runs))]
    trained = [
        train_network(one, prepared.vocabularies, blocks, make_reporter(tracker, share), share, checkpoints)
        for one, share in zip(runs, shares, strict=True)
    ]
    configuration = make_network_configuration(run, prepared.vocabularies)
    model = build_ensemble(prepared, configuration, [network for network, _ in trained], maximum)
    artifact = Artifact(
        kind=KIND,
        arrays=model.arrays(),
        configuration={
            "size": run.name,
            "training": {**asdict(run.size), "seed": run.seed},
            "network": encode_configuration(configuration),
            "fold": fold_to_json(data.fold),
        },
        scaler=prepared.scaler.to_json(),
        vocabulary={name: list(vocabulary.names) for name, vocabulary in prepared.vocabularies.items()},
        metrics={"validation_losses": [loss for _, loss in trained]},
        bars_version=data.bars_version,
        code_revision=read_code_revision(),
    )
    return Candidate(model, artifact, (prepared.scale,))


def combine_networks(data: FoldData, models: list[NetworkModel], size: Size) -> NetworkModel:
    """Models of one fold and size, each of one seed, as the ensemble that `fit_network` makes of all seeds."""
    networks = [model.network for model in models]
    return build_ensemble(prepare_fold(data), models[0].configuration, networks, size.windows_per_epoch)


def build_ensemble(
    prepared: PreparedFold,
    configuration: TemporalFusionTransformerConfiguration,
    networks: list[TemporalFusionTransformer],
    maximum_windows: int,
) -> NetworkModel:
    """Networks of one fold as one model, with the calibration of their mean on at most about so many windows."""
    none, (first, *others) = Calibration.none(HORIZON), networks
    model = NetworkModel(
        first, configuration, prepared.scaler, prepared.vocabularies, none, prepared.scale, companions=tuple(others)
    )
    return calibrate(model, prepared.calibration_windows(maximum_windows))


def calibrate(model: NetworkModel, windows: Windows) -> NetworkModel:
    """The model with a calibration that is fitted on absolute returns of some windows."""
    calibration = Calibration.fit(model.predict_standardised(windows), standardise_returns(windows))
    return replace(model, calibration=calibration)


def train_network(  # noqa: PLR0913, PLR0917 - the inputs of one training, each its own
    run: TrainingRun,
    vocabularies: dict[str, Vocabulary],
    blocks: tuple[RelativeWindows, RelativeWindows],
    report: Callable[[TrainingProgress], None],
    on_progress: OnProgress,
    checkpoints: Path | None,
) -> tuple[TemporalFusionTransformer, float]:
    """Train one seed's network; the network and its best validation loss."""
    configuration, training = make_network_configuration(run, vocabularies), make_training_configuration(run)
    network, checkpoint = TemporalFusionTransformer(configuration), None
    if checkpoints is not None:
        settings = {"network": encode_configuration(configuration), "training": asdict(training)}
        checkpoint = open_checkpoint(checkpoints, blocks, settings, run.seed, on_progress)
    try:
        history = fit(network, *blocks, training, report, checkpoint)
    except FloatingPointError as error:
        raise DivergedError(
            f"training diverged ({error}); try another --seed, and check the report of the dataset"
        ) from error
    best = f"validation loss {history.best_validation_loss:.4f} in epoch {history.best_epoch + 1}"
    on_progress(Progress(Step.TRAINING, 1, 1, best))
    return network, float(history.best_validation_loss)


def make_network_configuration(
    run: TrainingRun, vocabularies: dict[str, Vocabulary]
) -> TemporalFusionTransformerConfiguration:
    """The configuration of the network of a run."""
    return TemporalFusionTransformerConfiguration(
        hidden_size=run.size.hidden_size,
        head_count=run.size.head_count,
        dropout=run.size.dropout,
        past_length=PAST_LENGTH,
        horizon=HORIZON,
        quantiles=QUANTILES,
        observed_variables=OBSERVED_VARIABLES,
        known_variables=KNOWN_VARIABLES,
        static_cardinalities=tuple(vocabularies[variable].cardinality for variable in STATIC_VARIABLES),
        seed=run.seed,
    )


def make_training_configuration(run: TrainingRun) -> TrainingConfiguration:
    """The configuration of the training loop of a run."""
    return TrainingConfiguration(
        batch_size=run.size.batch_size,
        epochs=run.size.epochs,
        learning_rate=run.size.learning_rate,
        patience=run.size.patience,
        seed=run.seed,
    )


def report_share(on_progress: OnProgress, number: int, networks: int) -> OnProgress:
    """A callback that reports one network's training as a share of all, so that the time left is that of all."""
    if networks == 1:
        return on_progress

    def report(progress: Progress) -> None:
        if progress.step != Step.TRAINING:
            on_progress(progress)
            return
        done = NETWORK_UNITS * (number + progress.done / progress.total)
        text = f"network {number + 1} of {networks}, {progress.text}"
        on_progress(Progress(Step.TRAINING, done, NETWORK_UNITS * networks, text))

    return report


def make_reporter(tracker: Tracker, on_progress: OnProgress) -> Callable[[TrainingProgress], None]:
    """A callback of the training loop that logs each step and reports its progress."""

    def report(progress: TrainingProgress) -> None:
        tracker.log(progress.step, {"loss": progress.loss, "windows_per_second": progress.windows_per_second})
        text = f"epoch {progress.epoch + 1}, loss {progress.loss:.4f}, {progress.windows_per_second:,.0f} windows/s"
        on_progress(Progress(Step.TRAINING, progress.step, progress.total_steps, text))

    return report
