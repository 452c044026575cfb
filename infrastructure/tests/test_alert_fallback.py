"""The real Alertmanager says by the fallback, a chat's webhook, that portfoliomanager is absent, and when it is not."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, override

import httpx
import yaml

from infrastructure.tests.monitoring_processes import PROMETHEUS, running
from libraries.python.tests.free_ports import free_ports

FUND, SECRETS = "http://portfoliomanager:8081", "/run/secrets"
LABELS = {"alertname": "ServiceAbsent", "job": "portfoliomanager", "severity": "page"}
AT_ONCE = {"group_wait": "100ms", "group_interval": "1s"}
SECONDS = 60


@contextmanager
def receive(bodies: Queue[Any]) -> Generator[str]:
    """An address of this machine that takes JSON, in the place of the chat."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        @override
        def log_message(self, format: str, *arguments: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def on_loopback(folder: Path, chat: str) -> Path:
    """The product's alertmanager.yaml with secrets in a folder, short waits, and a portfoliomanager that is down."""
    (folder / "FUND_API_TOKEN").write_text("a token")
    (folder / "ALERT_WEBHOOK_URL").write_text(f"{chat}/services/hook")
    text = (PROMETHEUS / "alertmanager.yaml").read_text().replace(SECRETS, str(folder))
    configuration = yaml.safe_load(text.replace(FUND, f"http://127.0.0.1:{free_ports(1)[0]}"))
    for route in (configuration["route"], *configuration["route"]["routes"]):
        route.update(AT_ONCE)
    (folder / "alertmanager.yaml").write_text(yaml.safe_dump(configuration))
    return folder / "alertmanager.yaml"


def test_absence_of_portfoliomanager(tmp_path: Path) -> None:
    """The chat gets one message when it begins and one when it ends, although the fund's own receiver is down."""
    bodies, address = Queue[Any](), f"127.0.0.1:{free_ports(1)[0]}"
    alert = {"labels": LABELS, "annotations": {"summary": "portfoliomanager is absent"}}
    with receive(bodies) as chat:
        command = [
            *("prometheus-alertmanager", f"--config.file={on_loopback(tmp_path, chat)}", "--cluster.listen-address="),
            *(f"--web.listen-address={address}", "--storage.path=alertmanager"),
        ]
        with running(command, tmp_path / "alertmanager.log", f"http://{address}/-/ready"):
            httpx.post(f"http://{address}/api/v2/alerts", json=[alert], timeout=10).raise_for_status()
            (begun,) = bodies.get(timeout=SECONDS)["attachments"]
            ended = alert | {"endsAt": datetime.now(UTC).isoformat()}
            httpx.post(f"http://{address}/api/v2/alerts", json=[ended], timeout=10).raise_for_status()
            (over,) = bodies.get(timeout=SECONDS)["attachments"]

    assert (begun["title"], over["title"]) == ("ServiceAbsent firing", "ServiceAbsent resolved")
    assert begun["text"] == "portfoliomanager is absent. The fund sends no messages meanwhile."
