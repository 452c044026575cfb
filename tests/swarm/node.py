"""One node: a dockerd in namespaces of its own, so that it touches no other engine and can be killed as a whole.

The network namespace is the node's machine; the mount namespace gives it a /run of its own, so that stacks find
`/var/run/docker.sock` where they expect it; when the process namespace's first process ends, the kernel ends every
container and shim with it, as a power cut would.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from swarm.machine import MachineError, found, run, wait_for
from swarm.network import NAME_SERVER

INSIDE = """
hostname "$1"
mount --bind "$2/resolv.conf" /etc/resolv.conf
mount --bind "$2/run" /run
shift 2
dockerd "$@" &
trap 'kill -TERM $!' TERM
while kill -0 $! 2>/dev/null; do wait; done
"""


@dataclass(frozen=True)
class Node:
    """A dockerd and its folder; `namespace` is its network's name, `address` where others reach it."""

    name: str
    folder: Path
    namespace: str
    address: str

    @property
    def docker_host(self) -> str:
        """The value of `DOCKER_HOST` for this engine."""
        return f"unix://{self.folder}/run/docker.sock"

    def docker(self, *words: str, timeout: float = 600, cwd: Path | None = None, sent: str | None = None) -> str:
        """Run the `docker` command against this engine and return what it printed; MachineError when it fails."""
        environment = {**os.environ, "DOCKER_HOST": self.docker_host}
        environment.pop("DOCKER_CONTEXT", None)
        return run("docker", *words, timeout=timeout, env=environment, cwd=cwd, sent=sent)

    def start(self) -> None:
        """Start the engine over what its folder holds, and wait until it answers.

        dockerd gives its containerd only some seconds; on a machine that is busy with other things it is tried again.

        Raises:
            MachineError: dockerd ended three times, or does not answer; the text holds the end of its log.
        """
        for part in ("run", "data"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "resolv.conf").write_text(f"nameserver {NAME_SERVER}\n")
        spaces = [
            "unshare",
            "--mount",
            "--propagation=private",
            "--uts",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ]
        command = [str(found("nsenter")), f"--net=/run/netns/{self.namespace}", *spaces]
        inside = ["sh", "-c", INSIDE, "node", self.name, str(self.folder)]
        engine = ["--data-root", str(self.folder / "data"), "--host=unix:///run/docker.sock", f"--dns={NAME_SERVER}"]
        words = [*command, *inside, *engine, f"--cgroup-parent={self.cgroup}"]
        for last in (False, False, True):
            if self._started(words, last=last):
                return

    def _started(self, words: list[str], *, last: bool) -> bool:
        with (self.folder / "dockerd.log").open("a") as log:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)  # noqa: S603 (the harness's own command)
        (self.folder / "pid").write_text(str(process.pid))
        wait_for(f"the engine {self.name}", lambda: process.poll() is not None or self._answers(), 90)
        if process.poll() is None:
            return True
        self._forget_run()
        if last:
            raise MachineError(f"dockerd of {self.name} ended: {(self.folder / 'dockerd.log').read_text()[-2000:]}")
        return False

    @property
    def cgroup(self) -> str:
        """The control group under which this engine keeps its containers."""
        return f"/{self.namespace}"

    def _answers(self) -> bool:
        try:
            return bool(self.docker("info", "--format", "{{.ServerVersion}}", timeout=20).strip())
        except MachineError:
            return False

    def shell(self, script: str) -> str:
        """Run a shell script as root among the node's own processes, where `docker inspect`'s process ids are true."""
        first = run("pgrep", "--parent", (self.folder / "pid").read_text()).split()[0]
        return run("nsenter", f"--target={first}", "--pid", "--mount", "--net", "--uts", "sh", "-c", script)

    def stop(self) -> None:
        """End the engine in order, its containers with it; `start` goes on from its folder."""
        self._end(lambda pid: run("pkill", "-TERM", "--parent", str(pid)), seconds=30)

    def kill(self) -> None:
        """Cut the power: engine, shims and containers end at once, and nothing is written any more."""
        self._end(lambda pid: os.kill(pid, signal.SIGKILL), seconds=10)

    def _end(self, ask: Callable[[int], object], seconds: float) -> None:
        record = self.folder / "pid"
        if not record.exists():
            return
        pid = int(record.read_text())
        if _runs(pid):
            assert callable(ask)
            ask(pid)
            end = time.monotonic() + seconds
            while _runs(pid) and time.monotonic() < end:
                time.sleep(0.1)
        if _runs(pid):
            os.kill(pid, signal.SIGKILL)
            wait_for(f"the end of {self.name}", lambda: not _runs(pid), 10)
        record.unlink()
        self._forget_run()

    def _forget_run(self) -> None:
        """As at a machine's start: process ids in there would be taken for those of the next engine's processes."""
        shutil.rmtree(self.folder / "run")
        (self.folder / "run").mkdir()


def _runs(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # when it is our own child, so that no remains are left
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
