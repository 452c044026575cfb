"""Hands alerts to portfoliomanager, which sends each to the owner once; what cannot be handed over is tried again."""

from datetime import datetime

from internal.errors import FundError
from internal.telemetry import get_logger
from scheduler.alerts import Alert, list_alerts, resolve_alerts
from scheduler.ports import FundServices
from scheduler.schedule import Schedule


class Announcements:
    """The alerts that this process has handed over; after a restart they are handed over again, to no effect."""

    def __init__(self, fund: FundServices) -> None:
        self._fund = fund
        self._raised: list[Alert] = []

    def announce(self, schedule: Schedule, moment: datetime) -> None:
        """Hand over what is new; a failure is logged and never ends the turn."""
        known = {alert.key for alert in self._raised}
        raised = [alert for alert in list_alerts(schedule, moment) if alert.key not in known]
        resolved = resolve_alerts(self._raised, schedule)
        if not raised and not resolved:
            return
        try:
            self._fund.send_alerts([*raised, *resolved])
        except FundError as error:
            get_logger(__name__).warning("alerts_not_sent", alerts=len(raised) + len(resolved), detail=error.detail)
            return
        ended = {(alert.name, alert.run.session) for alert in resolved}
        self._raised = [alert for alert in [*self._raised, *raised] if (alert.name, alert.run.session) not in ended]
