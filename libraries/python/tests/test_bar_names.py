"""Bars under the names of their securities are those that a rename and a sort of all of them give."""

from datetime import date

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.bar_names import BarNames
from internal.security_names import name_securities

DAYS = [date(2024, 1, day) for day in (2, 3, 4)]
TICKERS = ["A", "B", "C", "D"]


@settings(deadline=None, max_examples=60)
@given(
    keys=st.sets(st.tuples(st.sampled_from(DAYS), st.sampled_from(TICKERS))),
    changes=st.sets(st.tuples(st.sampled_from(["X", "Y", "Z"]), st.sampled_from(TICKERS), st.sampled_from(DAYS))),
    cut=st.integers(0, 12),
)
def test_as_a_sort(keys: set[tuple[date, str]], changes: set[tuple[str, str, date]], cut: int) -> None:
    """Securities that take one another's tickers, days without some of them, and bars in two chunks."""
    started = {(ticker, day): security for security, ticker, day in changes}
    aliases = pl.DataFrame(
        [(security, ticker, day, None) for (ticker, day), security in started.items()],
        {"security_id": pl.String, "ticker": pl.String, "start_date": pl.Date, "end_date": pl.Date},
        orient="row",
    )
    names = name_securities(aliases, DAYS[-1])
    rows = [(day, ticker, float(place)) for place, (day, ticker) in enumerate(sorted(keys))]
    bars = pl.DataFrame(rows, {"date": pl.Date, "ticker": pl.String, "close": pl.Float64}, orient="row")
    chunks = pl.concat([bars[:cut], bars[cut:]], rechunk=False)
    right = names.rename(bars.lazy(), pl.col("date")).collect()

    named = BarNames(names).apply(chunks)

    left, order = BarNames(names).arrange(chunks, ("close",))
    follow = chunks["close"] if order is None else chunks["close"].gather(pl.Series(order))
    assert left.with_columns(follow).equals(named)
    assert named.select("date", "ticker").rows() == sorted(right.select("date", "ticker").rows())
    assert named.sort("close").equals(right.sort("close"))
