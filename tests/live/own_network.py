"""A network of the test's own, in which the names of broker and vendors lead to an address of this machine.

The files of host names and of certificate authorities are replaced within a mount namespace: the fund runs as it is,
with its real addresses and with every check of certificates, and no packet can leave the machine.
"""

import os
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import certifi

ADDRESS: Final = "192.0.2.1"  # of TEST-NET-1 (RFC 5737), which is routed nowhere
NAMESPACES: Final = {"net": os.CLONE_NEWNET, "mnt": os.CLONE_NEWNS}


@contextmanager
def own_network(names: Sequence[str], authority: bytes, folder: Path) -> Generator[None]:
    """Put this thread, and every process that it starts, into such a network.

    Args:
        names: The hosts whose names lead to `ADDRESS`.
        authority: The certificate (PEM) of the one authority that is trusted there.
        folder: Where the replaced files are written.

    Raises:
        PermissionError: This user may make no namespaces.
    """
    before, here = [os.open(f"/proc/thread-self/ns/{name}", os.O_RDONLY) for name in NAMESPACES], Path.cwd()
    hosts, bundle = folder / "hosts", folder / "authorities.pem"
    hosts.write_text(f"127.0.0.1 localhost\n{ADDRESS} {' '.join(names)}\n")
    bundle.write_bytes(authority)
    try:
        os.unshare(os.CLONE_NEWNET | os.CLONE_NEWNS)
        _run("mount", "--make-rprivate", "/")
        _run("mount", "--bind", str(hosts), "/etc/hosts")
        _run("mount", "--bind", str(bundle), certifi.where())
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")
        yield
    finally:
        for descriptor, kind in zip(before, NAMESPACES.values(), strict=True):
            os.setns(descriptor, kind)
            os.close(descriptor)
        os.chdir(here)  # another mount namespace begins at its root


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)  # noqa: S603 - our own words
