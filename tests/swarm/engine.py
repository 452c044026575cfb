"""A Docker engine for the tests of the Swarm: one dockerd or several, in a folder, created and removed completely.

    with Engine(folder, nodes=3) as engine:          # or: PYTHONPATH=tests python -m swarm.engine up DIR --nodes 3
        engine.manager.docker("swarm", "init", ...)  # export DOCKER_HOST=...  (printed by `up`)

The machine's own engine is not touched, and no port of the machine is taken: host-mode ports of the Swarm are
reached at the node's own address (`engine.manager.address`). Everything ends with the `with` block, with `down DIR`,
or, when the process that created it is killed, by a guard process.
"""

import argparse
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from swarm.machine import require
from swarm.network import Network
from swarm.node import Node

FIRST_ADDRESS = 11
RECORD = "engine.json"


class Engine:
    """The engines under one folder, which is made by `up` and removed by `down`."""

    def __init__(self, folder: Path, nodes: int = 1) -> None:
        self.folder = folder.resolve()
        self.network = Network(self.folder)
        names = [f"n{number}" for number in range(1, nodes + 1)]
        self.nodes = [self._node(name, FIRST_ADDRESS + place) for place, name in enumerate(names)]

    def _node(self, name: str, last: int) -> Node:
        return Node(name, self.folder / name, self.network.namespace(name), self.network.address(last))

    @property
    def manager(self) -> Node:
        """The first node."""
        return self.nodes[0]

    def up(self, owner: int | None = None) -> None:
        """Make the network and start every node; with an owner, all of it ends when that process does."""
        require()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / RECORD).write_text(json.dumps({"nodes": len(self.nodes)}))
        if owner is not None:
            self._start_guard(owner)
        try:
            self.network.up()
            for place, node in enumerate(self.nodes):
                self.network.add_node(node.name, FIRST_ADDRESS + place)
                node.start()
        except BaseException:
            self.down()
            raise

    def _start_guard(self, owner: int) -> None:
        command = [sys.executable, "-m", "swarm.engine", "guard", str(self.folder), str(owner)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        guard = subprocess.Popen(command, env=environment, start_new_session=True, stdin=subprocess.DEVNULL)  # noqa: S603 (this very module)
        (self.folder / "guard.pid").write_text(str(guard.pid))

    def down(self) -> None:
        """End every node and remove whatever was made: processes, namespaces, control groups, folder."""
        if not self.folder.exists():
            return
        for node in self.nodes:
            node.kill()
            _remove_control_groups(node.cgroup)
        self._end_recorded("slirp4netns.pid")
        self.network.down()
        self._end_recorded("guard.pid")
        for node in self.nodes:  # gigabytes; the record goes last, so that a `down` that is cut off can be given again
            shutil.rmtree(node.folder, ignore_errors=not node.folder.exists())
        shutil.rmtree(self.folder)

    def _end_recorded(self, record: str) -> None:
        path = self.folder / record
        if not path.exists() or int(path.read_text()) == os.getpid():
            return
        try:
            os.kill(int(path.read_text()), signal.SIGTERM)
        except ProcessLookupError:
            return

    def __enter__(self) -> Self:
        self.up(owner=os.getpid())
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    @classmethod
    def of(cls, folder: Path) -> "Engine":
        """The engines that `up` has recorded in a folder."""
        return cls(folder, json.loads((folder / RECORD).read_text())["nodes"])


def _remove_control_groups(parent: str) -> None:
    for root in Path("/sys/fs/cgroup").glob(f"*{parent}"):
        _remove_group(root)
    _remove_group(Path(f"/sys/fs/cgroup{parent}"))


def _remove_group(root: Path) -> None:
    if not root.exists():
        return
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    for folder in sorted(folders, key=lambda path: -len(path.parts)):
        for _ in range(20):  # the kernel takes a moment to see that the last process is gone
            try:
                folder.rmdir()
                break
            except OSError:
                time.sleep(0.1)


def guard(folder: Path, owner: int) -> None:
    """Wait until a process has ended, then take its engines down."""
    with contextlib.suppress(ProcessLookupError):
        select.select([os.pidfd_open(owner)], [], [])
    if (folder / RECORD).exists():
        Engine.of(folder).down()


def main(arguments: Sequence[str] | None = None) -> int:
    """`up DIR [--nodes N]` prints what to export; `down DIR` removes it; `guard DIR PID` is for the harness itself."""
    parser = argparse.ArgumentParser(prog="swarm.engine", description="An engine of one's own, for tests.")
    parser.add_argument("action", choices=["up", "down", "guard"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("owner", nargs="?", type=int)
    parser.add_argument("--nodes", type=int, default=1)
    asked = parser.parse_args(arguments)
    if asked.action == "up":
        engine = Engine(asked.folder, asked.nodes)
        engine.up(asked.owner)
        for node in engine.nodes:
            sys.stdout.write(f"# {node.name} {node.address}\nexport DOCKER_HOST={node.docker_host}\n")
    elif asked.action == "down":
        Engine.of(asked.folder).down()
    else:
        guard(asked.folder, asked.owner)
    return 0


if __name__ == "__main__":
    sys.exit(main())
