"""The test engine itself: several nodes form a Swarm, and nothing is left of it, however its creator ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from swarm import base_image, stand_ins
from swarm.engine import Engine, main
from swarm.machine import MachineError, run
from swarm.network import Network

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600)]

MAKER = """
import sys, time
from pathlib import Path
from swarm.engine import Engine
with Engine(Path(sys.argv[1])) as engine:
    print(engine.manager.docker_host, flush=True)
    time.sleep(600)
"""


def traces(folder: Path) -> list[str]:
    """What a machine still shows of the engines of a folder: processes, namespaces, cables, mounts, control groups."""
    tag = Network(folder).tag
    processes = [
        f"process {entry.name}"
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and str(folder).encode() in _command(entry) and b"pytest" not in _command(entry)
    ]
    namespaces = [name for name in run("ip", "netns", "list").split() if tag in name]
    cables = [path.name for path in Path("/sys/class/net").glob(f"psf{tag}*")]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(folder) in line]
    groups = [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/*{tag}*")]
    return [*processes, *namespaces, *cables, *mounts, *groups, *([str(folder)] if folder.exists() else [])]


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_two_nodes_make_a_swarm_whose_tasks_reach_each_other_and_the_tests(tmp_path: Path) -> None:
    """Overlay, DNS without virtual addresses, host-mode ports; a node's death is test_6_nodes'."""
    with Engine(tmp_path / "engine", nodes=2) as engine:
        manager = engine.manager
        for node in engine.nodes:
            base_image.load(node)
        manager.docker("swarm", "init", "--advertise-addr", manager.address)
        token = manager.docker("swarm", "join-token", "--quiet", "worker").strip()
        for worker in engine.nodes[1:]:
            worker.docker("swarm", "join", "--token", token, f"{manager.address}:2377")
        manager.docker("network", "create", "--driver=overlay", "--attachable", "mesh")
        serve = ["python", "-m", "http.server", "80"]
        service = [
            "service",
            "create",
            "--quiet",
            "--name=web",
            "--mode=global",
            "--network=mesh",
            "--endpoint-mode=dnsrr",
        ]
        manager.docker(*service, "--publish=mode=host,target=80,published=8080", base_image.NAME, *serve, timeout=120)
        fetch = (
            "import urllib.request, socket; found = {a[4][0] for a in socket.getaddrinfo('web', 80)};"
            "print([urllib.request.urlopen(f'http://{host}', timeout=5).status for host in found])"
        )
        inside = manager.docker("run", "--rm", "--network=mesh", base_image.NAME, "python", "-c", fetch)
        assert "[200, 200]" in inside
        published = [
            run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{node.address}:8080")
            for node in engine.nodes
        ]
        assert published == ["200", "200"]
        assert engine.nodes[1].shell("hostname").strip() == "n2"
    assert traces(tmp_path / "engine") == []


def test_nothing_is_left_of_an_engine_whose_maker_is_killed(tmp_path: Path) -> None:
    """The guard removes everything after a kill -9 of the process that made the engine."""
    folder = tmp_path / "engine"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    maker = subprocess.Popen([sys.executable, "-c", MAKER, str(folder)], env=environment, stdout=subprocess.PIPE)  # noqa: S603 (the test's own text)
    assert maker.stdout is not None
    assert maker.stdout.readline().startswith(b"unix://")
    os.kill(maker.pid, signal.SIGKILL)
    maker.wait()
    end = time.monotonic() + 30
    while traces(folder) and time.monotonic() < end:
        time.sleep(0.2)
    assert traces(folder) == []


def test_up_prints_where_the_engine_is_and_down_removes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line of other founders and of people."""
    folder = tmp_path / "engine"
    assert main(["up", str(folder)]) == 0
    said = capsys.readouterr().out
    manager = Engine.of(folder).manager
    assert f"export DOCKER_HOST={manager.docker_host}" in said
    absent = stand_ins.load(manager, ["ghcr.io/tecnativa/docker-socket-proxy:v0.4.2", "grafana/grafana:12.1.1"])
    assert absent == ["grafana/grafana:12.1.1"]
    with pytest.raises(MachineError, match="no stand-in is known"):
        stand_ins.load(manager, ["nobody/nothing:1"])
    assert main(["down", str(folder)]) == 0
    assert traces(folder) == []
