"""Places of tickers in a list are those that Polars' join finds, whatever their length and however they share slots."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.bar_kernels.ticker_numbers import TickerNumbers

TICKERS = st.text("ABé-2", min_size=1, max_size=3) | st.sampled_from(
    ["ABCDEFGH-20190628", "ABCDEFGH-20200628", "ABC-20190628", "ABC-20200628", "ABCD", "ABCDE"]
)


@settings(deadline=None, max_examples=60)
@given(
    listed=st.lists(TICKERS, min_size=1, unique=True),
    rows=st.lists(st.tuples(st.integers(0, 3), TICKERS), min_size=1).map(sorted),
    step=st.sampled_from([1, -1]),
    slots=st.sampled_from([1, 1 << 18]),
    start=st.integers(0, 3),
)
def test_as_a_join(listed: list[str], rows: list[tuple[int, str]], step: int, slots: int, start: int) -> None:
    """Days with some of the same tickers, in order or not; longer ones than a view holds; such that share a slot."""
    days = pl.Series("day", [day for day, _ in rows])[::step][start:].cast(pl.Date)
    tickers = pl.Series("ticker", [ticker for _, ticker in rows])[::step][start:]
    found = TickerNumbers(pl.Series(listed), slots).find(tickers, days)

    assert found.tolist() == [listed.index(ticker) if ticker in listed else len(listed) for ticker in tickers]
