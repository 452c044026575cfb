"""The network of the test engines: a namespace for each node, and one, the hub, through which they reach the outside.

It uses `ip`, `iptables` (only inside the hub) and slirp4netns, and changes nothing of the machine's own network except
for one virtual cable, over which tests reach the nodes:

    tests ── cable ── hub's bridge (.1) ── n1 (.11), n2 (.12), ...
                      hub ── slirp4netns, in user space ── whatever this machine reaches
"""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from swarm.machine import MachineError, found, run, wait_for

NAME_SERVER = "10.214.0.3"  # slirp4netns answers there with the machine's own name servers


@dataclass(frozen=True)
class Network:
    """The namespaces of the engines that live under one folder."""

    folder: Path

    @property
    def tag(self) -> str:
        """Six characters that mark whatever belongs to this folder's engines."""
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:6]

    def address(self, last: int) -> str:
        """An address in the engines' network; the folder chooses the third number."""
        return f"10.213.{int(self.tag[:2], 16)}.{last}"

    def namespace(self, name: str) -> str:
        """The name of a node's namespace, or the hub's."""
        return f"psf-{self.tag}-{name}"

    def up(self) -> None:
        """Make the hub, the cable to the machine and the way out."""
        hub, cable = self.namespace("hub"), f"psf{self.tag}"
        run("ip", "netns", "add", hub)
        self._inside("ip link set lo up", "ip link add br0 type bridge", "ip link set br0 up", node="hub")
        self._inside(f"ip address add {self.address(1)}/24 dev br0", "sysctl -qw net.ipv4.ip_forward=1", node="hub")
        run("ip", "link", "add", cable, "type", "veth", "peer", "name", "machine", "netns", hub)
        self._inside("ip link set machine master br0", "ip link set machine up", node="hub")
        run("ip", "address", "add", f"{self.address(2)}/24", "dev", cable)
        run("ip", "link", "set", cable, "up")
        self._start_way_out(hub)
        self._inside("iptables -t nat -A POSTROUTING -o tap0 -j MASQUERADE", node="hub")

    def _start_way_out(self, hub: str) -> None:
        command = ["slirp4netns", "--configure", "--mtu=1500", "--cidr=10.214.0.0/24", "--disable-host-loopback"]
        with (self.folder / "slirp4netns.log").open("w") as log:
            process = subprocess.Popen(  # noqa: S603 (the harness's own command)
                [*command, "--netns-type=path", f"/run/netns/{hub}", "tap0"],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (self.folder / "slirp4netns.pid").write_text(str(process.pid))
        wait_for("the way out of the hub", lambda: self._has_way_out(process), 10)

    def _has_way_out(self, process: "subprocess.Popen[bytes]") -> bool:
        if process.poll() is not None:
            raise MachineError(f"slirp4netns ended: {(self.folder / 'slirp4netns.log').read_text()[-500:]}")
        return "default" in run("ip", "netns", "exec", self.namespace("hub"), "ip", "route")

    def add_node(self, name: str, last: int) -> str:
        """Make a node's namespace with a cable to the hub; return its address."""
        space, address = self.namespace(name), self.address(last)
        run("ip", "netns", "add", space)
        run(
            "ip",
            "-n",
            self.namespace("hub"),
            "link",
            "add",
            name,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            space,
        )
        self._inside(f"ip link set {name} master br0", f"ip link set {name} up", node="hub")
        self._inside("ip link set lo up", f"ip address add {address}/24 dev eth0", "ip link set eth0 up", node=name)
        self._inside(f"ip route add default via {self.address(1)}", node=name)
        return address

    def _inside(self, *commands: str, node: str) -> None:
        for command in commands:
            words = command.split()
            run("ip", "netns", "exec", self.namespace(node), found(words[0]) or words[0], *words[1:])

    def down(self) -> None:
        """Remove the cable and the namespaces with all that is in them; what is not there is left alone."""
        known = run("ip", "netns", "list").split()
        for space in [name for name in known if name.startswith(f"psf-{self.tag}-")]:
            run("ip", "netns", "delete", space)
        cable = Path("/sys/class/net", f"psf{self.tag}")
        if cable.exists():
            run("ip", "link", "delete", cable.name)
