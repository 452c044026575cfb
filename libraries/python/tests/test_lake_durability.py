"""Durability: what a write adds to a folder, files and folder entries alike, is synced before the write returns."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from internal.lake.durability import sync_above
from internal.lake.objects import Objects
from internal.lake.store import Lake
from internal.lake.tables import TABLES
from internal.schemas import equity_bars

DAY = date(2024, 1, 31)


def snapshot(second: int) -> pl.DataFrame:
    """One row of `account_snapshots`."""
    columns = TABLES["account_snapshots"].columns
    moment = datetime(2024, 1, 31, 21, 0, second, tzinfo=UTC)
    return pl.DataFrame([dict.fromkeys(columns) | {"timestamp": moment, "date": DAY}], schema=columns)


class Syncs:
    """The paths that were synced, and what a folder held before."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._before: set[Path] = set()
        self.paths: list[Path] = []

    def begin(self) -> None:
        """Forget what was synced; all files of now are old."""
        self.paths.clear()
        self._before = set(self._root.rglob("*"))

    def missing(self) -> set[Path]:
        """New files and folders, and folders that got an entry, that were not synced."""
        added = set(self._root.rglob("*")) - self._before
        return (added | {path.parent for path in added}) - set(self.paths)


@pytest.fixture
def syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Syncs:
    """Every real fsync of this process is noted with the path of its descriptor."""
    noted, fsync = Syncs(tmp_path), os.fsync

    def note(descriptor: int) -> None:
        fsync(descriptor)
        noted.paths.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(os, "fsync", note)
    return noted


WRITES: dict[str, Callable[[Lake, int], int]] = {
    "append": lambda lake, second: lake.append("account_snapshots", snapshot(second)),
    "upsert": lambda lake, second: lake.upsert("account_snapshots", snapshot(second), ["timestamp"]),
    "replace_where": lambda lake, second: lake.replace_where("account_snapshots", snapshot(second), date=DAY),
    "replace_days": lambda lake, second: lake.replace_days("account_snapshots", snapshot(second), DAY, DAY),
    "overwrite": lambda lake, second: lake.overwrite("account_snapshots", snapshot(second)),
}


@pytest.mark.parametrize("name", WRITES)
def test_each_commit_is_on_disk(name: str, tmp_path: Path, syncs: Syncs) -> None:
    """The first write, which creates lake and table, and three later ones: no file and no folder entry is left out."""
    lake = Lake(str(tmp_path / "new" / "lake"))
    for second in range(4):
        syncs.begin()
        WRITES[name](lake, second)
        assert syncs.missing() == set()
    table = tmp_path / "new" / "lake" / "account_snapshots"
    assert syncs.paths.count(table / "_delta_log" / "00000000000000000004.json") == 1
    assert table / "_delta_log" / "00000000000000000003.json" not in syncs.paths  # it was synced by its own write


def test_the_journal_and_portfolios_are_durable() -> None:
    """What was decided and sent survives a power cut."""
    durable = {name for name, table in TABLES.items() if table.durable}
    journal = {"orders", "rebalances", "account_snapshots", "trading_states", "armings", "decisions", "decision_names"}
    assert durable == {*journal, "account_activities", "portfolios"}


def test_a_commit_of_a_killed_process_is_synced_with_the_next(tmp_path: Path, syncs: Syncs) -> None:
    """A process may die between commit and sync: the first write of the next one syncs all that the table holds."""
    syncs.begin()
    for second in range(2):
        Lake(str(tmp_path)).append("account_snapshots", snapshot(second))
    syncs.paths.clear()
    Lake(str(tmp_path)).append("account_snapshots", snapshot(2))
    assert syncs.missing() == set()


def test_a_commit_of_another_process_is_synced_too(tmp_path: Path, syncs: Syncs) -> None:
    """Two processes share the table in an update: a later version is never on disk without those before it."""
    one, other = Lake(str(tmp_path)), Lake(str(tmp_path))
    one.append("account_snapshots", snapshot(0))
    syncs.begin()
    other.append("account_snapshots", snapshot(1))
    syncs.paths.clear()
    one.append("account_snapshots", snapshot(2))
    assert syncs.missing() == set()


def test_checkpoints_are_on_disk(tmp_path: Path, syncs: Syncs) -> None:
    """Every hundredth commit Delta Lake writes a checkpoint, from which the next reader starts."""
    lake = Lake(str(tmp_path))
    lake.append("account_snapshots", snapshot(0))
    syncs.begin()
    for number in range(100):
        lake.append("account_snapshots", snapshot(number % 60))
    log = tmp_path / "account_snapshots" / "_delta_log"
    assert (log / "_last_checkpoint").exists()
    assert syncs.missing() == set()


def test_other_tables_are_left_to_the_system(tmp_path: Path, syncs: Syncs) -> None:
    """Bars can be collected again; their writes do not wait for the disk."""
    Lake(str(tmp_path)).append("equity_bars", equity_bars.empty())
    assert syncs.paths == []


def test_objects_are_on_disk(tmp_path: Path, syncs: Syncs) -> None:
    """A lease that was taken or renewed is on disk with its folders; the folders above only once."""
    objects = Objects(str(tmp_path / "new" / "lake"))
    syncs.begin()
    assert objects.create("leases/trader/1.json", b"one")
    assert syncs.missing() == set()
    syncs.begin()
    objects.put("leases/trader/1.json", b"two")
    assert not objects.create("leases/trader/1.json", b"three")
    lake = tmp_path / "new" / "lake"
    expected = [lake / "leases" / "trader" / "1.json", lake / "leases" / "trader", lake / "leases", lake]
    assert sorted(syncs.paths) == sorted(expected)


def test_a_folder_that_cannot_get_entries_is_left_out(
    tmp_path: Path, syncs: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder above the lake that this process may not write to has no entry of its own, and may not be readable."""

    def may_write(path: Path, _mode: int) -> bool:
        return path == tmp_path

    monkeypatch.setattr(os, "access", may_write)
    sync_above(tmp_path / "lake")
    assert syncs.paths == [tmp_path]
