"""Account activities in the lake: the table `account_activities`, one row an activity of the broker."""

from collections.abc import Sequence

from internal.books.activities import Activity
from internal.lake.store import Lake
from portfoliomanager.activity_frames import TABLE, activity_frame, read_activities

UNREAD = -2  # a version that no table has


class LakeActivities:
    """The port `ActivityStore` on a Delta table; a write is durable and whole when it returns."""

    def __init__(self, lake: Lake) -> None:
        """Takes the lake; the table need not exist yet."""
        self._lake = lake
        self._version, self._rows = UNREAD, tuple[Activity, ...]()

    def read(self) -> Sequence[Activity]:
        """All activities, as they were listed first; read again only when the table has a new version."""
        version = self._lake.version(TABLE)
        if version != self._version:
            frame = self._lake.scan(TABLE, version if version >= 0 else None).sort("number").collect()
            self._version, self._rows = (
                version,
                tuple(read_activities(frame)),
            )
        return self._rows

    def save(self, activities: Sequence[Activity]) -> None:
        """Insert or replace activities by their id, all or none; new ones are added, which reads nothing."""
        known = {row.activity_id for row in self.read()}
        if known.isdisjoint(row.activity_id for row in activities):
            self._lake.append(TABLE, activity_frame(activities))
        else:
            self._lake.upsert(TABLE, activity_frame(activities), ["activity_id"])

    def replace(self, activities: Sequence[Activity]) -> None:
        """Store these activities and no others; older versions of the table keep the rest."""
        self._lake.overwrite(TABLE, activity_frame(activities))
