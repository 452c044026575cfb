"""The time of a typed `./fund halt` until portfoliomanager has answered; `python -m benchmarks.typed_halt`.

The service is a real HTTP server that answers at once, so the figure is the command's own: shell, interpreter, imports,
request, printed answer. Median of ten calls after one that is not counted, in wall and in processor time.
"""

import json
import os
import resource
import statistics
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import override

from benchmarks.no_arguments import refuse_arguments
from fund.folder import FundFolder
from fund.process_record import ProcessEntry, write_entries
from fund.services import Service

LAUNCHER = Path(__file__).parents[1] / "fund"
CALLS = 10
ANSWER = {
    "mode": "simulated",
    "state": "halted",
    "meaning": "nothing is sent",
    "changed_at": "2026-11-27T15:00:00Z",
    "changed_by": "owner",
    "cause": "owner",
    "reason": "measured",
    "planned_orders": 0,
    "orders_at_broker": 0,
    "undecided": "",
}


class Portfoliomanager(BaseHTTPRequestHandler):
    """Answers every change of the trading state."""

    def do_PUT(self) -> None:
        """Answer as portfoliomanager does."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(ANSWER).encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


def measure(words: tuple[str, ...], home: Path) -> tuple[float, float]:
    """Median wall and processor seconds of a typed command."""
    wall, processor = list[float](), list[float]()
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(CALLS + 1):
        started, used = time.monotonic(), processor_seconds()
        subprocess.run([LAUNCHER, *words], env=variables | {"FUND_HOME": str(home)}, check=True, capture_output=True)  # noqa: S603 - our own
        wall.append(time.monotonic() - started)
        processor.append(processor_seconds() - used)
    return statistics.median(wall[1:]), statistics.median(processor[1:])


def processor_seconds() -> float:
    """Processor seconds of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and print."""
    refuse_arguments(__doc__)
    with tempfile.TemporaryDirectory() as home, ThreadingHTTPServer(("127.0.0.1", 0), Portfoliomanager) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        folder = FundFolder(Path(home))
        write_entries(folder, {Service.PORTFOLIOMANAGER: ProcessEntry(os.getpid(), 0.0, server.server_port)})
        for words in (("halt",), ("reduce",), ("--help",), ("up", "--help"), ("run", "--help")):
            wall, processor = measure(words, folder.root)
            print(f"./fund {' '.join(words)}: {wall:.2f} s, of which processor {processor:.2f} s")
        server.shutdown()


if __name__ == "__main__":
    main()
