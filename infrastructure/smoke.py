"""Sends every endpoint of the running services one small request, prints a table, and ends with 1 when one is wrong.

It changes nothing: endpoints that change something are sent requests that they must refuse. The expected answers
are in infrastructure/smoke_checks.py.

    python -m infrastructure.smoke    # DATAMANAGER_URL or DATAMANAGER_PORT, ..., else loopback and the usual ports
"""

import json
import os
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infrastructure.smoke_checks import CHECKS, Check
from internal.http.bearer import bearer_headers

USUAL_PORTS: Mapping[str, int] = {"exchange": 8090, "datamanager": 8080, "portfoliomanager": 8081}
STYLE_SHEET = {"version": "current", "path": "app.css"}  # a file that every page loads
NO_BACKTEST = {"name": "none"}  # the name of no backtest or sweep
VENDOR_PATH = re.compile(r"/(v[1-3]|vX|stocks/v1|files|submissions|api/xbrl)/")
REFUSALS = {  # what each vendor answers to a caller without a key, or without a name
    re.compile(r"/(files|submissions|api/xbrl)/"): (403, "Undeclared Automated Tool"),
    re.compile(r"/(v2/stocks|v1/corporate-actions)"): (403, "forbidden"),
}
UNAUTHORIZED = (401, "")
TIMEOUT_SECONDS = 10.0
NO_READERS: Mapping[str, tuple[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class Outcome:
    """What came of one check; `fault` is empty when all was as expected."""

    check: Check
    status: int | None
    seconds: float
    fault: str


def addresses(environment: Mapping[str, str]) -> dict[str, str]:
    """Return each service's base URL: `NAME_URL`, else loopback and `NAME_PORT`, else loopback and the usual port.

    A service whose `NAME_URL` is set and empty is left out: a fund that trades at a real broker has no exchange.
    """
    asked = {
        service: environment.get(
            f"{service.upper()}_URL",
            f"http://127.0.0.1:{environment.get(f'{service.upper()}_PORT') or port}",
        )
        for service, port in USUAL_PORTS.items()
    }
    return {service: url.rstrip("/") for service, url in asked.items() if url}


def bearer_token(environment: Mapping[str, str]) -> str:
    """Return `FUND_API_TOKEN`, else the token that `fund up` made in its folder, else an empty text."""
    stored = Path(environment.get("FUND_HOME") or ".fund") / "credentials.json"
    if "FUND_API_TOKEN" in environment or not stored.exists():
        return environment.get("FUND_API_TOKEN", "")
    return str(json.loads(stored.read_text())["fund_api_token"])


def latest_prediction(client: httpx.Client, portfoliomanager: str, token: str) -> dict[str, str]:
    """Return `session`, `day` (both its ISO date) and `ticker` of one of the newest predictions, if there are any."""
    try:
        headers = {"Accept": "application/json"} | bearer_headers(token)
        answer = client.get(f"{portfoliomanager}/predictions", headers=headers)
        first: dict[str, object] = answer.json()[0] if answer.is_success else {}
        session = str(first["date"])
        return {"session": session, "day": session, "ticker": str(first["ticker"])}
    except (httpx.HTTPError, ValueError, LookupError):
        return {}


def run_check(  # noqa: PLR0913 - what a request is made of, each by its name
    client: httpx.Client,
    check: Check,
    base: str,
    *,
    known: Mapping[str, str],
    token: str,
    reader: tuple[str, str] | None = None,
) -> Outcome:
    """Ask one endpoint, its `{placeholders}` filled with what is known, and compare the answer with the check's.

    `reader` is the user and password that a proxy in front of the service asks for, if there is one.
    """
    try:
        path = check.path.format(**known)
    except KeyError as error:
        return Outcome(check, None, 0.0, f"no {error.args[0]} known: portfoliomanager gave no predictions")
    started = time.monotonic()
    behind_login = reader is not None and check.method == "GET"
    try:
        answer = client.request(
            check.method,
            base + path,
            content=check.body,
            headers={"Accept": "application/json"} | _own_headers(check, "" if behind_login else token),
            auth=reader if behind_login and check.reader else None,
        )
    except httpx.HTTPError as error:
        return Outcome(check, None, time.monotonic() - started, f"no answer from {base}: {type(error).__name__}")
    return Outcome(check, answer.status_code, time.monotonic() - started, fault_in(check, answer))


def _own_headers(check: Check, token: str) -> dict[str, str]:
    return ({} if check.body is None else {"Content-Type": "application/json"}) | bearer_headers(token)


def fault_in(check: Check, answer: httpx.Response) -> str:
    """Return what is wrong with an answer in one sentence, or an empty text."""
    if answer.status_code != check.status:
        return f"status {answer.status_code} instead of {check.status}: {answer.text[:160]}"
    if check.text:
        return "" if check.text in answer.text else f"the body does not hold {check.text!r}"
    try:
        body = answer.json()
    except ValueError:
        return "the body is no JSON"
    return next((fault for field in check.fields if (fault := _missing(body, field))), "")


def _missing(body: object, field: tuple[str | int, ...]) -> str:
    place: Any = body
    try:
        for key in field:
            place = place[key]
    except (LookupError, TypeError):
        return f"the body has no {'/'.join(map(str, field))}"
    return ""


def unasked(  # noqa: PLR0913 - what a request is made of, each by its name
    client: httpx.Client,
    service: str,
    base: str,
    checks: Iterable[Check],
    *,
    token: str,
    reader: tuple[str, str] | None = None,
) -> list[Outcome]:
    """Look into the service's own list of endpoints for those that no check asks.

    The exchange's vendor endpoints are asked without a key and must refuse, or, behind a proxy with a `reader`, not be
    there at all; any other is a fault of the list of checks.
    """
    try:
        answer = client.get(f"{base}/openapi.json", headers={} if reader else bearer_headers(token), auth=reader)
        paths = answer.json()["paths"]
    except (httpx.HTTPError, ValueError, LookupError):
        return []  # the check of /openapi.json itself tells it
    asked = [check.path.partition("?")[0] for check in checks if check.service == service]
    left = {path: list(methods) for path, methods in paths.items() if path not in asked}
    unlisted = [
        _refused_without_key(service, path, method, behind_proxy=reader is not None)
        for path, methods in left.items()
        for method in methods
    ]
    return [_ask_unlisted(client, base, check) for check in unlisted]


def _refused_without_key(service: str, path: str, method: str, *, behind_proxy: bool) -> Check:
    """The check that a vendor's endpoint refuses, or is not there behind the proxy."""
    found = (refusal for pattern, refusal in REFUSALS.items() if pattern.match(path))
    status, text = (404, "\n") if behind_proxy else next(found, UNAUTHORIZED)
    return Check(service, re.sub(r"\{[^}]*\}", "1", path), method=method.upper(), status=status, text=text)


def _ask_unlisted(client: httpx.Client, base: str, check: Check) -> Outcome:
    if VENDOR_PATH.match(check.path):
        return run_check(client, check, base, known={}, token="")
    return Outcome(check, None, 0.0, "no check asks this endpoint; add it to infrastructure/smoke_checks.py")


def smoke(
    checks: Sequence[Check], bases: Mapping[str, str], token: str, readers: Mapping[str, tuple[str, str]] = NO_READERS
) -> list[Outcome]:
    """Run the checks of every service that has an address, one after the other."""
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        known = STYLE_SHEET | NO_BACKTEST | latest_prediction(client, bases.get("portfoliomanager", ""), token)
        listed = [
            run_check(client, check, bases[check.service], known=known, token=token, reader=readers.get(check.service))
            for check in checks
            if check.service in bases
        ]
        return listed + [
            found
            for name, base in bases.items()
            for found in unasked(client, name, base, checks, token=token, reader=readers.get(name))
        ]


def table_of(outcomes: Iterable[Outcome]) -> Table:
    """Lay the outcomes out for a terminal."""
    table = Table("service", "request", "status", "ms", "result")
    for outcome in outcomes:
        table.add_row(
            outcome.check.service,
            f"{outcome.check.method} {outcome.check.path}",
            str(outcome.status or "-"),
            f"{outcome.seconds * 1000:.0f}",
            Text(outcome.fault, "red") if outcome.fault else Text("ok", "green"),
        )
    return table


def main(environment: Mapping[str, str] = os.environ, checks: Sequence[Check] = CHECKS) -> int:
    """Run every check and print the table.

    Returns:
        The exit status: 0 when every endpoint answered as expected, else 1.
    """
    return report(smoke(checks, addresses(environment), bearer_token(environment)))


def report(outcomes: Sequence[Outcome]) -> int:
    """Print the table and how many are right; the exit status: 0 when all are, else 1."""
    failed = sum(bool(outcome.fault) for outcome in outcomes)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table_of(outcomes))
    console.print(f"{len(outcomes) - failed} of {len(outcomes)} endpoints answered as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
