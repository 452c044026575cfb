"""Preparation of a fold for networks: scaler, vocabularies, scale and windows, the same for every seed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from internal.baselines.heterogeneous import AdaptiveVolatility
from internal.errors import InvalidRequestError
from internal.features.scaling import Scaler
from internal.features.splits import Block
from internal.features.variables import STATIC_VARIABLES, find_moving
from internal.features.vocabulary import Vocabulary
from internal.features.windows import Windows, find_origins, lay_out
from models.folds import FoldData
from models.progress import PANEL_SHARE, OnProgress, Progress, Step, ignore_progress
from models.relative_target import RelativeWindows, make_relative_windows

TURN: Final = 7919  # a prime: each session's selection begins at another ticker


@dataclass(frozen=True)
class PreparedFold:
    """The inputs of a network's training. Training and validation windows share their arrays.

    Attributes:
        scaler: Of the observed variables, fitted on the training sessions.
        vocabularies: One a static variable.
        scale: The HAR volatility, fitted on the training and validation sessions.
        training: Training windows, of rows that move (`features.variables.find_moving`), as the scale's.
        validation: Validation windows, which choose the epoch.
    """

    scaler: Scaler
    vocabularies: dict[str, Vocabulary]
    scale: AdaptiveVolatility
    training: RelativeWindows
    validation: RelativeWindows

    def calibration_windows(self, maximum: int) -> Windows:
        """At most about so many windows of training and validation, the same number from each session.

        A session of the validation block must not count for more than one of the training block: the newest half-year's
        drift would become the forecast's.
        """
        windows = self.training.windows
        origins = np.concatenate([windows.origins, self.validation.windows.origins])
        return windows.at(origins[select_evenly(windows.session[origins], maximum)])


def select_evenly(sessions: np.ndarray, maximum: int) -> np.ndarray:
    """Places of at most about so many elements, ascending, the same number of each session; all of a smaller one.

    Args:
        sessions: The session of each element, i64 [n].
        maximum: How many in all; at least one of each session.
    """
    _, number, count = np.unique(sessions, return_inverse=True, return_counts=True)
    share = max(1, maximum // max(1, len(count)))
    by_session = np.argsort(number, kind="stable")
    number = number[by_session]
    size = count[number]
    place = np.arange(len(sessions)) - (np.cumsum(count) - count)[number]  # within its session
    turned = (place + TURN * number) % size
    return np.sort(by_session[(turned + 1) * share // size > turned * share // size])


def prepare_fold(data: FoldData, on_progress: OnProgress = ignore_progress) -> PreparedFold:
    """Fit scaler, vocabularies and scale, and cut the windows.

    Raises:
        InvalidRequestError: The fold has no training or no validation window, or no two tickers differ.
    """

    def report(done: int, text: str) -> None:
        on_progress(Progress(Step.PREPARING, done, 100, text))

    frame, fold = data.frame, data.fold
    report(PANEL_SHARE, "HAR's fit")
    scaler, vocabularies = Scaler.fit(frame, fold=fold.training), fit_vocabularies(frame, fold=fold.training)
    scale = AdaptiveVolatility.fit(frame, fold=Block(fold.training.first, fold.validation.last))
    report(60, "HAR's scales")
    scales = scale.cumulative_scales(frame)
    report(75, "windows")
    everything = lay_out(frame, scaler, vocabularies, scales)
    moving = find_moving(frame)
    training, validation = (
        make_relative_windows(frame, everything.at(origins[moving[origins]]).keep_labelled())
        for origins in (find_origins(frame, block) for block in (fold.training, fold.validation))
    )
    if not len(training) or not len(validation):
        raise InvalidRequestError("the fold has no training or no validation window: assemble more tickers or sessions")
    report(100, f"{len(training):,} windows to train on, {len(validation):,} to choose the epoch")
    return PreparedFold(scaler, vocabularies, scale, training, validation)


def fit_vocabularies(frame: pl.DataFrame, *, fold: Block) -> dict[str, Vocabulary]:
    """One vocabulary a static variable. **Guard:** only names that have a bar inside the fold get a number."""
    inside = pl.col("date").is_between(fold.first, fold.last)
    return {
        variable: Vocabulary.fit(frame.select(pl.col(variable).filter(inside).unique()).to_series())
        for variable in STATIC_VARIABLES
    }
