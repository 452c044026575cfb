"""Fitting: the folds that every kind of model shares, and a baseline fitted on it.

Knows material and candidates. Knows nothing of the registry, of promotion or of evaluation, and imports no tinygrad:
networks are fitted in `network_fitting`.
"""

import subprocess
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

import polars as pl

import internal.tft
from internal.baselines.catalogue import BASELINES
from internal.baselines.model import BaselineModel
from internal.errors import InvalidRequestError
from internal.features.splits import Block, Fold, walk_forward
from internal.features.windows import HORIZON, can_be_origin
from internal.forecasting.artifact import Artifact
from internal.forecasting.quantiles import QuantileModel
from models.sizes import SIZES

MINIMUM_TRAINING_SESSIONS: Final = 60
HELD_OUT_SHARE: Final = 0.15
VALIDATION_SHARE: Final = 0.1
LEAST_TEST_SESSIONS: Final = 20  # two of the bootstrap's blocks: within a single one nothing would vary


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


def check_model(model: str) -> None:
    """Raise InvalidRequestError, naming those that there are, when there is no such size and no such baseline."""
    if model not in SIZES and model not in BASELINES:
        raise InvalidRequestError(f"there is no model {model!r}; choose one of {', '.join([*SIZES, *BASELINES])}")


def choose_fold(frame: pl.DataFrame) -> Fold:
    """One walk forward over the panel's origins: the newest 15 % judge, 10 % before them choose, the rest train.

    Raises:
        InvalidRequestError: The panel has too few sessions; the sentence says how many it needs.
    """
    (fold,) = choose_folds(frame, 1)
    return fold


def choose_folds(
    frame: pl.DataFrame, count: int, *, first: date | None = None, last: date | None = None, embargo: int = 0
) -> list[Fold]:
    """Walk forward over the panel's origins; the folds share the origins that judge evenly, the oldest few over train.

    Args:
        frame: The observed panel.
        count: Number of folds.
        first: First origin that judges; without it, the newest 15 % judge.
        last: Last origin that judges; without it, the last one whose whole horizon is known.
        embargo: **Guard:** sessions left out beyond the purge between what fits, what chooses and what judges.

    Raises:
        InvalidRequestError: Too few sessions to judge or to train; the sentence says how many there are and are needed.
    """
    origins = frame.filter(can_be_origin(Block(date.min, date.max))).get_column("date").unique().sort().to_list()
    days = [day for day in origins[:-HORIZON] if last is None or day <= last]  # the last have no complete label
    judging = max(LEAST_TEST_SESSIONS * count, round(HELD_OUT_SHARE * len(days)))
    if first is not None:
        judging = sum(day >= first for day in days)
    if judging < LEAST_TEST_SESSIONS * count:
        raise InvalidRequestError(
            f"{judging} sessions with a known answer are too few for {count} fold(s): each needs {LEAST_TEST_SESSIONS}"
        )
    return walk_forward(
        days,
        fold_count=count,
        test_length=judging // count,
        validation_length=max(20, round(VALIDATION_SHARE * len(days))),
        horizon=HORIZON,
        purge=HORIZON,
        embargo=embargo,
        minimum_training_length=MINIMUM_TRAINING_SESSIONS,
    )


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


def code_digest() -> str:
    """Every source file of the library and of `models`, committed or not, and tinygrad's version."""
    digest = sha256(version("tinygrad").encode())
    for folder in (Path(internal.tft.__file__).parents[1], Path(__file__).parent):
        for path in sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".c", ".h"}):
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


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
