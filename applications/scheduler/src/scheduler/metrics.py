"""Metrics: when each kind of run last succeeded, what is overdue, and whether this scheduler acts.

docs/reference/metrics.md lists their names and units.
"""

from datetime import datetime

from prometheus_client import Gauge

from internal.lake.lease import Lease
from internal.telemetry import last_success_gauge
from scheduler.runs import Outcome, RunKind
from scheduler.schedule import Schedule

RUN_SUCCESS = Gauge(
    "scheduler_run_last_success_timestamp_seconds", "When a run of the kind last succeeded, by the market", ("kind",)
)
RUNS_OVERDUE = Gauge("scheduler_runs_overdue", "Runs of the kind that take longer than they may", ("kind",))
RUN_UNSUCCESSFUL = Gauge("scheduler_last_run_unsuccessful", "1 when the newest ended run failed or missed", ("kind",))
TURN_SUCCESS = last_success_gauge("scheduler_turn", "When the scheduler last looked at the schedule")
LEASE_HELD = Gauge("scheduler_lease_held", "1 while this process holds the scheduler's lease")
for _kind in RunKind:
    RUNS_OVERDUE.labels(_kind)
    RUN_UNSUCCESSFUL.labels(_kind)


def show_schedule(schedule: Schedule, moment: datetime) -> None:
    """Set the gauges after a turn."""
    overdue = schedule.overdue(moment)
    for kind in RunKind:
        ended = [run for run in schedule.of(kind) if run.ended_at is not None]
        succeeded = [run.ended_at.timestamp() for run in ended if run.is_success and run.ended_at is not None]
        if succeeded:
            RUN_SUCCESS.labels(kind).set(max(succeeded))
        RUNS_OVERDUE.labels(kind).set(sum(run.kind is kind for run in overdue))
        RUN_UNSUCCESSFUL.labels(kind).set(bool(ended) and ended[-1].outcome in {Outcome.FAILED, Outcome.MISSED})
    TURN_SUCCESS.set_to_current_time()


def watch_lease(lease: Lease) -> None:
    """Let the lease's gauge read it at every scrape."""
    LEASE_HELD.set_function(lambda: float(lease.held()))
