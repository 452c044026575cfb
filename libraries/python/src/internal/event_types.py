"""The types of the fund's events: `application.<service>.<noun>.<verb>` (docs/reference/events.md)."""

from enum import StrEnum


class EventType(StrEnum):
    """What happened, by the service that says so."""

    SESSION_OPENED = "application.exchange.session.opened"
    SESSION_CLOSED = "application.exchange.session.closed"
    BARS_SYNCED = "application.datamanager.equity_bars.synced"
    PREDICTIONS_MADE = "application.portfoliomanager.predictions.made"
    PORTFOLIO_REBALANCED = "application.portfoliomanager.portfolio.rebalanced"
    NOTIFICATION_MADE = "application.portfoliomanager.notification.made"
