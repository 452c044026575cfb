"""How Alpaca writes moments and numbers that may be missing."""

from datetime import datetime
from decimal import Decimal

from internal.venue.money import plain


def wire_moment(moment: datetime) -> str:
    """A moment as Alpaca writes it: UTC, RFC 3339 with Z, no more digits than it has."""
    return moment.isoformat().replace("+00:00", "Z")


def optional_moment(moment: datetime | None) -> str | None:
    """The moment as Alpaca writes it, or null."""
    return None if moment is None else wire_moment(moment)


def optional_number(value: Decimal | None) -> str | None:
    """The number as Alpaca writes it, or null."""
    return None if value is None else plain(value)
