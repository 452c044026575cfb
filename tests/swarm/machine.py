"""What the test engine needs of this machine: packages of Debian, root, the cache folder, commands."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

TOOLS: Mapping[str, str] = {
    "dockerd": "docker.io",
    "debootstrap": "debootstrap",
    "slirp4netns": "slirp4netns",
    "ip": "iproute2",
    "iptables": "iptables",
    "nsenter": "util-linux",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "haproxy": "haproxy",
    "busybox": "busybox-static",
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pocketsizefund" / "swarm"


class MachineError(RuntimeError):
    """This machine cannot run an engine of the tests; the text says what it lacks."""


def run(
    *words: str,
    timeout: float = 600,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    sent: str | None = None,
) -> str:
    """Run a command and return what it printed.

    Raises:
        MachineError: it did not end with 0; the text holds the end of what it printed.
    """
    done = subprocess.run(  # noqa: S603 - the tests' own commands
        words, capture_output=True, text=True, timeout=timeout, check=False, cwd=cwd, env=env, input=sent
    )
    if done.returncode:
        raise MachineError(
            f"`{' '.join(words)[:300]}` ended with {done.returncode}: {(done.stderr or done.stdout)[-2000:]}"
        )
    return done.stdout


def require(tools: Iterable[str] = tuple(TOOLS)) -> None:
    """See that the tools are there; install what is missing, where this is Debian and we are root.

    Raises:
        MachineError: we are not root, or there is no apt-get to install what is missing.
    """
    if os.geteuid() != 0:
        raise MachineError("an engine of one's own needs root: namespaces and dockerd cannot be had without it")
    missing = sorted({TOOLS[tool] for tool in tools if not found(tool)})
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise MachineError(f"these are missing, and there is no apt-get to install them: {', '.join(missing)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_services_started():
        run("apt-get", "update", "-q", env=quiet)
        run("apt-get", "install", "-y", "-q", "--no-install-recommends", *missing, env=quiet)


def found(tool: str) -> str | None:
    """The path of a tool, also where /usr/sbin is not on the PATH."""
    return shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


class _no_services_started:  # noqa: N801 (used as a `with` block's words)
    """While packages are installed, Debian starts none of their services: the tests start their own."""

    _policy = Path("/usr/sbin/policy-rc.d")

    def __enter__(self) -> None:
        self._mine = not self._policy.exists()
        if self._mine:
            self._policy.write_text("#!/bin/sh\nexit 101\n")
            self._policy.chmod(0o755)

    def __exit__(self, *_: object) -> None:
        if self._mine:
            self._policy.unlink()


def wait_for(what: str, ready: "object", seconds: float) -> None:
    """Ask `ready()` until it is true.

    Raises:
        MachineError: it was not within the time; the text says what was waited for.
    """
    assert callable(ready)
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise MachineError(f"{what} was not there within {seconds:g} seconds")
        time.sleep(0.1)
