"""Fitting a network: scaler, vocabularies and windows of the training fold, then the training loop.

Knows how a size becomes a network's configuration. Imports tinygrad, so it is imported only when a network is trained.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from internal.baselines.heterogeneous import AdaptiveVolatility
from internal.errors import FundError, InvalidRequestError
from internal.features.scaling import Scaler
from internal.features.splits import Block
from internal.features.variables import KNOWN_VARIABLES, OBSERVED_VARIABLES, STATIC_VARIABLES
from internal.features.vocabulary import Vocabulary
from internal.features.windows import HORIZON, PAST_LENGTH, Windows, make_windows
from internal.forecasting.artifact import Artifact
from internal.forecasting.calibration import Calibration
from internal.forecasting.quantiles import QUANTILES
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration
from internal.tft.network_model import KIND, NetworkModel, plain_configuration
from internal.tft.training import TrainingConfiguration, TrainingProgress, fit
from models.checkpoints import open_checkpoint
from models.fitting import Candidate, Material, code_revision, plain_fold
from models.progress import OnProgress, Progress
from models.relative_target import RelativeWindows, relative_windows, standardised_returns
from models.sizes import Size
from models.tracking import Tracker


@dataclass(frozen=True)
class Run:
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
    """The loss or its gradient became something that is no number."""

    status = 500
    title = "Training diverged"
    slug = "diverged"


@dataclass(frozen=True)
class PreparedFold:
    """What every network of a fold stands on, whatever its seed.

    Attributes:
        scaler: Of the observed variables, fitted on the training sessions.
        vocabularies: One a static variable.
        scale: HAR's, fitted up to the validation's end.
        training: Windows that train.
        validation: Windows that choose the epoch.
    """

    scaler: Scaler
    vocabularies: dict[str, Vocabulary]
    scale: AdaptiveVolatility
    training: RelativeWindows
    validation: RelativeWindows


def prepare(material: Material) -> PreparedFold:
    """Fit scaler, vocabularies and scale, and cut the windows. Raises InvalidRequestError when a block has none."""
    frame, fold = material.frame, material.fold
    scaler, vocabularies = Scaler.fit(frame, fold=fold.training), fit_vocabularies(frame, fold=fold.training)
    scale = AdaptiveVolatility.fit(frame, fold=Block(fold.training.first, fold.validation.last))
    cumulative = scale.scales(frame).cumulative
    training, validation = (
        relative_windows(frame, make_windows(frame, scaler, vocabularies, block=block, scale=cumulative))
        for block in (fold.training, fold.validation)
    )
    if not len(training) or not len(validation):
        raise InvalidRequestError("the fold has no training or no validation window: assemble more tickers or sessions")
    return PreparedFold(scaler, vocabularies, scale, training, validation)


def fit_network(
    material: Material, run: Run, tracker: Tracker, on_progress: OnProgress, checkpoints: Path | None
) -> Candidate:
    """Train a Temporal Fusion Transformer on a fold; with a folder for checkpoints, go on from an interrupted training.

    Raises:
        ConfigurationError: No C compiler works.
        DivergedError: The loss became something that is no number.
        InvalidRequestError: The fold has no training or no validation window.
    """
    prepared, most = prepare(material), run.size.windows_per_epoch
    blocks = prepared.training.thinned(most), prepared.validation.thinned(most // 4)
    runs = [replace(run, seed=run.seed + number) for number in range(run.size.seeds)]
    report = reporter(tracker, on_progress)
    trained = [train_network(one, prepared.vocabularies, blocks, report, on_progress, checkpoints) for one in runs]
    configuration = network_configuration(run, prepared.vocabularies)
    model = ensemble(prepared, configuration, [network for network, _ in trained], most)
    artifact = Artifact(
        kind=KIND,
        arrays=model.arrays(),
        configuration={
            "size": run.name,
            "training": {**asdict(run.size), "seed": run.seed},
            "network": plain_configuration(configuration),
            "fold": plain_fold(material.fold),
        },
        scaler=prepared.scaler.to_json(),
        vocabulary={name: list(vocabulary.names) for name, vocabulary in prepared.vocabularies.items()},
        metrics={"validation_losses": [loss for _, loss in trained]},
        bars_version=material.bars_version,
        code_revision=code_revision(),
    )
    return Candidate(model, artifact)


def ensemble(
    prepared: PreparedFold,
    configuration: TemporalFusionTransformerConfiguration,
    networks: list[TemporalFusionTransformer],
    most: int,
) -> NetworkModel:
    """Networks of one fold as one model, with the calibration of their mean; it sees at most so many windows."""
    none, (first, *others) = Calibration.none(HORIZON), networks
    model = NetworkModel(
        first, configuration, prepared.scaler, prepared.vocabularies, none, prepared.scale, companions=tuple(others)
    )
    return calibrated(model, [prepared.training.thinned(most // 2).windows, prepared.validation.windows])


def together(material: Material, models: list[NetworkModel], size: Size) -> NetworkModel:
    """Models of one fold and size, each of one seed, as `fit_network` would have made them of all seeds at once."""
    networks = [model.network for model in models]
    return ensemble(prepare(material), models[0].configuration, networks, size.windows_per_epoch)


def train_network(  # noqa: PLR0913, PLR0917 - what a run is made of, each its own
    run: Run,
    vocabularies: dict[str, Vocabulary],
    blocks: tuple[RelativeWindows, RelativeWindows],
    report: Callable[[TrainingProgress], None],
    on_progress: OnProgress,
    checkpoints: Path | None,
) -> tuple[TemporalFusionTransformer, float]:
    """One seed's network and its best validation loss."""
    configuration, training = network_configuration(run, vocabularies), training_configuration(run)
    network, checkpoint = TemporalFusionTransformer(configuration), None
    if checkpoints is not None:
        settings = {"network": plain_configuration(configuration), "training": asdict(training)}
        checkpoint = open_checkpoint(checkpoints, blocks, settings, run.seed, on_progress)
    try:
        history = fit(network, *blocks, training, report, checkpoint)
    except FloatingPointError as error:
        raise DivergedError(
            f"training diverged ({error}); try another --seed, and look at the dataset's report"
        ) from error
    best = f"validation loss {history.best_validation_loss:.4f} in epoch {history.best_epoch + 1}"
    on_progress(Progress("training", 1, 1, best))
    return network, float(history.best_validation_loss)


