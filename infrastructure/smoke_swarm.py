"""`mask test` of a Swarm: every endpoint through Traefik, dashboards, Prometheus's targets, a forecast's round trip.

It changes nothing. Requests are sent and judged by infrastructure/smoke.py.

    python -m infrastructure.smoke_swarm     # SMOKE_LEFT_OUT=grafana,portainer where those images cannot be had
"""

import os
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import httpx

from infrastructure.smoke import TIMEOUT_SECONDS, Outcome, latest_prediction, report, smoke
from infrastructure.smoke_checks import CHECKS, PLATFORM_CHECKS, Check
from infrastructure.swarm.addresses import Entrance
from infrastructure.swarm.docker import is_production, run_command
from internal.http.bearer import bearer_headers

QUANTILES = ("quantile_10", "quantile_50", "quantile_90")
TARGETS = Check("prometheus", "/prometheus/api/v1/targets?state=active")
ROUND_TRIP = Check("portfoliomanager", "/predictions, and the same from datamanager")


def check_swarm(entrance: Entrance, left_out: Collection[str]) -> list[Outcome]:
    """Ask everything behind one entry point.

    Args:
        entrance: The addresses and credentials.
        left_out: Dashboards that are not deployed; they are listed as left out, and Prometheus need not reach them.
    """
    bases = {
        name: url
        for name in ("datamanager", "portfoliomanager", "exchange", "scheduler")
        if (url := str(getattr(entrance, name)))
    }
    outcomes = smoke(CHECKS, bases, entrance.token, {"exchange": entrance.reader})
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        outcomes.append(round_trip(client, entrance))
        outcomes.append(targets(client, entrance, list(bases), left_out))
    platform = {check.service: entrance.dashboards for check in PLATFORM_CHECKS if check.service not in left_out}
    outcomes += platform_outcomes(platform, entrance)
    return outcomes


def platform_outcomes(bases: Mapping[str, str], entrance: Entrance) -> list[Outcome]:
    """Ask the dashboards, with their credentials and without."""
    readers = dict.fromkeys(bases, entrance.reader)
    asked = [check for check in PLATFORM_CHECKS if check.service in bases]
    return [outcome for outcome in smoke(asked, bases, "", readers) if outcome.check in asked]


def round_trip(client: httpx.Client, entrance: Entrance) -> Outcome:
    """The newest forecast that portfoliomanager shows is the one that datamanager stored."""
    known, started = latest_prediction(client, entrance.portfoliomanager, entrance.token), time.monotonic()
    if not known:
        return Outcome(ROUND_TRIP, None, 0.0, "portfoliomanager gave no predictions")
    headers = {"Accept": "application/json"} | bearer_headers(entrance.token)
    answers = [
        client.get(f"{base}/predictions", params={"date": known["session"]}, headers=headers)
        for base in (entrance.portfoliomanager, entrance.datamanager)
    ]
    seconds, status = time.monotonic() - started, answers[-1].status_code
    if not all(answer.is_success for answer in answers):
        return Outcome(ROUND_TRIP, status, seconds, "one of the two has no predictions of that session")
    shown, stored = (_quantiles(answer.json(), known["ticker"]) for answer in answers)
    fault = "" if shown and shown == stored else f"{known['ticker']}: shown {shown[:1]}, stored {stored[:1]}"
    return Outcome(ROUND_TRIP, status, seconds, fault)


def _quantiles(rows: Sequence[Mapping[str, Any]], ticker: str) -> list[tuple[float, ...]]:
    own = sorted((row for row in rows if row["ticker"] == ticker), key=lambda row: int(row["horizon"]))
    return [tuple(float(row[name]) for name in QUANTILES) for row in own]


def targets(client: httpx.Client, entrance: Entrance, services: Sequence[str], left_out: Collection[str]) -> Outcome:
    """Prometheus reaches each of its targets, a task of every service among them."""
    started = time.monotonic()
    try:
        answer = client.get(entrance.dashboards + TARGETS.path, auth=entrance.reader)
        found: list[dict[str, Any]] = answer.json()["data"]["activeTargets"] if answer.is_success else []
    except (httpx.HTTPError, ValueError, LookupError) as error:
        return Outcome(TARGETS, None, time.monotonic() - started, f"no answer: {type(error).__name__}")
    by_job: dict[str, list[Mapping[str, Any]]] = {}
    for target in found:
        by_job.setdefault(target["labels"]["job"], []).append(target)
    return Outcome(TARGETS, answer.status_code, time.monotonic() - started, _targets_fault(by_job, services, left_out))


def _targets_fault(
    by_job: Mapping[str, Sequence[Mapping[str, Any]]], services: Sequence[str], left_out: Collection[str]
) -> str:
    if absent := [service for service in services if service not in by_job]:
        return f"Prometheus has no target for {', '.join(absent)}"
    down = [
        f"{job} at {target['scrapeUrl']} is {target['health']}: {target['lastError']}"
        for job, targets_of_job in by_job.items()
        if job not in left_out
        for target in targets_of_job
        if target["health"] != "up"
    ]
    return "; ".join(down)


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Run every check of the context's Swarm and print the table; 0 when all is right, else 1."""
    left_out = [name for name in environment.get("SMOKE_LEFT_OUT", "").split(",") if name]
    entrance = Entrance.of(production=is_production(), environment=environment)
    status = report(check_swarm(entrance, left_out))
    if left_out:
        sys.stdout.write(f"left out, by SMOKE_LEFT_OUT: {', '.join(left_out)}\n")
    return status


if __name__ == "__main__":
    sys.exit(run_command(main))
