"""The model registry: a folder of artifacts by version, with an alias, `champion`, for the one that forecasts.

An artifact is in it completely or not at all, and an alias points at an old version or at the new one, never at
nothing. What a killed writer leaves is hidden, is no version, and is removed by the next writer. Only a model that
passed the leak gate can be champion: its own metrics say so, and they are part of the content that its version names.
"""

import builtins
import fcntl
import os
import re
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from internal.errors import ArtifactError
from internal.forecasting.artifact import (
    artifact_metrics,
    artifact_version,
    copy_artifact,
    is_whole_artifact,
    load_artifact,
    repair_artifact,
)
from internal.write_errors import explain_write_error

CHAMPION: Final = "champion"
DAMAGED: Final = "damaged"  # as the kind of a version whose files cannot be read
LEAK_GATE: Final = "leak_gate"  # in the metrics: what `models.leak_gate` proved of this very model
_VERSION: Final = re.compile(r"[0-9a-f]{16}")
_ALIAS: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_LEFTOVER: Final = re.compile(r"\..+-[0-9a-f]{32}")  # what is being written, by its final name and a random number


@dataclass(frozen=True)
class RegisteredModel:
    """One version in the registry.

    Attributes:
        version: Its content's version.
        kind: The forecaster's kind; `damaged` where its files cannot be read.
        size: The size it was trained at, or the baseline's kind; `damaged` as above.
        metrics: What was measured when it was trained.
        aliases: The names that point at it.
        trained_through: The last session that it was fitted or calibrated on, ISO; empty where it does not say.
        damage: Why its files cannot be read; empty where they can.
    """

    version: str
    kind: str
    size: str
    metrics: dict[str, Any]
    aliases: tuple[str, ...]
    trained_through: str = ""
    damage: str = ""


