"""Messages to the owner over HTTP: what was sent, a test, and the alerts of an Alertmanager."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from portfoliomanager.notifications.message import Notification, NotificationKind
from portfoliomanager.notifications.outbox import SentNotification
from portfoliomanager.services import RequestServices

router = APIRouter(tags=["notifications"])


class TestedTarget(BaseModel):
    """Whether a target took a test message."""

    name: str = Field(description="the service and a digest of its URL")
    sent: bool


class TestResult(BaseModel):
    """What became of a test message."""

    targets: list[TestedTarget]


class Notifications(BaseModel):
    """The newest messages, newest first, one entry a target."""

    notifications: list[SentNotification]


class Alert(BaseModel):
    """One alert of an Alertmanager's webhook (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config)."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict[str, str])
    starts_at: datetime = Field(alias="startsAt")
    fingerprint: str


class Alerts(BaseModel):
    """The body of the webhook."""

    alerts: list[Alert] = Field(max_length=1000)


@router.get("/notifications", summary="The last messages and whether each target took them")
async def get_notifications(services: RequestServices) -> Notifications:
    """`id` says what a message is about, `subscriber` is the target."""
    return Notifications(notifications=await services.notifications.recent())


@router.post("/notifications/test", summary="Send a test message to every target")
async def post_test(services: RequestServices) -> TestResult:
    """Sent at once; without targets (NOTIFICATION_URLS) there are none in the answer."""
    sent = await services.notifications.send_test()
    return TestResult(targets=[TestedTarget(name=name, sent=taken) for name, taken in sent.items()])


@router.post("/alerts", status_code=204, summary="Pass on an Alertmanager's alerts")
def post_alerts(alerts: Alerts, services: RequestServices) -> None:
    """Each alert is one message when it begins, and one when it ends."""
    for alert in alerts.alerts:
        name = alert.labels.get("alertname", "alert")
        text = alert.annotations.get("description") or alert.annotations.get("summary") or name
        services.notifications.notify(
            Notification(
                NotificationKind.ALERT,
                f"alert:{alert.fingerprint}:{alert.starts_at.isoformat()}:{alert.status}",
                f"{name} {alert.status}",
                text,
            )
        )
