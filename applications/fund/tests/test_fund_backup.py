"""A backup comes back as it was, without keys and with trading halted; nothing that is no backup changes a folder."""

import io
import os
import tarfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fund.backup import write_backup
from fund.backup_archive import KEPT, MANIFEST, REPORTED, Manifest
from fund.backup_commands import describe_restored
from fund.backup_unpacking import BackupError
from fund.broker_record import BrokerRecord
from fund.folder import FundFolder
from fund.processes import record_processes
from fund.restore import restore_backup
from fund.strategy_choice import StrategyChoice
from internal.errors import ConfigurationError, FundError
from internal.lake.snapshot import list_version_files, read_versions
from internal.lake.store import Lake
from internal.lake.trading_states import LakeTradingStates
from internal.modes import Mode
from internal.trading.state_changes import change_state
from internal.trading.trading_state import StateCause, TradingState
from portfoliomanager.notifications import outbox
from portfoliomanager.notifications.announcer import PROFITS

NOW = datetime(2026, 11, 27, 22, 30, tzinfo=UTC)
STATES = "trading_states"


def states_of(folder: FundFolder) -> LakeTradingStates:
    """The trading states of a fund's lake."""
    return LakeTradingStates(Lake(str(folder.lake)))


@pytest.fixture
def fund(tmp_path: Path) -> FundFolder:
    """A fund with one table, a model, a strategy and keys."""
    folder = FundFolder(tmp_path / "fund")
    folder.make_private()
    change_state(states_of(folder), TradingState.ACTIVE, "ada", StateCause.OWNER, "the first day", NOW)
    (folder.registry / "versions" / "one").mkdir(parents=True)
    (folder.registry / "versions" / "one" / "weights").write_bytes(b"weights")
    folder.save_strategy(StrategyChoice("strategies/ten_by_ten.py:TenByTen", ""))
    folder.credentials()
    (folder.root / "secrets").mkdir()
    folder.state("portfoliomanager").mkdir()
    (folder.root / REPORTED).write_text("the report before")
    (folder.root / "secrets" / "ALPACA_API_SECRET").write_text("the key of this machine")
    return folder


def test_comes_back_halted_without_keys(fund: FundFolder, tmp_path: Path) -> None:
    """All parts are there, keys are not, and trading is halted until somebody resumes it."""
    file, other = tmp_path / "fund.tar.gz", FundFolder(tmp_path / "other")
    manifest = write_backup(fund, file, NOW)
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as archive:
        assert {name.split("/")[0] for name in archive.getnames()} == {
            *(MANIFEST, "lake", "registry", "strategy.json", "portfoliomanager")
        }

    restored = restore_backup(file, other, NOW, replace=False)

    assert (restored.manifest, restored.replaced) == (manifest, None)
    assert other.read_strategy() == fund.read_strategy()
    assert (other.registry / "versions" / "one" / "weights").read_bytes() == b"weights"
    assert (other.root / REPORTED).read_text() == "the report before"
    state = states_of(other).trading_state()
    assert (state.state, state.cause, state.number) == (TradingState.HALTED, StateCause.RESTORE, 2)
    assert "the first day" in state.reason
    folders = [other.root, *(path for path in other.root.rglob("*") if path.is_dir())]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_later_commits_are_left_out(fund: FundFolder) -> None:
    """The files of a version do not change when others write, and are all that reading it takes."""
    versions = read_versions(fund.lake)
    files = list_version_files(fund.lake / STATES, versions[STATES])
    change_state(states_of(fund), TradingState.HALTED, "ada", StateCause.OWNER, "later", NOW)
    assert set(list_version_files(fund.lake / STATES, versions[STATES])) == set(files)
    for path in set((fund.lake / STATES).rglob("*")) - set(files):
        if path.is_file():
            path.unlink()
    assert read_versions(fund.lake) == versions
    assert states_of(fund).trading_state().reason == "the first day"


def test_replaces_only_when_asked(fund: FundFolder, tmp_path: Path) -> None:
    """A folder that is in use stays; replaced, it is kept, and the new one has its keys."""
    file = tmp_path / "fund.tar.gz"
    write_backup(fund, file, NOW)
    change_state(states_of(fund), TradingState.REDUCE_ONLY, "ada", StateCause.OWNER, "today", NOW)
    keys, messages = fund.credentials(), fund.state("portfoliomanager") / "notifications"
    messages.mkdir()
    (messages / "events.sqlite3").write_text("what was sent")
    (reported := fund.root / REPORTED).write_text("the last report")
    with pytest.raises(ConfigurationError, match="--replace"):
        restore_backup(file, fund, NOW, replace=False)
    with pytest.raises(ConfigurationError, match="exists"):
        write_backup(fund, file, NOW)

    restored = restore_backup(file, fund, NOW, replace=True)

    assert restored.replaced is not None
    assert states_of(FundFolder(restored.replaced)).trading_state().reason == "today"
    assert "the first day" in states_of(fund).trading_state().reason
    assert fund.credentials() == keys
    assert (fund.root / "secrets" / "ALPACA_API_SECRET").read_text() == "the key of this machine"
    assert (messages / "events.sqlite3").read_text() == "what was sent"
    assert reported.read_text() == "the last report"


