"""The record of a fund's running processes, and where its services listen: a file that other commands read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from fund.folder import PRIVATE_FILE, FundFolder
from internal.atomic_files import write_atomically
from internal.errors import ConfigurationError


@dataclass(frozen=True)
class ProcessEntry:
    """One recorded process; its start time tells it from a later process with the same id.

    Attributes:
        pid: The process id.
        created: When it started, in seconds since 1970.
        port: Where it listens on loopback; 0 for the process that supervises the others.
    """

    pid: int
    created: float
    port: int = 0


def write_entries(folder: FundFolder, entries: Mapping[str, ProcessEntry]) -> None:
    """Write the record whole."""
    write_atomically(folder.processes, json.dumps({name: asdict(one) for name, one in entries.items()}), PRIVATE_FILE)


def read_entries(folder: FundFolder) -> dict[str, ProcessEntry]:
    """The recorded processes by name, running or not.

    Raises:
        ConfigurationError: The file is damaged.
    """
    if not folder.processes.exists():
        return {}
    try:
        return {name: ProcessEntry(**entry) for name, entry in json.loads(folder.processes.read_text()).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{folder.processes} is damaged ({error}); end the fund's processes by hand, then delete the file."
        ) from error