def fit_vocabularies(frame: pl.DataFrame, *, fold: Block) -> dict[str, Vocabulary]:
    """One vocabulary a static variable. **Guard:** only names that have a bar inside the fold get a number."""
    rows = frame.filter(pl.col("date").is_between(fold.first, fold.last))
    return {variable: Vocabulary.fit(rows.get_column(variable)) for variable in STATIC_VARIABLES}


def network_configuration(run: Run, vocabularies: dict[str, Vocabulary]) -> TemporalFusionTransformerConfiguration:
    """The network that a run trains."""
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


def training_configuration(run: Run) -> TrainingConfiguration:
    """The loop's numbers."""
    return TrainingConfiguration(
        batch_size=run.size.batch_size,
        epochs=run.size.epochs,
        learning_rate=run.size.learning_rate,
        patience=run.size.patience,
        seed=run.seed,
    )


def calibrated(model: NetworkModel, blocks: list[Windows]) -> NetworkModel:
    """The model with a calibration that is fitted on plain returns of training and validation windows."""
    quantiles = np.concatenate([model.standardised(windows) for windows in blocks])
    truth = np.concatenate([standardised_returns(windows) for windows in blocks])
    return replace(model, calibration=Calibration.fit(quantiles, truth))


def reporter(tracker: Tracker, on_progress: OnProgress) -> Callable[[TrainingProgress], None]:
    """Pass the loop's progress on to the tracker and to whoever watches."""

    def report(progress: TrainingProgress) -> None:
        tracker.log(progress.step, {"loss": progress.loss, "windows_per_second": progress.windows_per_second})
        text = f"epoch {progress.epoch + 1}, loss {progress.loss:.4f}, {progress.windows_per_second:,.0f} windows/s"
        on_progress(Progress("training", progress.step, progress.total_steps, text))

    return report
