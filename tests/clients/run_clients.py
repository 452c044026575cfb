"""Drives one exchange with every client that it must serve unmodified, and prints what each of them can do.

Each group of clients has an environment of its own, which uv makes from requirements-GROUP.txt on the first run.
"""

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

from applications.exchange.tests.exchange_kit import exchange_environment, start_server, stop_server

FOLDER = Path(__file__).parent
GROUPS = {
    "current": ("alpaca_py", "py_alpaca_api", "polygon_api_client", "massive"),
    "lumibot": ("lumibot",),
    "alpaca-trade-api": ("alpaca_trade_api",),
}
MARKET_DATA_KEY = "a-key-of-the-clients"


def run_group(group: str, environment: dict[str, str], report: Path) -> bool:
    """Runs the tests of a group's clients in the group's environment; whether all passed."""
    files = [f"test_{name}.py" for name in GROUPS[group]]
    pinned = ["--no-project", "--python", "3.12", "--with-requirements", f"requirements-{group}.txt"]
    command = ["uv", "run", *pinned, "python", "-m", "pytest", "-q", f"--junitxml={report}", *files]
    return subprocess.run(command, cwd=FOLDER, env=environment, check=False).returncode == 0  # noqa: S603 - our own command


def read_report(report: Path) -> dict[tuple[str, str], bool]:
    """Whether each capability of each client works: the parts of a test's name."""
    results: dict[tuple[str, str], bool] = defaultdict(lambda: True)
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - written by our own pytest
        client = case.attrib["classname"].partition(".")[0].removeprefix("test_").replace("_", "-")
        capability = case.attrib["name"].partition("[")[0].removeprefix("test_").replace("_", " ")
        results[client, capability] &= case.find("failure") is None and case.find("error") is None
    return results


def make_table(results: dict[tuple[str, str], bool]) -> str:
    """Clients by capability, as Markdown; a dash where a client has no such call."""
    clients = list(dict.fromkeys(client for client, _ in results))
    capabilities = list(dict.fromkeys(capability for _, capability in results))
    words = {True: "yes", False: "**no**", None: "-"}
    rows = [
        [capability, *(words[results.get((client, capability))] for client in clients)] for capability in capabilities
    ]
    lines = [["capability", *clients], ["---"] * (len(clients) + 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    """One exchange for all clients; 1 when anything of any client failed."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        server = start_server(
            exchange_environment(folder / "state", EXCHANGE_MARKET_DATA_KEY=MARKET_DATA_KEY), folder / "exchange.log"
        )
        keys = {"EXCHANGE_URL": server.url, "EXCHANGE_MARKET_DATA_KEY": MARKET_DATA_KEY}
        environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"} | keys
        results: dict[tuple[str, str], bool] = {}
        passed = True
        try:
            for group in GROUPS:
                report = folder / f"{group}.xml"
                passed &= run_group(group, environment, report)
                results |= read_report(report)
        finally:
            stop_server(server)
    print(make_table(results))  # noqa: T201 - the table is what the command is for
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