def test_the_parts_of_the_messages_have_the_names_of_the_service() -> None:
    """What a backup holds, and a restored folder takes over, is what portfoliomanager writes in its state folder."""
    assert REPORTED == f"portfoliomanager/{PROFITS}"
    assert {REPORTED, f"portfoliomanager/{outbox.FOLDER}"} < set(KEPT)


@pytest.mark.parametrize("mode", [Mode.SIMULATED, Mode.PAPER])
def test_a_restored_paper_fund_has_its_broker_s_account(fund: FundFolder, tmp_path: Path, mode: Mode) -> None:
    """A broker on this machine may play a paper account: it is not the fund's own exchange, which starts again."""
    fund.save_record(BrokerRecord(mode, "http://127.0.0.1:9000", "PA1"))
    file, other = tmp_path / "fund.tar.gz", FundFolder(tmp_path / "other")
    write_backup(fund, file, NOW)
    words = " ".join(describe_restored(restore_backup(file, other, NOW, replace=False), other))
    assert ("simulated exchange starts again" in words) is (mode is Mode.SIMULATED)
    assert ("holds no keys" in words) is (mode is Mode.PAPER)


def test_a_running_fund_is_not_replaced(fund: FundFolder, tmp_path: Path) -> None:
    """A backup is taken of a running fund, which has to end before one is restored."""
    file = tmp_path / "fund.tar.gz"
    record_processes(fund, os.getpid(), {}, {})
    write_backup(fund, file, NOW)
    with pytest.raises(ConfigurationError, match="fund down"):
        restore_backup(file, fund, NOW, replace=True)


def test_a_lake_elsewhere_is_not_backed_up(fund: FundFolder, tmp_path: Path) -> None:
    """A bucket keeps versions of its own; a folder without a fund has nothing to keep."""
    fund.settings_file.write_text('[storage]\ndata_bucket = "s3://somewhere/lake"\n')
    with pytest.raises(ConfigurationError, match="versioning"):
        write_backup(fund, tmp_path / "one.tar.gz", NOW)
    with pytest.raises(ConfigurationError, match="No fund"):
        write_backup(FundFolder(tmp_path / "nothing"), tmp_path / "one.tar.gz", NOW)
    assert not list(tmp_path.glob("*.tar.gz*"))


def entry(name: str, size: int = 0, *, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """An entry of an archive."""
    made = tarfile.TarInfo(name)
    made.size, made.type = size, kind
    return made.replace(linkname=link)


def pack(file: Path, entries: Sequence[tarfile.TarInfo], files: int, size: int) -> None:
    """An archive of zeros whose manifest says so many files and bytes."""
    text = Manifest(created_at=NOW, code="a test", mode=None, tables={}, files=files, bytes=size).model_dump_json()
    with tarfile.open(file, "w:gz") as archive:
        archive.addfile(entry(MANIFEST, len(text)), io.BytesIO(text.encode()))
        for one in entries:
            archive.addfile(one, io.BytesIO(bytes(one.size)))


def cut(file: Path, fund: FundFolder) -> None:
    """A real backup that was copied by half."""
    write_backup(fund, file, NOW)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


BAD: dict[str, Callable[[Path, FundFolder], object]] = {
    "above": lambda file, _: pack(file, [entry("lake/../../stray", 3)], 1, 3),
    "absolute": lambda file, _: pack(file, [entry("/lake/stray", 3)], 1, 3),
    "link": lambda file, _: pack(file, [entry("lake/one", kind=tarfile.SYMTYPE, link="/etc/passwd")], 1, 0),
    "hard link": lambda file, _: pack(file, [entry("lake/one", kind=tarfile.LNKTYPE, link="fund.toml")], 1, 0),
    "keys": lambda file, _: pack(file, [entry("secrets/ALPACA_API_SECRET", 3)], 1, 3),
    "twice": lambda file, _: pack(file, [entry("fund.toml", 3), entry("fund.toml", 3)], 2, 6),
    "too much": lambda file, _: pack(file, [entry("lake/large", 10_000_000)], 1, 3),
    "too little": lambda file, _: pack(file, [entry("fund.toml", 3)], 2, 6),
    "no manifest": lambda file, _: tarfile.open(file, "w:gz").close(),
    "no archive": lambda file, _: file.write_bytes(b"not an archive"),
    "cut": cut,
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_archive_changes_nothing(fund: FundFolder, tmp_path: Path, kind: str) -> None:
    """Whatever is no whole backup is refused in words, and neither the fund nor the folders around it change."""
    file = tmp_path / "bad.tar.gz"
    BAD[kind](file, fund)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BackupError):
        restore_backup(file, fund, NOW, replace=True)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_unreadable_file(fund: FundFolder, tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(FundError, match=r"nothing\.tar"):
        restore_backup(tmp_path / "nothing.tar.gz", fund, NOW, replace=True)
