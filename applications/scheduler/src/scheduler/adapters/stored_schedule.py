"""The schedule as one JSON object beside the lake's tables, so that another machine goes on where this one stopped."""

import hashlib

from pydantic import TypeAdapter, ValidationError

from internal.lake.objects import Objects
from internal.telemetry import get_logger
from scheduler.runs import ScheduledRun
from scheduler.schedule import Schedule

PATH = "schedule/runs.json"
RUNS = TypeAdapter(tuple[ScheduledRun, ...])


class StoredSchedule:
    """The port `ScheduleStore` on a folder or a bucket."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def load(self) -> Schedule:
        """The schedule; an object that cannot be read is set aside, and the schedule begins with the last session.

        No session is lost by that: datamanager repairs gaps of the lake, and a session that was decided stays decided.
        """
        content = self._objects.get(PATH)
        if content is None:
            return Schedule()
        try:
            return Schedule(RUNS.validate_json(content))
        except ValidationError as error:
            aside = f"schedule/unreadable-{hashlib.sha256(content).hexdigest()[:12]}.json"
            self._objects.put(aside, content)
            get_logger(__name__).error("schedule_unreadable", moved_to=aside, problems=error.error_count())
            return Schedule()

    def save(self, schedule: Schedule) -> None:
        """Replace the object whole."""
        self._objects.put(PATH, RUNS.dump_json(schedule.runs))
