"""Durability of writes to local folders: files and folder entries are on disk, so that a power cut loses none.

An object store answers a write when it is durable; none of this applies there.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

LOG = "_delta_log"


def sync_path(path: Path) -> None:
    """Wait until a file's contents, or a folder's entries, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Sync every file and folder under a folder, and the folder."""
    for parent, _, files in os.walk(folder):
        for name in files:
            with suppress(FileNotFoundError):  # another writer's temporary file
                sync_path(Path(parent, name))
        sync_path(Path(parent))


def sync_above(folder: Path) -> None:
    """Sync the folders above a folder, in each of which the next one may be new.

    A folder that this process may not write to has no new entry and is left out.
    """
    for above in folder.parents:
        if os.access(above, os.W_OK):
            sync_path(above)


def sync_files(files: Sequence[Path], root: Path) -> None:
    """Sync files under a root folder, and the folders from theirs up to the root."""
    for path in files:
        sync_path(path)
    for folder in {above for path in files for above in path.parents if above.is_relative_to(root)}:
        sync_path(folder)


class TableSync:
    """Syncs what the commits of one Delta table have added.

    The first time, the whole table is synced: a process before this one may have been killed between a commit and its
    sync. Later, only the commits since the last synced one are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._synced: int | None = None

    def sync(self, version: int) -> None:
        """Sync the table up to and including a version."""
        if self._synced is None:
            sync_tree(self._folder)
            sync_above(self._folder)
        else:
            sync_files(list(self._added_since(self._synced, version)), self._folder)
        self._synced = max(version, self._synced or 0)

    def _added_since(self, synced: int, version: int) -> Iterator[Path]:
        """The data and log files of the versions after `synced`."""
        for one in range(synced + 1, version + 1):
            commit = self._folder / LOG / f"{one:020}.json"
            yield from data_files(commit)
            yield commit
            checkpoints = sorted(commit.parent.glob(f"{one:020}.checkpoint*"))
            yield from checkpoints
            if checkpoints:
                yield commit.parent / "_last_checkpoint"


def data_files(commit: Path) -> Iterator[Path]:
    """The data files that a commit added."""
    for line in commit.read_text(encoding="utf-8").splitlines():
        added = json.loads(line).get("add")
        if added is not None:
            yield commit.parent.parent / unquote(added["path"])
