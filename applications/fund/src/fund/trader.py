"""Finds portfoliomanager of the running fund: where its supervisor recorded it, else where the settings say."""

import socket

from fund.folder import FundFolder
from fund.process_record import read_entries
from fund.service_client import CONNECT_SECONDS, ServiceClient
from fund.services import Service
from fund.unopened import require_opened
from internal.errors import ConfigurationError


def connect_to_trader() -> ServiceClient:
    """The running fund's portfoliomanager. Raises ConfigurationError where the folder holds no fund."""
    folder = FundFolder.from_environment()
    require_opened(folder)
    port = _recorded_port(folder) or _configured_port()
    return ServiceClient(Service.PORTFOLIOMANAGER, f"http://127.0.0.1:{port}", folder.credentials().fund_api_token)


def _recorded_port(folder: FundFolder) -> int:
    """The port that the supervisor wrote down, 0 where there is none or nobody listens on it any more."""
    try:
        port = read_entries(folder)[Service.PORTFOLIOMANAGER].port
        socket.create_connection(("127.0.0.1", port), CONNECT_SECONDS).close()
    except (ConfigurationError, KeyError, OSError):
        return 0
    return port


def _configured_port() -> int:
    """The port of a fund that runs elsewhere, such as in containers."""
    from fund.addresses import Addresses  # noqa: PLC0415 - it loads the settings, which takes longer than a halt may

    return Addresses.from_environment().ports[Service.PORTFOLIOMANAGER]
