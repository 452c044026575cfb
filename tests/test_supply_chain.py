"""What the fund is made of: licences, locked packages, and the audit of known vulnerabilities."""

import json
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.test_maskfile import run_task

ROOT = Path(__file__).parents[1]
PROJECTS = [
    ROOT / "pyproject.toml",
    *sorted(ROOT.glob("applications/*/pyproject.toml")),
    ROOT / "libraries/python/pyproject.toml",
    ROOT / "infrastructure/pyproject.toml",
    ROOT / "tests/clients/pyproject.toml",
]
LOCKED: list[dict[str, Any]] = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
ADVISORY: dict[str, Any] = {
    "id": "GHSA-0000-0000-0000",
    "modified": "2026-01-01T00:00:00Z",
    "summary": "Reads past the end of a header",
    "affected": [
        {
            "package": {"name": "httpx", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}],
        }
    ],
}


class VulnerabilityDatabase(BaseHTTPRequestHandler):
    """OSV's interface with one advisory, for httpx: https://google.github.io/osv.dev/api/."""

    def do_POST(self) -> None:
        """`/v1/querybatch`: the advisories of each package."""
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        names = [query["package"]["name"] for query in body["queries"]]
        self._answer({"results": [{"vulns": [ADVISORY]} if name == "httpx" else {} for name in names]})

    def do_GET(self) -> None:
        """`/v1/vulns/ID`: the whole advisory."""
        self._answer(ADVISORY)

    def _answer(self, document: object) -> None:
        text = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a vulnerability database."""
    server = HTTPServer(("127.0.0.1", 0), VulnerabilityDatabase)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.parent.name)
def test_each_project_states_the_licence(path: Path) -> None:
    """The licence of LICENSE, as an SPDX expression."""
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    assert tomllib.loads(path.read_text())["project"]["license"] == "MIT"


def test_every_locked_file_has_a_digest() -> None:
    """Nothing is installed that is not, byte for byte, what was locked."""
    files = [
        one
        for package in LOCKED
        for one in (*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else []))
    ]
    assert len(files) > 300
    assert all(one["hash"].startswith("sha256:") for one in files)


def test_the_audit_names_a_known_vulnerability(database: str, tmp_path: Path) -> None:
    """Status 1 and the advisory; the bill of materials lists the locked version."""
    result = run_task("development audit", OSV_URL=database, BILLS=str(tmp_path))
    assert result.returncode == 1, result.stderr
    assert ADVISORY["id"] in result.stdout
    bill: dict[str, Any] = json.loads((tmp_path / "uv.lock.cdx.json").read_text())
    (version,) = (package["version"] for package in LOCKED if package["name"] == "httpx")
    assert f"pkg:pypi/httpx@{version}" in {one.get("purl") for one in bill["components"]}


def test_an_audit_without_its_database_is_none(tmp_path: Path) -> None:
    """A database that cannot be reached is an error in words, never a clean result."""
    result = run_task("development audit", OSV_URL="http://127.0.0.1:9", UV_HTTP_RETRIES="0", BILLS=str(tmp_path))
    assert result.returncode == 2
    assert "nothing was audited" in result.stderr
