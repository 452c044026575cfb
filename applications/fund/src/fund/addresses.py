"""The loopback addresses where the services listen."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from fund.folder import FundFolder
from fund.process_record import read_entries
from fund.processes import SUPERVISOR, running_processes
from fund.services import Service
from fund.settings.fund_settings import FundSettings, read_settings
from internal.errors import ConfigurationError


@dataclass(frozen=True)
class Addresses:
    """Where the services listen on loopback; `EXCHANGE_PORT`, `DATAMANAGER_PORT`, ... or `fund.toml` move them."""

    ports: Mapping[Service, int]

    @classmethod
    def from_environment(cls) -> Self:
        """The ports of the environment, else of `fund.toml` in the fund's folder, else the default ones.

        Raises:
            ConfigurationError: A port is not a number between 1 and 65535, or the file is wrong.
        """
        return cls.of(read_settings(FundFolder.from_environment().settings_file))

    @classmethod
    def of(cls, settings: FundSettings) -> Self:
        """The ports that the settings name."""
        return cls({service: getattr(settings.services, f"{service}_port") for service in Service})

    @classmethod
    def of_running(cls, folder: FundFolder) -> Self:
        """Where the services of a running fund were started, by its record; others are where the settings say."""
        entries, running = read_entries(folder), running_processes(folder)
        valid = entries if SUPERVISOR in running else running  # a fund that was killed has left its record
        recorded = {service: entries[service].port for service in Service if service in valid}
        return cls({**cls.from_environment().ports, **recorded})

    def url(self, service: Service) -> str:
        """The base URL of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"


def check_port_free(service: Service, port: int) -> None:
    """Check that no program listens on the port.

    Raises:
        ConfigurationError: The port is in use; the message says how to choose another.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} of {service} is in use. End the program that listens there (`./fund down` if it is a "
                f"fund), or choose another port: {service.upper()}_PORT={port + 100} ./fund up"
            ) from error
