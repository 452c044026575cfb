"""A model artifact: everything that is needed to forecast, in one folder whose version is the hash of its content."""

import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast
from uuid import uuid4

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from internal.errors import ArtifactError
from internal.write_errors import explain_write_error

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
WEIGHTS: Final = "weights.safetensors"
DOCUMENTS: Final = ("configuration", "scaler", "vocabulary", "metrics")
METRICS: Final = "metrics.json"
FILES: Final = (WEIGHTS, *(f"{name}.json" for name in DOCUMENTS))  # what the manifest lists
VERSION_LENGTH: Final = 16
LAST_SESSION: Final = "validation_last"


@dataclass(frozen=True)
class Artifact:
    """The result of one training.

    Attributes:
        kind: The forecaster's kind: `temporal_fusion_transformer` or a baseline's.
        arrays: ExplanationWeights by name.
        configuration: What rebuilds the model: sizes, variables, blocks of sessions.
        scaler: `Scaler.to_json()`; empty for a baseline.
        vocabulary: Names by static variable, in the order of their numbers; empty for a baseline.
        metrics: What was measured when it was trained.
        bars_version: Delta version of `equity_bars` that it was trained on.
        code_revision: The commit that trained it.
    """

    kind: str
    arrays: Mapping[str, np.ndarray]
    configuration: Mapping[str, Any]
    scaler: Mapping[str, Any]
    vocabulary: Mapping[str, list[str]]
    metrics: Mapping[str, Any]
    bars_version: int
    code_revision: str

    @property
    def trained_through(self) -> date | None:
        """The last session that its training and validation saw; None where the artifact does not say."""
        fold: object = self.configuration.get("fold")
        last = cast("Mapping[str, object]", fold).get(LAST_SESSION) if isinstance(fold, Mapping) else None
        return date.fromisoformat(last) if isinstance(last, str) else None


def save_artifact(folder: Path, artifact: Artifact) -> str:
    """Write the artifact as a whole: the folder appears complete or not at all.

    Returns:
        The version: the first 16 hexadecimal digits of the manifest's SHA-256, and the manifest lists every file's.

    Raises:
        ArtifactError: The folder is there already, or a value is not plain JSON.
        UnavailableError: It cannot be written, for example because the disk is full; nothing is left behind.
    """
    if folder.exists():
        raise ArtifactError(f"{folder} exists already; an artifact is never written over another")
    contents = _encode(artifact)
    partial = folder.with_name(f".{folder.name}-{uuid4().hex}")
    with explain_write_error("the artifact", folder, "free some disk space and run the same command again"):
        partial.mkdir(parents=True)
        try:
            for name, content in contents.items():
                _write(partial / name, content)
            partial.rename(folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return _version(contents[MANIFEST])


def _encode(artifact: Artifact) -> dict[str, bytes]:
    documents = {f"{name}.json": _encode_json(name, getattr(artifact, name)) for name in DOCUMENTS}
    arrays = {name: np.ascontiguousarray(array) for name, array in sorted(artifact.arrays.items())}
    contents = {WEIGHTS: save(arrays), **documents}
    manifest = {
        "format": FORMAT,
        "kind": artifact.kind,
        "bars_version": artifact.bars_version,
        "code_revision": artifact.code_revision,
        "files": {name: sha256(content).hexdigest() for name, content in sorted(contents.items())},
    }
    return {**contents, MANIFEST: _encode_json("manifest", manifest)}


def _encode_json(name: str, value: object) -> bytes:
    try:
        return json.dumps(value, indent=2, sort_keys=True, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"the artifact's {name} is not plain JSON: {error}") from error


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _version(manifest: bytes) -> str:
    return sha256(manifest).hexdigest()[:VERSION_LENGTH]


def copy_artifact(folder: Path, target: Path) -> None:
    """Copy an artifact's own files, and no other, into a folder that appears complete or not at all.

    Raises:
        ArtifactError: It is missing, incomplete or changed.
        OSError: It cannot be written; nothing is left behind.
    """
    with _copied(folder, target) as copy:
        copy.rename(target)


def repair_artifact(folder: Path, target: Path) -> None:
    """Put an artifact's files in the place of those of a damaged copy of it, each at once.

    The copy is never missing: until its last file is replaced it is damaged, then it is whole.

    Raises:
        ArtifactError: The artifact is missing, incomplete or changed.
        OSError: It cannot be written; the copy is still there, and no other folder.
    """
    with _copied(folder, target) as copy:
        for name in (MANIFEST, *FILES):
            (copy / name).replace(target / name)


@contextmanager
def _copied(folder: Path, target: Path) -> Generator[Path]:
    """Give a whole copy in a hidden folder beside the target; what is not moved out of it is removed."""
    load_artifact(folder)
    partial = target.with_name(f".{target.name}-{uuid4().hex}")
    partial.mkdir(parents=True)
    try:
        for name in (MANIFEST, *FILES):
            _write(partial / name, _read(folder, name))
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def is_whole_artifact(folder: Path, version: str) -> bool:
    """Whether the folder holds the artifact of that version, every byte of it."""
    try:
        load_artifact(folder)
        return artifact_version(folder) == version
    except ArtifactError:
        return False


def artifact_version(folder: Path) -> str:
    """The version that the folder's content has. Raises ArtifactError when there is no manifest."""
    return _version(_read(folder, MANIFEST))


def artifact_metrics(folder: Path) -> dict[str, Any]:
    """What was measured when it was trained, checked against the manifest; the weights are not read.

    Raises:
        ArtifactError: The manifest or the metrics are missing, changed or no JSON.
    """
    manifest = _decode_json(_read(folder, MANIFEST), folder / MANIFEST)
    return _decode_json(_read_checked(folder, manifest, METRICS), folder / METRICS)


def load_artifact(folder: Path) -> Artifact:
    """Read an artifact and check every byte of it against its manifest.

    Raises:
        ArtifactError: Missing, incomplete, changed since it was written, or of another format; it says which.
    """
    manifest = _decode_json(_read(folder, MANIFEST), folder / MANIFEST)
    if manifest.get("format") != FORMAT:
        raise ArtifactError(f"{folder} has the format {manifest.get('format')}, this code reads {FORMAT}: train again")
    contents = {name: _read_checked(folder, manifest, name) for name in FILES}
    documents = {name: _decode_json(contents[f"{name}.json"], folder / f"{name}.json") for name in DOCUMENTS}
    try:
        return Artifact(
            kind=str(manifest["kind"]),
            arrays=load(contents[WEIGHTS]),
            bars_version=int(manifest["bars_version"]),
            code_revision=str(manifest["code_revision"]),
            **documents,
        )
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ArtifactError(f"{folder} cannot be read: {error!r}") from error


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise ArtifactError(f"{folder} is no complete artifact: {name}: {error.strerror}") from error


def _decode_json(content: bytes, path: Path) -> dict[str, Any]:
    try:
        document: object = json.loads(content)
    except ValueError as error:
        raise ArtifactError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ArtifactError(f"{path} holds no object")
    return cast("dict[str, Any]", document)


def _read_checked(folder: Path, manifest: Mapping[str, Any], name: str) -> bytes:
    content, files = _read(folder, name), manifest.get("files")
    expected = cast("dict[str, object]", files).get(name) if isinstance(files, dict) else None
    if sha256(content).hexdigest() != expected:
        raise ArtifactError(f"{folder / name} was changed after it was written: its digest is not the manifest's")
    return content
