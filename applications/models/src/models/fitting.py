"""Fitting: the fold that every kind of model shares, and a baseline fitted on it.

Knows material and candidates. Knows nothing of the registry, of promotion or of evaluation, and imports no tinygrad:
networks are fitted in `network_fitting`.
"""

import subprocess
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Final

import polars as pl

from internal.baselines.catalogue import BASELINES
from internal.features.splits import Block, Fold, walk_forward
from internal.features.windows import HORIZON, can_be_origin
from internal.tft.artifact import Artifact
from internal.tft.forecaster import BaselineModel, QuantileModel

MINIMUM_TRAINING_SESSIONS: Final = 60
HELD_OUT_SHARE: Final = 0.15
VALIDATION_SHARE: Final = 0.1


@dataclass(frozen=True)
class Candidate:
    """A fitted model and its artifact, metrics not yet measured."""

    model: QuantileModel
    artifact: Artifact


@dataclass(frozen=True)
class Material:
    """What a model is fitted on.

    Attributes:
        frame: The observed panel, held-out sessions included.
        fold: Which of its sessions train, choose and judge.
        bars_version: Version of the bars' table.
    """

    frame: pl.DataFrame
    fold: Fold
    bars_version: int


def choose_fold(frame: pl.DataFrame) -> Fold:
    """One walk forward over the panel's origins: the newest 15 % judge, 10 % before them choose, the rest train.

    Raises:
        InvalidRequestError: The panel has too few sessions; the sentence says how many it needs.
    """
    origins = frame.filter(can_be_origin(Block(date.min, date.max))).get_column("date").unique().sort().to_list()
    days = origins[:-HORIZON]  # the last ones have no complete label
    (fold,) = walk_forward(
        days,
        fold_count=1,
        test_length=max(20, round(HELD_OUT_SHARE * len(days))),
        validation_length=max(20, round(VALIDATION_SHARE * len(days))),
        horizon=HORIZON,
        purge=HORIZON,
        minimum_training_length=MINIMUM_TRAINING_SESSIONS,
    )
    return fold


def plain_fold(fold: Fold) -> dict[str, str]:
    """The fold's six dates as ISO 8601."""
    return {f"{name}_{edge}": day for name, block in asdict(fold).items() for edge, day in _edges(block).items()}


def _edges(block: dict[str, date]) -> dict[str, str]:
    return {edge: day.isoformat() for edge, day in block.items()}


def code_revision(folder: Path = Path(__file__).parent) -> str:
    """The commit of the checkout that this code runs from, `-dirty` behind it where a file differs from the commit.

    The package's version where it is installed without a checkout.
    """
    words = ["git", "-C", str(folder), "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]
    try:
        ended = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    except FileNotFoundError:
        return version("models")
    return ended.stdout.strip() if ended.returncode == 0 else version("models")


def fit_baseline(material: Material, kind: str) -> Candidate:
    """Fit a baseline on the training and validation sessions: it has no epoch to choose."""
    fold = material.fold
    baseline = BASELINES[kind].fit(material.frame, fold=Block(fold.training.first, fold.validation.last))
    artifact = Artifact(
        kind=kind,
        arrays=baseline.to_arrays(),
        configuration={"size": kind, "fold": plain_fold(fold)},
        scaler={},
        vocabulary={},
        metrics={},
        bars_version=material.bars_version,
        code_revision=code_revision(),
    )
    return Candidate(BaselineModel(baseline), artifact)
