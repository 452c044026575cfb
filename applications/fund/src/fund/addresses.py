"""The three services and the loopback addresses where they listen."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from internal.errors import ConfigurationError


class Service(StrEnum):
    """The services of a fund, in the order in which they start."""

    EXCHANGE = "exchange"
    DATAMANAGER = "datamanager"
    PORTFOLIOMANAGER = "portfoliomanager"


DEFAULT_PORTS = {Service.EXCHANGE: 8090, Service.DATAMANAGER: 8080, Service.PORTFOLIOMANAGER: 8081}


@dataclass(frozen=True)
class Addresses:
    """Where the services listen on loopback; `EXCHANGE_PORT`, `DATAMANAGER_PORT`, `PORTFOLIOMANAGER_PORT` move them."""

    ports: Mapping[Service, int]

    @classmethod
    def from_environment(cls) -> Self:
        """The default ports, unless the environment moves one.

        Raises:
            ConfigurationError: A port is not a number between 1 and 65535.
        """
        return cls({service: _read_port(service) for service in Service})

    def url(self, service: Service) -> str:
        """The base URL of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"


def _read_port(service: Service) -> int:
    name = f"{service.upper()}_PORT"
    text = os.environ.get(name, str(DEFAULT_PORTS[service]))
    if not text.isdecimal() or not 0 < int(text) < 65536:  # noqa: PLR2004 - the range of TCP ports
        raise ConfigurationError(f"{name} is {text!r}; it must be a port between 1 and 65535.")
    return int(text)


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
