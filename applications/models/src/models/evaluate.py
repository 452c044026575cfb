"""Evaluate: a registered model beside every baseline, on sessions that none of them was fitted on.

Knows which rows are fair: origins after the artifact's training and validation, purged, with every forecast known.
Draws nothing; `report` does.
"""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from internal.baselines.catalogue import BASELINES, fittable
from internal.baselines.forecast import RowQuantiles, future_log_returns, to_daily
from internal.errors import ArtifactError, InvalidRequestError
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import find_origins
from internal.tft.artifact import Artifact, load_artifact
from internal.tft.forecaster import QuantileModel, load_model
from internal.tft.registry import Registry
from models.dataset import Dataset
from models.progress import OnProgress, Progress, silent
from models.scoring import Score, Truth, pinball_loss, relative_difference, score

NOISE_PER_CENT: Final = 0.1


@dataclass(frozen=True)
class Line:
    """One line of the table: a forecast and how it compares with the best baseline.

    Attributes:
        score: Its losses and coverage.
        daily_difference: (difference, lower, upper) in per cent against the best baseline, daily returns.
        cumulative_difference: The same for cumulative returns.
        is_baseline: Whether it is a baseline.
    """

    score: Score
    daily_difference: tuple[float, float, float]
    cumulative_difference: tuple[float, float, float]
    is_baseline: bool


@dataclass(frozen=True)
class Evaluation:
    """The result, best cumulative loss first.

    Attributes:
        version: The model's version.
        first: First origin of the held-out block.
        last: Last origin.
        rows: Origins scored.
        tickers: Tickers among them.
        lines: The table.
        verdict: Plain sentences on what it means.
    """

    version: str
    first: date
    last: date
    rows: int
    tickers: int
    lines: list[Line]
    verdict: list[str]

    def to_json(self) -> dict[str, Any]:
        """Plain values; the losses by date are left out."""
        plain = asdict(self)
        for line in plain["lines"]:
            del line["score"]["daily_by_date"], line["score"]["cumulative_by_date"]
        return {**plain, "first": self.first.isoformat(), "last": self.last.isoformat()}


def evaluate(
    dataset: Dataset, registry: Registry, name: str = "champion", *, on_progress: OnProgress = silent
) -> Evaluation:
    """Score a registered model and the baselines on the origins after its training.

    **Guard:** baselines are fitted on the model's training and validation sessions, with labels that end there; the
    held-out block begins a purge later.

    Raises:
        ArtifactError: The model is missing or unusable.
        InvalidRequestError: The dataset has no origin after the model's training.
    """
    path = registry.path(name)
    artifact = load_artifact(path)
    frame = observe(build_panel(dataset.bars, dataset.details, end=dataset.end).frame)
    return compare(frame, artifact, load_model(path), path.name, on_progress=on_progress)


def compare(
    frame: pl.DataFrame, artifact: Artifact, model: QuantileModel, version: str, *, on_progress: OnProgress = silent
) -> Evaluation:
    """Score a model and the baselines on an observed panel. See `evaluate`."""
    fitted, held_out = _blocks(artifact)
    forecasts = _baseline_forecasts(frame, fitted, on_progress)
    ahead, origins = _scored_rows(frame, held_out, forecasts)
    on_progress(Progress("evaluating", len(BASELINES), len(BASELINES) + 1, artifact.kind))
    dates = frame.get_column("date").gather(origins)
    volatility = frame.get_column("volatility").gather(origins).to_numpy()
    truth = Truth(dates, ahead, to_daily(ahead), volatility, frame.get_column("sector").gather(origins))
    own = model.quantiles(frame, origins)
    scores = [score(kind, truth, one.cumulative[origins], one.daily[origins]) for kind, one in forecasts.items()]
    model_name = artifact.kind if artifact.kind not in BASELINES else f"{artifact.kind} (registered)"
    lines = _lines([*scores, score(model_name, truth, own.cumulative, own.daily)])
    on_progress(Progress("evaluating", len(BASELINES) + 1, len(BASELINES) + 1, ""))
    tickers = frame.get_column("ticker").gather(origins).n_unique()
    first, last = dates.to_list()[int(dates.arg_min() or 0)], dates.to_list()[int(dates.arg_max() or 0)]
    return Evaluation(version, first, last, len(origins), tickers, lines, _verdict(lines, model_name))


