"""Preparation of a fold for networks: scaler, vocabularies, scale and windows, the same for every seed."""

from dataclasses import dataclass

import polars as pl

from internal.baselines.heterogeneous import AdaptiveVolatility
from internal.errors import InvalidRequestError
from internal.features.scaling import Scaler
from internal.features.splits import Block
from internal.features.variables import STATIC_VARIABLES
from internal.features.vocabulary import Vocabulary
from internal.features.windows import make_windows
from models.folds import FoldData
from models.relative_target import RelativeWindows, make_relative_windows


@dataclass(frozen=True)
class PreparedFold:
    """The inputs of a network's training.

    Attributes:
        scaler: Of the observed variables, fitted on the training sessions.
        vocabularies: One a static variable.
        scale: The HAR volatility, fitted on the training and validation sessions.
        training: Training windows.
        validation: Validation windows, which choose the epoch.
    """

    scaler: Scaler
    vocabularies: dict[str, Vocabulary]
    scale: AdaptiveVolatility
    training: RelativeWindows
    validation: RelativeWindows


def prepare_fold(data: FoldData) -> PreparedFold:
    """Fit scaler, vocabularies and scale, and cut the windows.

    Raises:
        InvalidRequestError: The fold has no training or no validation window.
    """
    frame, fold = data.frame, data.fold
    scaler, vocabularies = Scaler.fit(frame, fold=fold.training), fit_vocabularies(frame, fold=fold.training)
    scale = AdaptiveVolatility.fit(frame, fold=Block(fold.training.first, fold.validation.last))
    cumulative = scale.scales(frame).cumulative
    training, validation = (
        make_relative_windows(frame, make_windows(frame, scaler, vocabularies, block=block, scale=cumulative))
        for block in (fold.training, fold.validation)
    )
    if not len(training) or not len(validation):
        raise InvalidRequestError("the fold has no training or no validation window: assemble more tickers or sessions")
    return PreparedFold(scaler, vocabularies, scale, training, validation)


def fit_vocabularies(frame: pl.DataFrame, *, fold: Block) -> dict[str, Vocabulary]:
    """One vocabulary a static variable. **Guard:** only names that have a bar inside the fold get a number."""
    rows = frame.filter(pl.col("date").is_between(fold.first, fold.last))
    return {variable: Vocabulary.fit(rows.get_column(variable)) for variable in STATIC_VARIABLES}
