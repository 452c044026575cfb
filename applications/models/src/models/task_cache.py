"""A cache of fitted models and forecasts, so that an interrupted evaluation continues with the missing ones.

An entry's folder is named by a digest of everything that it was made of: bars, fold, settings and code. Its parts are
written atomically, and every byte is checked against a manifest when it is read.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from internal.errors import ArtifactError
from internal.forecasting.artifact import Artifact, load_artifact, save_artifact
from internal.forecasting.quantiles import RowQuantiles
from models.dataset import Dataset
from models.folds import FoldData, fold_to_json
from models.model_specification import ModelSpecification
from models.sizes import SIZES

FORECASTS: Final = "forecasts"
MODEL: Final = "model"
KEY_LENGTH: Final = 24


@dataclass(frozen=True)
class CachedTask:
    """The cached results of one task.

    Attributes:
        folder: Its folder.
        inputs: What it was made of, as plain values; stored with the forecasts.
    """

    folder: Path
    inputs: Mapping[str, Any]

    @property
    def checkpoints(self) -> Path:
        """The folder of a training's checkpoints."""
        return self.folder / "checkpoints"

    def read_forecasts(self) -> RowQuantiles | None:
        """The forecasts, or None when the task has not ended. Raises ArtifactError when they were changed."""
        artifact = self._read(FORECASTS)
        return None if artifact is None else RowQuantiles(artifact.arrays["cumulative"], artifact.arrays["daily"])

    def write_forecasts(self, forecasts: RowQuantiles) -> None:
        """Write the forecasts atomically."""
        arrays = {"cumulative": forecasts.cumulative, "daily": forecasts.daily}
        artifact = Artifact(FORECASTS, arrays, dict(self.inputs), {}, {}, {}, 0, str(self.inputs["code"]))
        save_artifact(self.folder / FORECASTS, artifact)

    def read_model(self) -> Artifact | None:
        """The fitted model, or None when there is none yet. Raises ArtifactError when it was changed."""
        return self._read(MODEL)

    def write_model(self, artifact: Artifact) -> None:
        """Write the model atomically."""
        save_artifact(self.folder / MODEL, artifact)

    def _read(self, name: str) -> Artifact | None:
        folder = self.folder / name
        if not folder.exists():
            return None
        try:
            return load_artifact(folder)
        except ArtifactError as error:
            raise ArtifactError(f"{error.detail}; remove {folder}, and run the same command again") from error


@dataclass(frozen=True)
class TaskCache:
    """The cache of one dataset and one version of the code.

    Attributes:
        folder: The cache's folder.
        bars: Digest of the dataset.
        code: Digest of the code.
    """

    folder: Path
    bars: str
    code: str

    def entry(self, specification: ModelSpecification, data: FoldData) -> CachedTask:
        """The cached results of a model on a fold."""
        settings: dict[str, Any] = {**asdict(specification), "seeds": list(specification.seeds)}
        if specification.seeds:
            settings["size"] = asdict(SIZES[specification.model])
        inputs = {"bars": self.bars, "fold": fold_to_json(data.fold), "model": settings, "code": self.code}
        digest = sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
        return CachedTask(self.folder / digest[:KEY_LENGTH], inputs)


def compute_dataset_digest(dataset: Dataset) -> str:
    """A digest of the bars, the details and the last session."""
    digest = sha256(dataset.end.isoformat().encode())
    for frame in (dataset.bars, dataset.details):
        content = BytesIO()
        frame.rechunk().write_ipc(content, compression="uncompressed")
        digest.update(content.getbuffer())
    return digest.hexdigest()
