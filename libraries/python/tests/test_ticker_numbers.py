"""Places of tickers in a list are those that Polars' join finds, whatever their length and however they share slots."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal import ticker_numbers
from internal.ticker_numbers import TickerNumbers

TICKERS = st.text("ABé-2", min_size=1, max_size=3) | st.sampled_from(
    ["ABCDEFGH-20190628", "ABCDEFGH-20200628", "ABC-20190628", "ABC-20200628", "ABCD", "ABCDE"]
)


@settings(deadline=None, max_examples=40)
@given(
    listed=st.lists(TICKERS, min_size=1, unique=True),
    wanted=st.lists(TICKERS, min_size=1),
    more=st.lists(TICKERS, min_size=1),
    slots=st.sampled_from([1, 4, ticker_numbers.SLOTS]),
)
def test_as_a_join(listed: list[str], wanted: list[str], more: list[str], slots: int) -> None:
    """Tickers longer than the 12 bytes of a view, such that share a slot, and a column in two chunks, one a slice."""
    tickers = pl.concat([pl.Series("ticker", wanted), pl.Series("ticker", [*listed, *more])[len(listed) :]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticker_numbers, "SLOTS", slots)
        found = TickerNumbers(pl.Series(listed)).find(tickers)

    assert found.to_list() == [listed.index(ticker) if ticker in listed else len(listed) for ticker in tickers]
