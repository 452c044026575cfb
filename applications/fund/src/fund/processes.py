"""The record of a fund's processes: written while they run, so that another command finds and ends them."""

import json
import signal
from collections.abc import Mapping
from typing import TypedDict

import psutil

from fund.addresses import Service
from fund.folder import FundFolder
from internal.atomic_files import write_atomically

GRACE_SECONDS = 15.0
SUPERVISOR = "fund"


class ProcessEntry(TypedDict):
    """One recorded process; its start time tells it from a later process with the same id."""

    pid: int
    created: float


def record_processes(folder: FundFolder, supervisor: int, services: Mapping[Service, int]) -> None:
    """Write the ids and start times of this fund's processes."""
    ids = {SUPERVISOR: supervisor} | {str(service): pid for service, pid in services.items()}
    entries = {name: ProcessEntry(pid=pid, created=psutil.Process(pid).create_time()) for name, pid in ids.items()}
    write_atomically(folder.processes, json.dumps(entries))


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


def end_process(process: psutil.Process | None) -> None:
    """Send SIGTERM to a process, and SIGKILL when it has not ended within 15 seconds."""
    if process is None:
        return
    try:
        process.send_signal(signal.SIGTERM)
        process.wait(GRACE_SECONDS)
    except psutil.TimeoutExpired:
        process.kill()
    except psutil.NoSuchProcess:
        return


def end_leftovers(folder: FundFolder) -> list[str]:
    """End this folder's recorded processes, the supervisor first; the names of those that were running."""
    running = running_processes(folder)
    for name in (SUPERVISOR, *reversed(Service)):
        end_process(running.get(name))
    folder.processes.unlink(missing_ok=True)
    return list(running)
