"""The forecasts of many sessions and tickers as one array, and their file."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import cast
from uuid import uuid4
from zipfile import BadZipFile

import numpy as np

from internal.errors import ArtifactError, InvalidRequestError
from internal.write_errors import explain_write_error


@dataclass(frozen=True)
class ForecastTable:
    """Quantiles of the return from each session's close, made from what was known at that close.

    Attributes:
        model: What made them: a baseline's kind, or the version of a registered model.
        days: D sessions, ascending, that forecasts are made from.
        tickers: N tickers, sorted.
        horizons: H numbers of sessions ahead, ascending.
        levels: L quantile levels, ascending.
        quantiles: f64 [D, N, H, L], simple returns from the day's close to the close `horizon` sessions later, as in
            the frame `predictions`; NaN where there is no forecast.
    """

    model: str
    days: tuple[date, ...]
    tickers: tuple[str, ...]
    horizons: tuple[int, ...]
    levels: tuple[float, ...]
    quantiles: np.ndarray

    def __post_init__(self) -> None:
        """Raises ArtifactError when the array has another shape than the labels."""
        shape = (len(self.days), len(self.tickers), len(self.horizons), len(self.levels))
        if self.quantiles.shape != shape or self.quantiles.dtype != np.float64:
            found = f"{self.quantiles.dtype} {self.quantiles.shape}"
            raise ArtifactError(f"a forecast table should hold float64 {shape}, found {found}")

    def bands(self, horizon: int) -> np.ndarray:
        """The quantiles of one horizon, f64 [D, N, L]. Raises InvalidRequestError when the table lacks it."""
        if horizon not in self.horizons:
            raise InvalidRequestError(f"the table has the horizons {self.horizons}, not {horizon}: ask for it as well")
        return self.quantiles[:, :, self.horizons.index(horizon)]


def write_forecast_table(path: Path, table: ForecastTable) -> None:
    """Write a table to a file, which appears complete or not at all.

    Raises:
        UnavailableError: It cannot be written, for example because the disk is full; nothing is left behind.
    """
    labels = {
        "model": table.model,
        "days": [day.isoformat() for day in table.days],
        "tickers": table.tickers,
        "horizons": table.horizons,
        "levels": table.levels,
    }
    encoded = np.frombuffer(json.dumps(labels).encode(), np.uint8)
    partial = path.with_name(f".{path.name}-{uuid4().hex}")
    with explain_write_error("the file of forecasts", path, "free some disk space and run the same command again"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                np.savez(file, labels=encoded, quantiles=table.quantiles)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def read_forecast_table(path: Path) -> ForecastTable:
    """Read a table; every byte is checked against the file's checksums.

    Raises:
        ArtifactError: The file is damaged, or no table.
        FileNotFoundError: There is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            labels = cast("dict[str, object]", json.loads(arrays["labels"].tobytes()))
            return _from_labels(labels, arrays["quantiles"])
    except FileNotFoundError:
        raise
    except (BadZipFile, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path} is damaged or no forecast table: {error}") from error


def _from_labels(labels: dict[str, object], quantiles: np.ndarray) -> ForecastTable:
    return ForecastTable(
        model=str(labels["model"]),
        days=tuple(date.fromisoformat(day) for day in cast("list[str]", labels["days"])),
        tickers=tuple(cast("list[str]", labels["tickers"])),
        horizons=tuple(cast("list[int]", labels["horizons"])),
        levels=tuple(cast("list[float]", labels["levels"])),
        quantiles=quantiles,
    )
