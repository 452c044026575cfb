"""Cached results: the models and forecasts of an evaluation's tasks, so that one that was killed goes on.

Knows folders whose names are what their content was made of: bars, fold, settings and code. Each appears complete or
not at all, and every byte is checked against its manifest when it is read. Knows nothing of how either is made.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from internal.errors import ArtifactError
from internal.forecasting.artifact import Artifact, load_artifact, save_artifact
from internal.forecasting.quantiles import RowQuantiles
from models.dataset import Dataset

FORECASTS: Final = "forecasts"
KEY_LENGTH: Final = 24


@dataclass(frozen=True)
class CachedTask:
    """One task's place.

    Attributes:
        folder: Its own; what it was made of is in its name.
        made_of: The same in words, written beside the forecasts.
    """

    folder: Path
    made_of: Mapping[str, Any]

    @property
    def checkpoints(self) -> Path:
        """Where a training that has not ended lies."""
        return self.folder / "checkpoints"

    def forecasts(self) -> RowQuantiles | None:
        """The forecasts, or None when the task has not ended. Raises ArtifactError when they were changed."""
        artifact = self._read(FORECASTS)
        return None if artifact is None else RowQuantiles(artifact.arrays["cumulative"], artifact.arrays["daily"])

    def keep_forecasts(self, forecasts: RowQuantiles) -> None:
        """Write the forecasts as a whole."""
        arrays = {"cumulative": forecasts.cumulative, "daily": forecasts.daily}
        artifact = Artifact(FORECASTS, arrays, dict(self.made_of), {}, {}, {}, 0, str(self.made_of["code"]))
        save_artifact(self.folder / FORECASTS, artifact)

    def model(self) -> Artifact | None:
        """The fitted model, or None when there is none yet. Raises ArtifactError when it was changed."""
        return self._read("model")

    def keep_model(self, artifact: Artifact) -> None:
        """Write the model as a whole."""
        save_artifact(self.folder / "model", artifact)

    def _read(self, name: str) -> Artifact | None:
        folder = self.folder / name
        if not folder.exists():
            return None
        try:
            return load_artifact(folder)
        except ArtifactError as error:
            raise ArtifactError(f"{error.detail}; remove {folder}, and the same command makes it anew") from error


def keep(store: Path, made_of: Mapping[str, Any]) -> CachedTask:
    """The place of what is made of these plain values, in a store."""
    digest = sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    return CachedTask(store / digest[:KEY_LENGTH], made_of)


def dataset_digest(dataset: Dataset) -> str:
    """Of the bars, the details and the last session."""
    digest = sha256(dataset.end.isoformat().encode())
    for frame in (dataset.bars, dataset.details):
        content = BytesIO()
        frame.rechunk().write_ipc(content, compression="uncompressed")
        digest.update(content.getbuffer())
    return digest.hexdigest()
