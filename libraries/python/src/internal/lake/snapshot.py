"""The files of a lake in a folder at one moment, while others go on writing: what a backup copies."""

from pathlib import Path

from internal.lake.durability import LOG, data_files
from internal.lake.store import Lake
from internal.lake.tables import RETIRED_TABLES, TABLES


def read_versions(folder: Path) -> dict[str, int]:
    """The newest version of each table that exists, all at one moment.

    Versions only grow, so that two readings that agree hold at every moment between them.
    """
    lake = Lake(str(folder))
    before, now = None, _read_once(lake)
    while before != now:
        before, now = now, _read_once(lake)
    return now


def list_version_files(folder: Path, version: int) -> list[Path]:
    """The log and data files of a table up to a version, the earlier versions included; later commits are left out."""
    log = folder / LOG
    commits = [log / f"{one:020}.json" for one in range(version + 1)]
    checkpoints = [path for path in log.glob("*.checkpoint*.parquet") if int(path.name.split(".")[0]) <= version]
    data = {path for commit in commits for path in data_files(commit)}
    return [*sorted(data), *sorted(checkpoints), *commits]


def _read_once(lake: Lake) -> dict[str, int]:
    versions = {table: lake.version(table) for table in (*TABLES, *RETIRED_TABLES)}
    return {table: version for table, version in versions.items() if version >= 0}
