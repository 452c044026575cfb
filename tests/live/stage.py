"""The network of the tests with the exchange in it."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from live.broker import HOSTS, Broker, serve_broker
from live.certificates import make_certificates
from live.own_network import own_network

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own needs root: `mask development live`")


@contextmanager
def open_network(folder: Path, host: str, keys: Mapping[str, str]) -> Generator[Broker]:
    """The exchange as the broker at a host, and as every vendor, in a network of its own."""
    certificates = make_certificates(HOSTS)
    with own_network(HOSTS, certificates.authority, folder), serve_broker(folder, host, keys, certificates) as broker:
        yield broker
