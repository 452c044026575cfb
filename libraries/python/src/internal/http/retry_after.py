"""The header `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def read_retry_after(header: str | None) -> float | None:
    """Seconds to wait, 0 or more; None when the header is absent or neither a number nor a date."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _seconds_until(header)
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _seconds_until(header: str) -> float:
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return math.nan
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
