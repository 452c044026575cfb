"""Scaling of the observed variables to about -1..1, fitted on the training fold alone.

Prices need no fitted scale: a window divides them by the ticker's own volatility at its origin.
"""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from internal.errors import ArtifactError, InvalidRequestError
from internal.features.splits import Block
from internal.features.variables import OBSERVED_VARIABLES, PRICE_VARIABLES

CLIP = 10.0


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of each observed variable, and the dates they come from.

    Attributes:
        variables: The observed variables, in the order of the model's columns.
        means: One a variable; zero for prices.
        deviations: One a variable; one for prices.
        fitted_from: First session whose rows were used.
        fitted_to: Last session whose rows were used.
    """

    variables: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    fitted_from: date
    fitted_to: date

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, fold: Block) -> "Scaler":
        """Fit on the rows of an observed panel inside the training fold.

        Args:
            frame: What `variables.observe` returns.
            fold: **Guard:** rows outside these dates are removed before anything is computed.

        Raises:
            InvalidRequestError: The fold holds fewer than two rows, or a variable that never changes there.
        """
        fitted = [variable for variable in OBSERVED_VARIABLES if variable not in PRICE_VARIABLES]
        read = frame.select("date", *(f"past_{variable}" for variable in fitted))
        rows = read.filter(pl.col("date").is_between(fold.first, fold.last))
        means = rows.select(pl.col(f"past_{variable}").mean() for variable in fitted).row(0)
        deviations = rows.select(pl.col(f"past_{variable}").std() for variable in fitted).row(0)
        flat = [name for name, size in zip(fitted, deviations, strict=True) if size is None or not size > 0]
        if flat:
            raise InvalidRequestError(
                f"the training fold {fold.first}..{fold.last} has {rows.height} rows and no spread in {', '.join(flat)}"
            )
        mean, size = dict(zip(fitted, means, strict=True)), dict(zip(fitted, deviations, strict=True))
        first, last = rows.select(pl.col("date").min(), last=pl.col("date").max()).row(0)
        return cls(
            variables=OBSERVED_VARIABLES,
            means=tuple(mean.get(variable, 0.0) for variable in OBSERVED_VARIABLES),
            deviations=tuple(size.get(variable, 1.0) for variable in OBSERVED_VARIABLES),
            fitted_from=first,
            fitted_to=last,
        )

    def transform(self, frame: pl.DataFrame) -> np.ndarray:
        """The observed variables in the model's order, f32 [row, observed_variable]; nulls become zero (the mean)."""
        transformed = np.empty((frame.height, len(self.variables)), np.float32)
        fitted = zip(self.variables, self.means, self.deviations, strict=True)
        for place, (variable, mean, deviation) in enumerate(fitted):  # one by one, so that no second table is made
            scaled = ((pl.col(f"past_{variable}") - mean) / deviation).fill_null(0.0).clip(-CLIP, CLIP)
            transformed[:, place] = frame.select(scaled.cast(pl.Float32)).to_series().to_numpy()
        return transformed

    def to_json(self) -> dict[str, Any]:
        """Plain values; dates as ISO 8601."""
        stored = asdict(self)
        return {**stored, "fitted_from": self.fitted_from.isoformat(), "fitted_to": self.fitted_to.isoformat()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Scaler":
        """Read what `to_json` wrote. Raises ArtifactError when it is incomplete or was made for other variables."""
        if tuple(stored.get("variables", ())) != OBSERVED_VARIABLES:
            raise ArtifactError(
                f"the scaler was fitted for the variables {stored.get('variables')}, "
                f"this code observes {list(OBSERVED_VARIABLES)}: train again with `models train`"
            )
        try:
            return cls(
                variables=OBSERVED_VARIABLES,
                means=tuple(float(mean) for mean in stored["means"]),
                deviations=tuple(float(deviation) for deviation in stored["deviations"]),
                fitted_from=date.fromisoformat(stored["fitted_from"]),
                fitted_to=date.fromisoformat(stored["fitted_to"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"the scaler cannot be read: {error!r}") from error
