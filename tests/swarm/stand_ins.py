"""Substitutes for the infrastructure images that no registry offers here: the real programs, from packages.

They have the real images' entry points, users and folders, so that the stack files need no change; Traefik comes from
the dependency group `swarm`. Grafana, Portainer and cAdvisor are not available (no package in Debian 12, and cAdvisor's
newer command module is on no Go proxy): `NOT_TO_BE_HAD` is the one list of them, and tests leave those services out.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from swarm.machine import MachineError, found, run
from swarm.node import Node
from swarm.socket_proxy import configuration, defaults

NOT_TO_BE_HAD = ("grafana/grafana", "portainer/portainer-ce", "portainer/agent", "gcr.io/cadvisor/cadvisor")
TRAEFIK_ENTRY = """#!/bin/sh
set -e
[ "${1#-}" = "$1" ] || set -- traefik "$@"
if traefik "$1" --help >/dev/null 2>&1 && [ "$1" != traefik ]; then set -- traefik "$@"; fi
exec "$@"
"""
PROMETHEUS_DEFAULTS = '["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]'
ALERTMANAGER_DEFAULTS = '["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]'


def load(node: Node, images: Iterable[str]) -> list[str]:
    """See that the engine has each image, by a stand-in where it has not; return those that are not to be had.

    `images` are names with tags, as stacks write them. Raises MachineError for a name that is not known here.
    """
    absent: list[str] = []
    for image in sorted(set(images)):
        if node.docker("image", "ls", "--quiet", image).strip():
            continue
        repository = image.rpartition(":")[0]
        if repository in NOT_TO_BE_HAD:
            absent.append(image)
        elif repository in MAKERS:
            _import(node, image, MAKERS[repository])
        else:
            raise MachineError(f"no stand-in is known for the image {image}")
    return absent


def _import(node: Node, image: str, make: Callable[[Path], list[str]]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "root")
        _lay_ground(root)
        changes = [word for change in make(root) for word in ("--change", change)]
        archive = Path(scratch, "image.tar")
        run("tar", "--create", "--numeric-owner", f"--file={archive}", f"--directory={root}", ".")
        node.docker("import", *changes, str(archive), image)


def _lay_ground(root: Path) -> None:
    """What the real images share: busybox's commands (health checks use its wget), users, the CA bundle."""
    for folder in ("bin", "etc/ssl/certs", "tmp", "var/run", "run", "usr/bin", "usr/local/bin", "var/lib"):
        (root / folder).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    busybox = found("busybox")
    assert busybox is not None
    shutil.copy2(busybox, root / "bin/busybox")
    for applet in run(busybox, "--list").split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")
    (root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    (root / "etc/group").write_text("root:x:0:\nnobody:x:65534:\n")
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if bundle.exists():
        shutil.copy2(bundle, root / "etc/ssl/certs/ca-certificates.crt")


def _add_program(root: Path, program: str, place: str) -> None:
    """Copy a program of this machine with the shared libraries that it is linked with."""
    path = found(program)
    assert path is not None
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(Path(path).resolve(), root / place)
    linked = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout  # noqa: S603, S607 (a Debian tool)
    for word in linked.split():
        if word.startswith("/"):
            target = root / word.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(Path(word).resolve(), target)


def _owned(root: Path, folder: str, owner: int = 65534) -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    os.chown(root / folder, owner, owner)


def _traefik(root: Path) -> list[str]:
    _add_program(root, "traefik", "usr/local/bin/traefik")
    (root / "entrypoint.sh").write_text(TRAEFIK_ENTRY)
    for path in ("usr/local/bin/traefik", "entrypoint.sh"):
        (root / path).chmod(0o755)
    return ["ENV PATH=/usr/local/bin:/usr/bin:/bin", 'ENTRYPOINT ["/entrypoint.sh"]', 'CMD ["traefik"]']


def _prometheus(root: Path) -> list[str]:
    _add_program(root, "prometheus", "bin/prometheus")
    _add_program(root, "promtool", "bin/promtool")
    _owned(root, "prometheus")
    (root / "etc/prometheus").mkdir()
    return ["USER nobody", "WORKDIR /prometheus", 'ENTRYPOINT ["/bin/prometheus"]', f"CMD {PROMETHEUS_DEFAULTS}"]


def _alertmanager(root: Path) -> list[str]:
    _add_program(root, "prometheus-alertmanager", "bin/alertmanager")
    shutil.copytree("/usr/share/prometheus/alertmanager", root / "usr/share/prometheus/alertmanager")  # its templates
    _owned(root, "alertmanager")
    return ["USER nobody", "WORKDIR /alertmanager", 'ENTRYPOINT ["/bin/alertmanager"]', f"CMD {ALERTMANAGER_DEFAULTS}"]


def _node_exporter(root: Path) -> list[str]:
    _add_program(root, "prometheus-node-exporter", "bin/node_exporter")
    return ["USER nobody", 'ENTRYPOINT ["/bin/node_exporter"]']


def _socket_proxy(root: Path) -> list[str]:
    _add_program(root, "haproxy", "usr/bin/haproxy")
    (root / "etc/haproxy").mkdir()
    (root / "etc/haproxy/haproxy.cfg").write_text(configuration())
    environment = [f"ENV {name}={value}" for name, value in defaults().items()]
    return [*environment, "ENV PATH=/usr/bin:/bin", 'CMD ["haproxy", "-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"]']


MAKERS: Mapping[str, Callable[[Path], list[str]]] = {
    "traefik": _traefik,
    "prom/prometheus": _prometheus,
    "prom/alertmanager": _alertmanager,
    "prom/node-exporter": _node_exporter,
    "ghcr.io/tecnativa/docker-socket-proxy": _socket_proxy,
}