class Registry:
    """Artifacts under `<directory>/versions/<version>`, aliases as small files under `<directory>/aliases`."""

    def __init__(self, directory: Path) -> None:
        """Takes the folder; it need not exist before the first artifact is registered."""
        self._directory = directory
        self._versions = directory / "versions"
        self._aliases = directory / "aliases"
        self.address = str(directory)

    def register(self, folder: Path) -> str:
        """Copy an artifact in, after checking it; the same content twice is one version, and repairs a damaged one.

        Raises:
            ArtifactError: The artifact is missing, incomplete or changed.
            UnavailableError: The registry cannot be written, for example because the disk is full.
        """
        version = artifact_version(folder)
        remedy = "free some disk space and run the same command again; an epoch that was saved is not trained again"
        with explain_write_error("the model", self._versions / version, remedy), self._lock():
            self._write_version(folder, self._versions / version)
        return version

    def promote(self, version: str, alias: str = CHAMPION) -> None:
        """Point an alias at a registered version, atomically.

        Raises:
            ArtifactError: The version is not in the registry, was changed there, or never passed the leak gate that a
                champion has to pass; or the alias is no plain name.
            UnavailableError: The alias cannot be written, for example because the disk is full; the old one stays.
        """
        load_artifact(self._check(version, alias))
        if not _ALIAS.fullmatch(alias):
            raise ArtifactError(f"an alias is a lower-case word such as {CHAMPION}, not {alias!r}")
        self._write_alias(alias, version)

    def has_alias(self, alias: str = CHAMPION) -> bool:
        """Whether the alias points at anything, usable or not."""
        return bool(_ALIAS.fullmatch(alias)) and self._read_alias(alias) is not None

    def champion(self) -> str | None:
        """The version that is the champion, usable or not; None where there is none."""
        return self._read_alias(CHAMPION)

    def has_version(self, version: str) -> bool:
        """Whether a version is registered, whole."""
        return version in self._list_versions() and self._is_whole(version)

    def path(self, name: str = CHAMPION) -> Path:
        """The folder of a version or of an alias.

        Raises:
            ArtifactError: There is none (it says to run `models train`), its content does not have the hash in its
                name, or it is called champion without having passed the leak gate.
        """
        version = name if _VERSION.fullmatch(name) else self._resolve_alias(name)
        return self._check(version, name)

    def list(self) -> list[RegisteredModel]:
        """Every version, oldest first; one that was changed or is incomplete is `damaged`, and hides no other."""
        targets = {alias: self._read_alias(alias) for alias in self._list_aliases()}
        versions = [version for version in self._list_versions() if _VERSION.fullmatch(version)]
        return [self._describe(version, targets) for version in versions]

    def _describe(self, version: str, targets: Mapping[str, str | None]) -> RegisteredModel:
        aliases = tuple(alias for alias, target in targets.items() if target == version)
        try:
            artifact = load_artifact(self._check(version))
        except ArtifactError as error:
            return RegisteredModel(version, DAMAGED, DAMAGED, {}, aliases, damage=error.detail)
        size = str(artifact.configuration.get("size", artifact.kind))
        through = str(artifact.configuration.get("fold", {}).get("validation_last", ""))
        return RegisteredModel(version, artifact.kind, size, dict(artifact.metrics), aliases, through)

    def _resolve_alias(self, alias: str) -> str:
        version = self._read_alias(alias) if _ALIAS.fullmatch(alias) else None
        if version is None:
            raise ArtifactError(f"there is no model {alias!r} in {self.address}: run `models train` first")
        return version

    def _write_alias(self, alias: str, version: str) -> None:
        """Make or replace an alias; a reader sees the old version or the new."""
        remedy = f"model {version} is registered; free some disk space, then `./fund models promote {version}`"
        partial = self._aliases / f".{alias}-{uuid4().hex}"
        with explain_write_error("the alias", self._aliases / alias, remedy), self._lock():
            self._aliases.mkdir(parents=True, exist_ok=True)
            try:
                with partial.open("x") as file:
                    file.write(version)
                    file.flush()
                    os.fsync(file.fileno())
                partial.rename(self._aliases / alias)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise

    def _read_alias(self, alias: str) -> str | None:
        """The version that a plain alias points at."""
        path = self._aliases / alias
        return path.read_text().strip() if path.is_file() else None

    def _list_aliases(self) -> builtins.list[str]:
        return sorted(path.name for path in self._aliases.glob("[a-z]*"))

    def _list_versions(self) -> builtins.list[str]:
        """The versions, oldest first."""
        folders = [folder for folder in self._versions.glob("*") if _VERSION.fullmatch(folder.name)]
        ordered = sorted(folders, key=lambda folder: (folder.stat().st_mtime_ns, folder.name))
        return [folder.name for folder in ordered]

    def _folder(self, version: str) -> Path | None:
        """The folder of a version, None when there is no such version."""
        folder = self._versions / version
        return folder if folder.is_dir() else None

    def _write_version(self, folder: Path, target: Path) -> None:
        """Put an artifact at its version's place, unless it is there whole."""
        if not target.is_dir():
            copy_artifact(folder, target)
        elif not is_whole_artifact(target, target.name):
            repair_artifact(folder, target)

    @contextmanager
    def _lock(self) -> Generator[None]:
        """Let one process write at a time, and first remove what a killed one has left; readers never wait."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / ".lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # the kernel gives it up with the process, however that ends
            for path in (*self._versions.glob(".*"), *self._aliases.glob(".*")):
                if _LEFTOVER.fullmatch(path.name):
                    _remove(path)
            yield

    def _is_whole(self, version: str) -> bool:
        try:
            return is_whole_artifact(self._check(version), version)
        except ArtifactError:
            return False

    def _check(self, version: str, alias: str = "") -> Path:
        folder = self._folder(version) if _VERSION.fullmatch(version) else None
        if folder is None:
            raise ArtifactError(f"there is no model version {version!r} in {self.address}: `models list` shows them")
        if artifact_version(folder) != version:
            raise ArtifactError(
                f"{folder} was changed after it was registered: its content does not have the hash in its name"
            )
        if alias == CHAMPION and not artifact_metrics(folder).get(LEAK_GATE):
            raise ArtifactError(
                f"model {version} cannot be champion: nothing shows that it passed the leak gate, which tests that no "
                "forecast depends on later bars; `models train` trains a model, runs the gate and registers it"
            )
        return folder


def _remove(path: Path) -> None:
    """Remove a file or a folder, as far as that is possible."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
