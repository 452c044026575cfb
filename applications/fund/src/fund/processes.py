"""The record of a fund's processes: written while they run, so that another command finds and ends them."""

import json
import signal
import time
from collections.abc import Mapping
from typing import TypedDict

import psutil

from fund.addresses import Service
from fund.folder import FundFolder
from fund.settings.secrets import PRIVATE_FILE
from internal.atomic_files import write_atomically

GRACE_SECONDS = 15.0
SUPERVISOR_GRACE_SECONDS = 60.0
POLL_SECONDS = 0.05
SUPERVISOR = "fund"


class ProcessEntry(TypedDict):
    """One recorded process; its start time tells it from a later process with the same id."""

    pid: int
    created: float


def record_processes(folder: FundFolder, supervisor: int, services: Mapping[Service, int]) -> None:
    """Write the ids and start times of this fund's processes."""
    ids = {SUPERVISOR: supervisor} | {str(service): pid for service, pid in services.items()}
    entries = {name: ProcessEntry(pid=pid, created=psutil.Process(pid).create_time()) for name, pid in ids.items()}
    write_atomically(folder.processes, json.dumps(entries), PRIVATE_FILE)


def running_processes(folder: FundFolder) -> dict[str, psutil.Process]:
    """The recorded processes that still run, by service name; `fund` is the process that supervises them."""
    if not folder.processes.exists():
        return {}
    entries: dict[str, ProcessEntry] = json.loads(folder.processes.read_text())
    found = {name: (find_process(entry["pid"]), entry["created"]) for name, entry in entries.items()}
    return {
        name: process
        for name, (process, created) in found.items()
        if process is not None and abs(process.create_time() - created) < 1
    }


def find_process(pid: int) -> psutil.Process | None:
    """The process with that id, None when it has ended."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


def end_process(process: psutil.Process | None, grace: float = GRACE_SECONDS) -> None:
    """Send SIGTERM to a process, and SIGKILL when it has not ended within so many seconds."""
    if process is None:
        return
    try:
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + grace
        while find_process(process.pid) is not None:
            if time.monotonic() > deadline:
                process.kill()
                return
            time.sleep(POLL_SECONDS)
    except psutil.NoSuchProcess:
        return


def end_leftovers(folder: FundFolder) -> list[str]:
    """End this folder's recorded processes, the supervisor first; the names of those that were running."""
    running = running_processes(folder)
    end_process(running.get(SUPERVISOR), SUPERVISOR_GRACE_SECONDS)  # it ends the others
    for name in reversed(Service):
        end_process(running.get(name))
    folder.processes.unlink(missing_ok=True)
    return list(running)
