"""Unpacks a backup into an empty folder, and refuses whatever is not exactly what its manifest says."""

import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from fund.backup_archive import FILES, FOLDERS, MANIFEST, MANIFEST_BYTES, Manifest
from internal.errors import ConfigurationError, FundError
from internal.lake.snapshot import read_versions


class BackupError(FundError):
    """The file is no backup that can be restored."""

    status = 400
    title = "Unusable backup"
    slug = "unusable-backup"


def unpack_backup(
    file: Path, target: Path, advance: Callable[[int, int], object] = lambda _done, _all: None
) -> Manifest:
    """Unpack a backup into an empty folder; its manifest.

    Raises:
        BackupError: The archive is cut off or damaged, or holds something else than its manifest says: other files,
            links, paths outside the folder. What was unpacked has to be deleted.
        ConfigurationError: The file cannot be read, or the disk is too small.
    """
    try:
        with tarfile.open(file, "r:gz") as archive:
            manifest = _read_manifest(archive)
            _require_space(manifest, target)
            _unpack_files(archive, manifest, target, advance)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise BackupError(f"{file} is no whole backup ({error}): take another one, or copy it again") from error
    except OSError as error:
        raise ConfigurationError(f"{file} was not unpacked: {error}") from error
    found = read_versions(target / "lake")
    if found != manifest.tables:
        raise BackupError(f"{file}: its tables have the versions {found}, its manifest says {manifest.tables}")
    return manifest


def _read_manifest(archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    if first is None or first.name != MANIFEST or not first.isreg() or first.size > MANIFEST_BYTES:
        raise BackupError(f"the archive does not begin with a {MANIFEST}: `./fund backup` did not write it")
    content = archive.extractfile(first)
    try:
        return Manifest.model_validate_json(content.read() if content is not None else b"")
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        raise BackupError(
            f"its {MANIFEST} cannot be used ({place}: {fault['msg']}): another version of the fund wrote it"
        ) from error


def _require_space(manifest: Manifest, target: Path) -> None:
    free = shutil.disk_usage(target).free
    if manifest.bytes > free:
        raise ConfigurationError(
            f"the backup needs {manifest.bytes / 1024**3:.1f} GiB, and {free / 1024**3:.1f} GiB are free at {target}"
        )


def _unpack_files(
    archive: tarfile.TarFile, manifest: Manifest, target: Path, advance: Callable[[int, int], object]
) -> None:
    names: set[str] = set()
    size = 0
    while (entry := archive.next()) is not None:
        _require_part(entry, names)
        names.add(entry.name)
        size += entry.size
        if len(names) > manifest.files or size > manifest.bytes:
            raise BackupError("the archive holds more than its manifest says; nothing was restored")
        archive.extract(entry, target, filter="data")
        advance(len(names), manifest.files)
    if (len(names), size) != (manifest.files, manifest.bytes):
        raise BackupError(
            f"the archive holds {len(names):,} files of {size:,} bytes, its manifest says {manifest.files:,} of "
            f"{manifest.bytes:,}; nothing was restored"
        )


def _require_part(entry: tarfile.TarInfo, names: set[str]) -> None:
    """Check that an entry is a new regular file of a part that backups hold, under a path inside the folder."""
    path = PurePosixPath(entry.name)
    is_part = path.parts[:1] and (entry.name in FILES or (path.parts[0] in FOLDERS and len(path.parts) > 1))
    if not entry.isreg() or not is_part or ".." in path.parts or entry.name in names:
        raise BackupError(
            f"the archive holds {entry.name!r}, which no backup holds: a link, a path outside the fund's folder, or a "
            "file of another kind; nothing was restored"
        )
