"""The page of every HTTP route of the services, made from the OpenAPI document that each service serves."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

SERVICES: Final = ("datamanager", "portfoliomanager", "scheduler", "exchange")
SETTINGS: Final = {  # what a service needs to be assembled; nothing is opened or asked
    "POLYGON_API_KEY": "none",
    "EDGAR_USER_AGENT": "none none@example.com",
    "ALPACA_API_KEY_ID": "PKNONE",
    "ALPACA_API_SECRET": "none",
    "ALPACA_BASE_URL": "http://127.0.0.1:1",
    "DATAMANAGER_URL": "http://127.0.0.1:1",
    "PORTFOLIOMANAGER_URL": "http://127.0.0.1:1",
    "EXCHANGE_API_KEY_ID": "PKNONE",
    "EXCHANGE_API_SECRET": "none",
}
PROGRAM: Final = "import json; from {0}.server import create_application as c; print(json.dumps(c().openapi()))"
HEAD: Final = """# HTTP API

Every route of the services, made from their OpenAPI documents. A running service serves its own at `/openapi.json`,
with the schemas of bodies and answers. A parameter with &#42; must be given. Errors, formats and tokens:
[Rules for all of them](README.md#rules-for-all-of-them).
"""


def read_document(service: str) -> dict[str, Any]:
    """The OpenAPI document of a service, which is assembled in a process of its own and never started."""
    with tempfile.TemporaryDirectory() as folder:
        places = {"STATE_DIRECTORY": "state", "DATA_BUCKET": "lake", "REGISTRY_DIRECTORY": "registry"}
        variables = {name: str(Path(folder, place)) for name, place in places.items()}
        words = [sys.executable, "-c", PROGRAM.format(service)]
        printed = subprocess.run(  # noqa: S603 - our own application
            words, env=os.environ | SETTINGS | variables, stdout=subprocess.PIPE, text=True, check=True
        ).stdout
    document: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return document


def write_http_page() -> str:
    """The page in Markdown: a table of routes for each service."""
    return "\n".join([HEAD, *(write_service(service, read_document(service)) for service in SERVICES)])


def write_service(service: str, document: dict[str, Any]) -> str:
    """The routes of one service, in the order of its document."""
    rows = [
        f"| `{method.upper()} {path}` | {_list_parameters(route)} | {' '.join(str(route.get('summary', '')).split())} |"
        for path, methods in document["paths"].items()
        for method, route in methods.items()
    ]
    return "\n".join([f"## {service}", "", "| route | parameters | what it does |", "|---|---|---|", *rows, ""])


def _list_parameters(route: dict[str, Any]) -> str:
    """The names of a route's parameters; those that must be given are marked."""
    given = [f"`{one['name']}`{'*' if one.get('required') else ''}" for one in route.get("parameters", [])]
    return ", ".join([*given, *(["body"] if "requestBody" in route else [])]).replace("*", "&#42;")
