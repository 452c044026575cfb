"""Where messages go, by apprise: one URL a target, such as `mailto://...`, `tgram://...`, `slack://...`.

https://github.com/caronc/apprise lists the services and how their URLs are written. A URL holds secrets: no message, no
log line and no file of ours does.
"""

# apprise types its services' settings as bare dicts
# pyright: reportUnknownMemberType=false

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import apprise

from internal.errors import ConfigurationError
from portfoliomanager.notifications.message import Notification

DIGEST = 8  # hexadecimal digits

logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its warnings quote parts of URLs


@dataclass(frozen=True)
class NotificationTarget:
    """One target.

    Attributes:
        name: The service and a digest of the URL, such as `tgram-1f3a9c02`: it tells targets apart and holds no secret.
        service: Sends to it.
    """

    name: str
    service: "apprise.NotifyBase"  # in quotes: apprise is loaded where there is a target

    def send(self, notification: Notification, banner: str) -> bool:
        """Send a message, HTML where the service shows it; whether the service took it."""
        title = f"[{banner}] {notification.title}"
        is_html = bool(notification.html) and self.service.notify_format == apprise.NotifyFormat.HTML
        body = notification.html if is_html else notification.text
        form = apprise.NotifyFormat.HTML if is_html else apprise.NotifyFormat.TEXT
        sender = apprise.Apprise()
        sender.add(self.service)
        return bool(sender.notify(body=body, title=title, body_format=form))


def read_targets(text: str) -> Sequence[NotificationTarget]:
    """The targets of `NOTIFICATION_URLS`: one URL a line; lines that begin with # are comments.

    Raises ConfigurationError, which names the line and not what it holds.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    return [_read_target(number, line) for number, line in lines if line and not line.startswith("#")]


def _read_target(number: int, url: str) -> NotificationTarget:
    service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        raise ConfigurationError(
            f"NOTIFICATION_URLS is wrong: line {number} is no address of a service of apprise, such as "
            "mailto://user:password@example.com, tgram://TOKEN/CHAT or ntfy://TOPIC"
        )
    scheme = url.partition("://")[0].lower()
    return NotificationTarget(f"{scheme}-{hashlib.sha256(url.encode()).hexdigest()[:DIGEST]}", service)


def find_bot_token(targets: Sequence[NotificationTarget]) -> str:
    """The token of the Telegram bot that sends the messages; empty where no target is `tgram://`."""
    tokens = (getattr(target.service, "bot_token", None) for target in targets if target.name.startswith("tgram-"))
    return next((token for token in tokens if isinstance(token, str)), "")
