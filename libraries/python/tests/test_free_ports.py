"""Ports for programs of tests: each once, none that is listened on, and no port of another worker."""

import socket
from itertools import islice

from libraries.python.tests.free_ports import WORKERS, find_free, free_ports, list_candidates


def test_each_is_handed_out_once() -> None:
    """Also to callers that do not listen yet; that is how one port was given to two programs."""
    ports = free_ports(50) + free_ports(50)
    assert len(set(ports)) == 100


def test_one_that_is_listened_on_is_left_out() -> None:
    """And offered again when it is free."""
    first, second = free_ports(2)
    with socket.create_server(("127.0.0.1", first)):
        assert list(islice(find_free([first, second]), 2)) == [second, second]
    assert list(islice(find_free([first, second]), 3)) == [first, second, first]


def test_workers_have_no_port_in_common() -> None:
    """Nor one that Linux (from 32768) or macOS (from 49152) chooses for a connection."""
    every = [port for number in range(WORKERS) for port in list_candidates(f"gw{number}")]
    assert len(every) == len(set(every))
    assert max(every) < 32_768
