"""A message to the owner."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

REPORT_KEYS: Final = "report:"  # the keys of daily reports begin with it


class NotificationKind(StrEnum):
    """What a message is about."""

    DAILY_REPORT = "daily_report"
    ORDERS_NOT_SENT = "orders_not_sent"
    ORDER_UNRESOLVED = "order_unresolved"
    LIMIT = "limit"
    FOREIGN = "foreign"
    MISSED_SESSION = "missed_session"
    NAME_ENDED = "name_ended"
    RUN_FAILED = "run_failed"
    TRADING_STATE = "trading_state"
    ALERT = "alert"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Notification:
    """A message.

    Attributes:
        kind: What it is about.
        key: What makes it the same message: under one key it is sent once, however often it is made.
        title: One line.
        text: The whole message as plain text.
        html: The same as HTML for mail; empty where the text is enough.
        figures: Of a daily report, as JSON holds them; they are not sent.
    """

    kind: NotificationKind
    key: str
    title: str
    text: str
    html: str = ""
    figures: Mapping[str, object] = field(default_factory=dict[str, object])


class Notifier(Protocol):
    """Takes messages; whether they reach anybody is its own matter, and never stops trading."""

    def notify(self, notification: Notification) -> bool:
        """Take a message; False when it was taken before."""
        ...
