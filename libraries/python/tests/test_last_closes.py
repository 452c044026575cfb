"""The last close before a day compared with a search through all bars."""

from datetime import date, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from internal.last_closes import join_last_close

FIRST = date(2024, 1, 1)
TICKERS = st.sampled_from(["A", "B", "C"])
DAYS = st.integers(0, 60).map(lambda days: FIRST + timedelta(days=days))
KEYS = st.tuples(TICKERS, DAYS)
CLOSES = st.dictionaries(KEYS, st.floats(1, 100), max_size=20)


@given(closes=CLOSES, wanted=st.sets(KEYS, max_size=8))
def test_search(closes: dict[tuple[str, date], float], wanted: set[tuple[str, date]]) -> None:
    """Bars of the week before, older ones, and none at all are found as by looking at each."""
    bars = pl.DataFrame(
        [(ticker, day, close) for (ticker, day), close in closes.items()],
        {"ticker": pl.String, "date": pl.Date, "close": pl.Float64},
        orient="row",
    )
    rows = pl.DataFrame(sorted(wanted), {"ticker": pl.String, "effective_date": pl.Date}, orient="row")
    expected: list[tuple[str, date, date | None, float | None]] = []
    for ticker, day in sorted(wanted):
        last = max((found for name, found in closes if name == ticker and found < day), default=None)
        expected.append((ticker, day, last, None if last is None else closes[ticker, last]))

    assert join_last_close(rows, bars.lazy()).rows() == expected
