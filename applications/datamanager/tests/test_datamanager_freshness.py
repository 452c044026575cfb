"""Missing sessions follow from the exchange's calendar and the vendor's clock, not from days that pass."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from datamanager.freshness import find_missing_sessions
from internal.dates import last_closed_session


@pytest.mark.parametrize(
    ("known", "moment", "missing"),
    [
        ([], datetime(2024, 3, 28, 22, tzinfo=UTC), []),
        # Good Friday 2024-03-29 and the weekend: nothing has closed since Thursday, on Monday before the close neither
        ([date(2024, 3, 27), date(2024, 3, 28)], datetime(2024, 3, 31, 12, tzinfo=UTC), []),
        ([date(2024, 3, 27), date(2024, 3, 28)], datetime(2024, 4, 1, 19, 59, tzinfo=UTC), []),
        ([date(2024, 3, 27), date(2024, 3, 28)], datetime(2024, 4, 1, 20, 1, tzinfo=UTC), [date(2024, 4, 1)]),
        # a missing session in the middle counts too, those before the first ingested one do not
        (
            [date(2024, 3, 25), date(2024, 3, 28)],
            datetime(2024, 3, 30, tzinfo=UTC),
            [date(2024, 3, 26), date(2024, 3, 27)],
        ),
    ],
)
def test_missing_sessions(known: list[date], moment: datetime, missing: list[date]) -> None:
    """By hand from the exchange's calendar; 16:00 in New York is 20:00 UTC in summer time."""
    assert missing == find_missing_sessions(pl.Series(known, dtype=pl.Date), last_closed_session(moment))
