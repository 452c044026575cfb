"""A machine's host key, read from the console that AWS' own interface shows, on a server on loopback."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar
from urllib.parse import parse_qs

import pytest

from infrastructure.host_keys import find_host_key, main, wait_for_host_key
from internal.errors import UnavailableError

# as cloud-init's module keys_to_console prints them
CONSOLE = """[   12.0] cloud-init[700]: -----BEGIN SSH HOST KEY FINGERPRINTS-----
[   12.1] cloud-init[700]: 256 SHA256:abc root@manager-0 (ED25519)
[   12.2] cloud-init[700]: -----END SSH HOST KEY FINGERPRINTS-----
-----BEGIN SSH HOST KEY KEYS-----
ecdsa-sha2-nistp256 AAAAE2VjZHNh root@manager-0
ssh-ed25519 AAAAC3NzaC1lZDI1+/= root@manager-0\r
-----END SSH HOST KEY KEYS-----
[   13.0] cloud-init[700]: finished
"""
ANSWER = """<GetConsoleOutputResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
<requestId>1</requestId><instanceId>i-1</instanceId><output>{}</output></GetConsoleOutputResponse>"""
REFUSAL = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>"


class Ec2(BaseHTTPRequestHandler):
    """Shows the consoles of two machines: the first prints its keys at once; of the second AWS shows nothing."""

    asked: ClassVar[list[dict[str, list[str]]]] = []

    def do_POST(self) -> None:
        """`GetConsoleOutput`, the one action."""
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.asked.append(asked)
        is_known = asked["InstanceId"] == ["i-1"]
        body = (ANSWER.format(base64.b64encode(CONSOLE.encode()).decode()) if is_known else REFUSAL).encode()
        self.send_response(200 if is_known else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        """Silent."""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server, and an environment that leads boto3 to it."""
    server = HTTPServer(("127.0.0.1", 0), Ec2)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("aws")
def test_the_key_of_a_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """The key without its comment, from the console as it is now."""
    assert main(["i-1"]) == 0
    assert capsys.readouterr().out == "ssh-ed25519 AAAAC3NzaC1lZDI1+/=\n"
    assert (Ec2.asked[-1]["Action"], Ec2.asked[-1]["Latest"]) == (["GetConsoleOutput"], ["true"])


@pytest.mark.usefixtures("aws")
def test_a_refusal_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1 and AWS' own word; no key is printed."""
    assert main(["i-2"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "AWS shows no console of i-2" in shown.err
    assert "UnauthorizedOperation" in shown.err


def test_it_is_waited_for() -> None:
    """The console is read until the whole list of keys is there; a list that is cut off is none."""
    consoles = iter(["", CONSOLE[:260], CONSOLE])
    assert find_host_key(CONSOLE[:260]) is None
    assert wait_for_host_key(lambda: next(consoles), pause=0) == "ssh-ed25519 AAAAC3NzaC1lZDI1+/="
    with pytest.raises(UnavailableError, match="no SSH host key within 0 s"):
        wait_for_host_key(lambda: "", seconds=0, pause=0)
