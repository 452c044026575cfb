"""The explanation of a forecast: how much each variable and each past session counted, by name and date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl


@dataclass(frozen=True)
class ExplanationWeights:
    """The weights of one forecast as arrays, each a share; arXiv 1912.09363, sections 4.2 and 4.4.

    Attributes:
        past: f64 [past, past_variable]; each session's sum to one.
        future: f64 [horizon, known_variable]; each session's sum to one.
        static: f64 [static_variable]; they sum to one.
        attention: f64 [horizon, past + horizon]; each forecast session's sum to one, none looks ahead of itself.
        past_variables: The names along the last axis of `past`.
        future_variables: Those of `future`.
        static_variables: Those of `static`.
    """

    past: np.ndarray
    future: np.ndarray
    static: np.ndarray
    attention: np.ndarray
    past_variables: tuple[str, ...]
    future_variables: tuple[str, ...]
    static_variables: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """The explanation of one ticker's forecast.

    Attributes:
        model_version: The model that was asked.
        past: date, then one column a variable: its weight at that session, f64.
        future: The same for the sessions ahead.
        static: Weight by variable.
        attention: horizon Int8, target_date, date, weight f64: how much the forecast of `target_date` looks at the
            session `date`, itself the last.
    """

    model_version: str
    past: pl.DataFrame
    future: pl.DataFrame
    static: dict[str, float]
    attention: pl.DataFrame


def name_weights(
    weights: ExplanationWeights, past_dates: Sequence[date], future_dates: Sequence[date], model_version: str
) -> Explanation:
    """Give the weights their names and dates.

    Args:
        weights: Of one forecast.
        past_dates: The window's sessions, the origin last.
        future_dates: The sessions forecast.
        model_version: As written into the explanation.
    """
    return Explanation(
        model_version=model_version,
        past=_session_frame(past_dates, weights.past, weights.past_variables),
        future=_session_frame(future_dates, weights.future, weights.future_variables),
        static=dict(zip(weights.static_variables, weights.static.tolist(), strict=True)),
        attention=_attention_frame(weights.attention, [*past_dates, *future_dates], future_dates),
    )


def _session_frame(dates: Sequence[date], weights: np.ndarray, variables: tuple[str, ...]) -> pl.DataFrame:
    columns = {name: weights[:, place] for place, name in enumerate(variables)}
    return pl.DataFrame({"date": pl.Series(dates, dtype=pl.Date), **columns})


def _attention_frame(weights: np.ndarray, dates: Sequence[date], targets: Sequence[date]) -> pl.DataFrame:
    """The matrix as rows, without the sessions ahead of the one that looks."""
    steps = pl.DataFrame(
        {"horizon": range(1, len(targets) + 1), "target_date": targets}, schema_overrides={"horizon": pl.Int8}
    )
    seen = steps.join(pl.DataFrame({"date": dates}), how="cross", maintain_order="left_right")
    return seen.with_columns(weight=pl.Series(weights.reshape(-1))).filter(pl.col("date") <= pl.col("target_date"))
