"""HAProxy's rules of `tecnativa/docker-socket-proxy`, written again: reads are allowed by name, writes are not.

The variables are those of that image (its README: each is 0 unless set here). Only what the project's stacks may use
is listed; all other paths are refused.
"""

from collections.abc import Mapping

SECTIONS = (
    "AUTH", "BUILD", "COMMIT", "CONFIGS", "CONTAINERS", "DISTRIBUTION", "EVENTS", "EXEC", "GRPC", "IMAGES", "INFO",
    "NETWORKS", "NODES", "PING", "PLUGINS", "SECRETS", "SERVICES", "SESSION", "SWARM", "SYSTEM", "TASKS", "VERSION",
    "VOLUMES",
)  # fmt: skip
PATHS = {"PING": "_ping"}
OPEN = ("EVENTS", "PING", "VERSION")
FRAME = """global
    log stdout format raw daemon "${LOG_LEVEL}"
    maxconn 4000
defaults
    mode http
    log global
    option httplog
    option dontlognull
    option http-server-close
    timeout http-request 10s
    timeout queue 1m
    timeout connect 10s
    timeout client 10m
    timeout server 10m
    timeout http-keep-alive 10s
backend dockerbackend
    server dockersocket "${SOCKET_PATH}"
backend docker-events
    server dockersocket "${SOCKET_PATH}"
    timeout server 0
frontend dockerfrontend
    bind "${BIND_CONFIG}"
    http-request deny unless METH_GET || { env(POST) -m bool }
"""
END = """    http-request deny
    use_backend docker-events if { path,url_dec -m reg -i ^(/v[0-9.]+)?/events }
    default_backend dockerbackend
"""


def configuration() -> str:
    """The text of haproxy.cfg."""
    rules = [
        f"    http-request allow if {{ path,url_dec -m reg -i ^(/v[0-9.]+)?/{PATHS.get(name, name.lower())} }} "
        f"{{ env({name}) -m bool }}\n"
        for name in SECTIONS
    ]
    return FRAME + "".join(rules) + END


def defaults() -> Mapping[str, str]:
    """The image's environment: what is open without being asked for, where it listens and what it asks."""
    switches = {name: "1" if name in OPEN else "0" for name in SECTIONS}
    places = {"SOCKET_PATH": "/var/run/docker.sock", "BIND_CONFIG": ":2375", "LOG_LEVEL": "info", "POST": "0"}
    return switches | places
