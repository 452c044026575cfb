"""CloudEvents between the services: published durably, delivered at least once, handled in order.

A service constructs one `EventBus` and publishes events from `make_event`.
"""

from internal.cloud_events.bus import EventBus
from internal.cloud_events.event import make_event

__all__ = ["EventBus", "make_event"]
