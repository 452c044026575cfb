"""The processes of a fund: recorded while they run, found again and ended by another command."""

import signal
import time
from collections.abc import Mapping

import psutil

from fund.folder import FundFolder
from fund.process_record import ProcessEntry, read_entries, write_entries
from fund.services import Service

GRACE_SECONDS = 15.0
SUPERVISOR_GRACE_SECONDS = 60.0
POLL_SECONDS = 0.05
SUPERVISOR = "fund"


def record_processes(
    folder: FundFolder, supervisor: int, services: Mapping[Service, int], ports: Mapping[Service, int]
) -> None:
    """Write the ids and start times of this fund's processes, and where its services listen."""
    entries = {SUPERVISOR: _entry(supervisor, 0)}
    entries |= {service: _entry(pid, ports[service]) for service, pid in services.items()}
    write_entries(folder, entries)


def _entry(pid: int, port: int) -> ProcessEntry:
    return ProcessEntry(pid, psutil.Process(pid).create_time(), port)


def running_processes(folder: FundFolder) -> dict[str, psutil.Process]:
    """The recorded processes that still run, by service name; `fund` is the process that supervises them."""
    found = {name: (find_process(entry.pid), entry.created) for name, entry in read_entries(folder).items()}
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
