"""A model registry in an object store that several machines share, read through copies in a local folder.

A version's manifest is written last and names every file's digest, so that a version whose writer died does not exist,
and an object that differs in one byte is refused; a damaged copy is fetched again. Of two promotions at once the later
one stays.
"""

import builtins
import shutil
from pathlib import Path
from typing import Protocol, override
from uuid import uuid4

from internal.errors import ArtifactError
from internal.forecasting.artifact import FILES, MANIFEST, artifact_version, is_whole_artifact, load_artifact
from internal.forecasting.registry import Registry
from internal.write_errors import explain_write_error


class ObjectStore(Protocol):
    """The store that a shared registry needs; each write appears whole or not at all."""

    def create(self, path: str, content: bytes) -> bool:
        """Make an object that does not exist yet; False when it does."""
        ...

    def put(self, path: str, content: bytes) -> None:
        """Make or replace an object."""
        ...

    def get(self, path: str) -> bytes | None:
        """The content, None when there is no such object."""
        ...

    def list_oldest_first(self, folder: str) -> builtins.list[str]:
        """The paths of all objects under a folder, the oldest first."""
        ...


class SharedRegistry(Registry):
    """Artifacts as objects under `versions/<version>/`, aliases as objects under `aliases/`.

    Every method raises what the store raises when it cannot be reached, and the address is in the message.
    """

    def __init__(self, store: ObjectStore, address: str, copies: Path) -> None:
        """Takes the store, its address for messages, and the folder of the copies."""
        super().__init__(copies)
        self._store = store
        self.address = address

    @override
    def register(self, folder: Path) -> str:
        version = super().register(folder)
        copy = self._versions / version
        for name in FILES:
            self._store.put(f"versions/{version}/{name}", (copy / name).read_bytes())
        manifest, content = f"versions/{version}/{MANIFEST}", (copy / MANIFEST).read_bytes()
        if not self._store.create(manifest, content) and self._store.get(manifest) != content:
            self._store.put(manifest, content)
        return version

    @override
    def _write_alias(self, alias: str, version: str) -> None:
        self._store.put(f"aliases/{alias}", version.encode())

    @override
    def _read_alias(self, alias: str) -> str | None:
        content = self._store.get(f"aliases/{alias}")
        if content is None:
            self._store.list_oldest_first("aliases")  # raises where the bucket does not exist: `get` alone cannot tell
            return None
        return content.decode(errors="replace").strip()

    @override
    def _list_aliases(self) -> builtins.list[str]:
        return sorted(path.removeprefix("aliases/") for path in self._store.list_oldest_first("aliases"))

    @override
    def _list_versions(self) -> builtins.list[str]:
        manifests = [path for path in self._store.list_oldest_first("versions") if path.endswith(f"/{MANIFEST}")]
        return [path.split("/")[1] for path in manifests]

    @override
    def _folder(self, version: str) -> Path | None:
        copy = super()._folder(version)
        if copy is not None and is_whole_artifact(copy, version):
            return copy
        manifest = self._store.get(f"versions/{version}/{MANIFEST}")
        return None if manifest is None else self._fetch(version, manifest)

    def _fetch(self, version: str, manifest: bytes) -> Path:
        """Fetch a version into its folder, whole or not at all; a damaged copy of it there is repaired.

        Raises:
            ArtifactError: An object is missing, or does not have the digest in the manifest.
            UnavailableError: It cannot be written, for example because the disk is full; nothing is left behind.
        """
        target = self._versions / version
        partial = target.with_name(f".{version}-{uuid4().hex}")
        contents = {MANIFEST: manifest, **{name: self._read_file(version, name) for name in FILES}}
        remedy = "free some disk space and try again"
        with explain_write_error("the copy of a model", target, remedy), self._lock():
            try:
                partial.mkdir(parents=True)
                for name, content in contents.items():
                    (partial / name).write_bytes(content)
                self._verify(partial, version)
                self._write_version(partial, target)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        return target

    def _read_file(self, version: str, name: str) -> bytes:
        content = self._store.get(f"versions/{version}/{name}")
        if content is None:
            raise ArtifactError(f"{self.address}/versions/{version} is no complete artifact: it has no {name}")
        return content

    def _verify(self, folder: Path, version: str) -> None:
        try:
            load_artifact(folder)
        except ArtifactError as error:
            raise ArtifactError(f"{self.address}/versions/{version} was changed: {error.detail}") from error
        if artifact_version(folder) != version:
            raise ArtifactError(
                f"{self.address}/versions/{version} was changed: its content does not have the hash in its name"
            )
