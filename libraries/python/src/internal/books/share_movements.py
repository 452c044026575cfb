"""Which activities say that a corporate action moved shares: what the trading core takes as proof of it."""

from collections.abc import Iterable
from datetime import date

from internal.books.activities import Activity, ActivityKind
from internal.trading.share_movements import ShareMovement

MOVE_SHARES = frozenset({ActivityKind.SPLIT, ActivityKind.SPIN_OFF, ActivityKind.REORGANIZATION, ActivityKind.OTHER})
"""A type that the books do not know may be an action's: whatever else moves shares has a kind of its own."""


def list_share_movements(activities: Iterable[Activity], after: date) -> list[ShareMovement]:
    """The movements of the days after that one, in the order of the activities."""
    return [
        ShareMovement(row.ticker, row.day, float(row.quantity), is_split=row.kind is ActivityKind.SPLIT)
        for row in activities
        if row.kind in MOVE_SHARES and row.ticker is not None and row.quantity and row.day > after
    ]
