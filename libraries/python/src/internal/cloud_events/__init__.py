"""CloudEvents between the services: published durably, delivered at least once, handled in order.

`EventBus` is the door; `make_event` makes what goes through it.
"""

from internal.cloud_events.bus import EventBus
from internal.cloud_events.event import make_event

__all__ = ["EventBus", "make_event"]
