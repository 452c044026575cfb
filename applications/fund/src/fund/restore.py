"""Restores a backup: unpacked beside the fund's folder, halted, and put in its place whole."""

import getpass
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fund.backup_archive import KEPT, Manifest
from fund.backup_unpacking import unpack_backup
from fund.folder import PRIVATE_FOLDER, PRIVATE_MASK, FundFolder
from fund.processes import running_processes
from internal.errors import ConfigurationError
from internal.lake.durability import sync_path, sync_tree
from internal.lake.store import Lake
from internal.lake.trading_states import LakeTradingStates
from internal.trading.state_changes import change_state
from internal.trading.trading_state import StateCause, TradingState


@dataclass(frozen=True)
class Restored:
    """What was restored.

    Attributes:
        manifest: Of the backup.
        replaced: Where the folder is now that was there before, None where there was none.
    """

    manifest: Manifest
    replaced: Path | None


def restore_backup(
    file: Path,
    folder: FundFolder,
    moment: datetime,
    *,
    replace: bool,
    advance: Callable[[int, int], object] = lambda _done, _all: None,
) -> Restored:
    """Put a backup in the place of a fund's folder, with trading halted until a person resumes it.

    The keys, the account of a simulated exchange and the messages to the owner are taken over from the folder that is
    replaced, which is kept.

    Raises:
        BackupError: The file is no backup; nothing has changed.
        ConfigurationError: The fund runs, or there is one and `replace` is not set, or the disk cannot be written.
    """
    _require_free(folder, replace=replace)
    staging = folder.root.with_name(f"{folder.root.name}.restoring")
    before = os.umask(PRIVATE_MASK)
    try:
        shutil.rmtree(staging, ignore_errors=True)  # of a restore that was killed
        staging.mkdir(mode=PRIVATE_FOLDER, parents=True)
        manifest = unpack_backup(file, staging, advance)
        halt_restored(staging / "lake", manifest, moment)
        _keep_own_parts(folder.root, staging)
        sync_tree(staging)
        _require_free(folder, replace=replace)
        return Restored(manifest, _exchange_folders(staging, folder.root, moment))
    except OSError as error:
        raise ConfigurationError(f"{folder.root} was not restored: {error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        os.umask(before)


def halt_restored(lake: Path, manifest: Manifest, moment: datetime) -> None:
    """Halt trading in a restored lake: the broker may have orders and fills that it does not know."""
    states = LakeTradingStates(Lake(str(lake)))
    before = states.trading_state().describe()
    reason = f"restored from a backup of {manifest.created_at:%Y-%m-%d %H:%M} UTC, in which trading was {before}"
    change_state(states, TradingState.HALTED, getpass.getuser(), StateCause.RESTORE, reason, moment)


def _require_free(folder: FundFolder, *, replace: bool) -> None:
    if running := running_processes(folder):
        raise ConfigurationError(f"the fund in {folder.root} runs ({', '.join(running)}): end it with `./fund down`")
    if not replace and folder.root.exists() and any(folder.root.iterdir()):
        raise ConfigurationError(
            f"{folder.root} is not empty; `--replace` puts the backup in its place and keeps the old folder beside it, "
            "or set FUND_HOME to an empty folder"
        )


def _keep_own_parts(root: Path, staging: Path) -> None:
    for name in KEPT:
        path, kept = root / name, staging / name
        if path.exists():
            kept.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, kept)
        elif path.exists():
            shutil.copy2(path, kept)


def _exchange_folders(staging: Path, root: Path, moment: datetime) -> Path | None:
    """Rename the old folder, then the new one into its place; where the second fails, the old one is put back."""
    replaced: Path | None = None
    if root.exists() and any(root.iterdir()):
        replaced = root.with_name(f"{root.name}.replaced-{moment:%Y%m%dT%H%M%S}")
        root.rename(replaced)
    try:
        staging.rename(root)  # over an empty folder, in one step
    except OSError:
        if replaced is not None:
            replaced.rename(root)
        raise
    sync_path(root.parent)
    return replaced
