"""One CloudEvent (1.0): creation, reading from a request, and the stored JSON form."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http, to_structured
from cloudevents.core.exceptions import BaseCloudEventException
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from internal.errors import InvalidRequestError, UnsupportedMediaTypeError
from internal.event_types import EventType

STRUCTURED = "application/cloudevents+json"
SENT_HEADERS = {"content-type": STRUCTURED}


class MalformedEventError(InvalidRequestError):
    """The request is not a CloudEvent 1.0, or the event lacks the date of its session."""

    status = 400
    title = "Malformed event"
    slug = "malformed-event"


def make_event(event_type: EventType, source: str, day: date, data: Mapping[str, Any]) -> CloudEvent:
    """Make the event of a session. Its id is `<type>:<day>`, so that publishing it again is the same event.

    `data` is any JSON object; `date` (ISO 8601) is added to it.
    """
    attributes = {
        "id": f"{event_type}:{day.isoformat()}",
        "type": event_type,
        "source": source,
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes, {"date": day.isoformat(), **data})


def event_date(event: CloudEvent) -> date:
    """The session that the event is about. Raises MalformedEventError when its data has no date."""
    data = event.get_data()
    day = data.get("date") if isinstance(data, dict) else None
    try:
        return date.fromisoformat(str(day))
    except ValueError:
        raise MalformedEventError(
            f"event {event.get_id()} needs data with a date, like 2024-01-02; it has {day!r}"
        ) from None


def encode_event(event: CloudEvent) -> bytes:
    """Encode the event as structured JSON. Raises InvalidRequestError when its data is not JSON."""
    try:
        return to_structured(event, JSONFormat()).body
    except TypeError as error:
        raise InvalidRequestError(f"event {event.get_id()} cannot be written as JSON: {error}") from None


def decode_event(body: bytes) -> CloudEvent:
    """Decode a body that `encode_event` wrote."""
    return _require_event(JSONFormat().read(CloudEvent, body))


def read_event(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    """Read the event of a request, in binary or structured mode.

    Raises MalformedEventError, which describes what is wrong, or UnsupportedMediaTypeError for another content type.
    """
    binary = any(name.lower().startswith("ce-") for name in headers)
    media_type = headers.get("content-type", "").split(";")[0].strip().lower()
    if not binary and media_type != STRUCTURED:
        raise UnsupportedMediaTypeError(
            f"Content-Type {media_type or '(none)'} is not an event: send {STRUCTURED}, or ce- headers"
        )
    try:
        return _require_event(from_http(HTTPMessage(dict(headers), body), JSONFormat(), _make_received_event))
    except BaseCloudEventException as error:
        raise MalformedEventError(f"the request is not a CloudEvent 1.0: {_first_line(error)}") from None
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise MalformedEventError(f"the event cannot be read: {_first_line(error)}") from None


def _make_received_event(attributes: dict[str, Any], data: dict[str, Any] | str | bytes | None) -> CloudEvent:
    """Refuse an event without an id: the SDK would invent one, and the sender's retry would be another event."""
    missing = [name for name in ("specversion", "id") if name not in attributes]
    if missing:
        raise MalformedEventError(f"the request is not a CloudEvent 1.0: {', '.join(missing)} missing")
    return CloudEvent(attributes, data)


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _require_event(event: BaseCloudEvent) -> CloudEvent:
    if not isinstance(event, CloudEvent):
        raise MalformedEventError(f"only CloudEvents 1.0 are accepted, not {event.get_specversion()}")
    return event
