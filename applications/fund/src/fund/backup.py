"""Writes a backup: the lake at one moment, the models and the settings in one archive, without any key."""

import io
import os
import tarfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from fund.backup_archive import FILES, MANIFEST, Manifest
from fund.folder import PRIVATE_FILE, FundFolder
from fund.settings.fund_settings import read_settings
from fund.unopened import describe_unopened
from internal.errors import ConfigurationError, ConflictError
from internal.lake.snapshot import list_version_files, read_versions
from models.code_version import read_code_revision

FAST = 1  # parquet files are compressed already


def write_backup(
    folder: FundFolder, file: Path, moment: datetime, advance: Callable[[int, int], object] = lambda _done, _all: None
) -> Manifest:
    """Write a backup of a fund, running or not; the file appears whole or not at all, and only its owner may read it.

    Args:
        folder: The fund's folder.
        file: A file that does not exist yet.
        moment: Now, UTC.
        advance: Takes how many files are written, and of how many.

    Raises:
        ConfigurationError: There is no fund, its lake or its models are elsewhere, or the file cannot be written.
        ConflictError: Settings or models were changed meanwhile.
    """
    _require_own_storage(folder)
    if file.exists():
        raise ConfigurationError(f"{file} exists; name another file")
    tables = read_versions(folder.lake)
    partial = file.with_name(f"{file.name}.partial")
    try:
        paths = _list_files(folder, tables)
        manifest = Manifest(
            created_at=moment,
            code=read_code_revision(),
            mode=folder.read_mode(),
            tables=tables,
            files=len(paths),
            bytes=sum(path.stat().st_size for path in paths),
        )
        _write_archive(partial, manifest, folder.root, paths, advance)
        partial.rename(file)
    except OSError as error:
        raise ConfigurationError(f"the backup was not written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def _require_own_storage(folder: FundFolder) -> None:
    """Check that there is a lake in the folder, and that the settings name no other; they may hold no key."""
    storage = read_settings(folder.settings_file).storage
    for address, own in ((storage.data_bucket, folder.lake), (storage.registry_directory, folder.registry)):
        if address is not None and Path(address).resolve() != own.resolve():
            raise ConfigurationError(
                f"{address} is outside the fund's folder, and a backup holds that folder alone: keep versions of it "
                "where it is (a bucket's versioning, a snapshot of the disk)"
            )
    if not folder.lake.is_dir():
        raise ConfigurationError(describe_unopened(folder))


def _list_files(folder: FundFolder, tables: dict[str, int]) -> list[Path]:
    """The files of a backup; of the registry without what is still being written."""
    lake = [path for table, version in tables.items() for path in list_version_files(folder.lake / table, version)]
    models = sorted(
        path
        for path in folder.registry.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder.registry).parts)
    )
    return [*(path for name in FILES if (path := folder.root / name).is_file()), *models, *lake]


def _write_archive(
    partial: Path, manifest: Manifest, root: Path, paths: Sequence[Path], advance: Callable[[int, int], object]
) -> None:
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=FAST) as archive:
            content = manifest.model_dump_json(indent=2).encode()
            first = tarfile.TarInfo(MANIFEST)
            first.size, first.mode = len(content), PRIVATE_FILE
            archive.addfile(first, io.BytesIO(content))
            size = 0
            for number, path in enumerate(paths, 1):
                with path.open("rb") as source:  # a link is followed
                    entry = archive.gettarinfo(arcname=path.relative_to(root).as_posix(), fileobj=source)
                    archive.addfile(entry.replace(mode=PRIVATE_FILE, uname="", gname="", deep=False), source)
                size += entry.size
                advance(number, len(paths))
            if size != manifest.bytes:
                raise ConflictError("settings or models were changed while the backup was written: run it again")
        file.flush()
        os.fsync(file.fileno())