def model_losses(frame: pl.DataFrame, artifact: Artifact, model: QuantileModel) -> float:
    """A model's mean cumulative pinball loss on an artifact's held-out block, every labelled origin of it."""
    _, held_out = _blocks(artifact)
    origins = find_origins(frame, held_out)
    ahead = future_log_returns(frame, last=held_out.last)[origins]
    known = np.isfinite(ahead).all(axis=1)
    return float(pinball_loss(ahead[known], model.predict(frame, origins[known])).mean())


def _blocks(artifact: Artifact) -> tuple[Block, Block]:
    """The sessions that the model was fitted and chosen on, and those from which it may be judged."""
    try:
        fold = artifact.configuration["fold"]
        days = {name: date.fromisoformat(fold[name]) for name in ("training_first", "validation_last", "test_first")}
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"the artifact does not say on which sessions it was trained: {error!r}") from error
    return Block(days["training_first"], days["validation_last"]), Block(days["test_first"], date.max)


def _baseline_forecasts(frame: pl.DataFrame, fitted: Block, on_progress: OnProgress) -> dict[str, RowQuantiles]:
    forecasts = {}
    for place, (kind, baseline) in enumerate(fittable().items()):
        on_progress(Progress("evaluating", place, len(BASELINES) + 1, kind))
        forecasts[kind] = baseline.fit(frame, fold=fitted).quantiles(frame)
    return forecasts


def _scored_rows(
    frame: pl.DataFrame, held_out: Block, forecasts: dict[str, RowQuantiles]
) -> tuple[np.ndarray, np.ndarray]:
    """One fixed set of rows: origins of the held-out block with a known truth and with every baseline's forecast."""
    origins = find_origins(frame, held_out)
    ahead = future_log_returns(frame, last=held_out.last)[origins]
    known = np.isfinite(ahead).all(axis=1)
    for one in forecasts.values():
        known &= np.isfinite(one.cumulative[origins]).all(axis=(1, 2)) & np.isfinite(one.daily[origins]).all(
            axis=(1, 2)
        )
    if not known.any():
        raise InvalidRequestError(
            f"the dataset has no complete origin from {held_out.first} on, after the model's training: collect and "
            "assemble later sessions"
        )
    return ahead[known], origins[known]


def _lines(scores: list[Score]) -> list[Line]:
    best = min((one for one in scores if one.name in BASELINES), key=lambda one: one.cumulative)
    lines = [
        Line(
            one,
            relative_difference(one.daily_by_date, best.daily_by_date),
            relative_difference(one.cumulative_by_date, best.cumulative_by_date),
            is_baseline=one.name in BASELINES,
        )
        for one in scores
    ]
    return sorted(lines, key=lambda line: line.score.cumulative)


def _verdict(lines: list[Line], model_name: str) -> list[str]:
    own = next(line for line in lines if line.score.name == model_name)
    best = next(line for line in lines if line.is_baseline)
    difference, lower, upper = own.cumulative_difference
    beside = f"{difference:+.2f} % against {best.score.name}, 95 % interval {lower:+.2f} to {upper:+.2f} %"
    if upper < 0 and difference < -NOISE_PER_CENT:
        sentences = [f"{model_name} beats the best baseline on cumulative returns: {beside}."]
    elif lower > 0:
        sentences = [f"{model_name} does NOT beat the best baseline: its loss is larger, {beside}."]
    else:
        sentences = [f"{model_name} does NOT beat the best baseline: no difference can be told, {beside}."]
    if difference < -2:  # noqa: PLR2004 - MODEL: knowing each ticker's coming volatility buys 1.6 to 4.3 %
        sentences.append("A gain beyond 2 % on real bars is a leak until shown otherwise; check before believing it.")
    if own.score.rank_t is None or abs(own.score.rank_t) < 2:  # noqa: PLR2004 - two standard errors
        sentences.append("The median carries no rank information: the edge, if any, is in the width of the forecast.")
    return sentences
