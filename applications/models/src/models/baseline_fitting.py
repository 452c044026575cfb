"""Fitting of a baseline on a fold."""

from dataclasses import dataclass

from internal.baselines.catalogue import BASELINES
from internal.baselines.forecast import Baseline
from internal.baselines.model import BaselineModel
from internal.features.splits import Block
from internal.forecasting.artifact import Artifact
from internal.forecasting.quantiles import QuantileModel
from models.code_version import read_code_revision
from models.folds import FoldData, fold_to_json


@dataclass(frozen=True)
class Candidate:
    """A fitted model before its evaluation.

    Attributes:
        model: The model.
        artifact: Its artifact.
        fitted: The baselines that it was fitted with, on its training and validation sessions.
    """

    model: QuantileModel
    artifact: Artifact
    fitted: tuple[Baseline, ...] = ()


def fit_baseline(data: FoldData, kind: str) -> Candidate:
    """Fit a baseline on the training and validation sessions, because it has no epoch to choose.

    Raises:
        ConfigurationError: It is fitted with LightGBM, which is not installed or lacks a system library.
    """
    fold = data.fold
    baseline = BASELINES[kind].fit(data.frame, fold=Block(fold.training.first, fold.validation.last))
    artifact = Artifact(
        kind=kind,
        arrays=baseline.to_arrays(),
        configuration={"size": kind, "fold": fold_to_json(fold)},
        scaler={},
        vocabulary={},
        metrics={},
        bars_version=data.bars_version,
        code_revision=read_code_revision(),
    )
    return Candidate(BaselineModel(baseline), artifact, (baseline,))
