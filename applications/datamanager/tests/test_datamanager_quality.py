"""Checks of the vendor's rows, sessions of a request, and sectors of SIC codes."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamanager.periods import (
    Period,
    contains_month_end,
    list_closed_sessions,
    require_closed_session,
    split_into_batches,
)
from datamanager.ports import RAW_BAR_SCHEMA
from datamanager.quality import check_bars
from datamanager.sectors import sector_expression
from internal.dates import sessions
from internal.errors import InvalidRequestError
from internal.schemas import equity_bars

SESSION = date(2024, 3, 28)
VALID = {
    "ticker": "AAA",
    "date": "2024-03-28",
    "open": "1.5",
    "high": "2",
    "low": "1",
    "close": "1.25",
    "volume": "10.5",
    "volume_weighted_average_price": "1.4",
    "transactions": "12.0",
}


def raw(*rows: dict[str, str | None]) -> pl.DataFrame:
    """Rows in the port's schema."""
    return pl.DataFrame([VALID | row for row in rows], schema=RAW_BAR_SCHEMA)


def test_valid_bar() -> None:
    """Text is converted to the schema's types; 12.0 transactions are the integer 12."""
    checked = check_bars(raw({}), SESSION)
    assert (equity_bars.validate(checked.valid).height, checked.quarantined.height) == (1, 0)
    assert checked.valid.select("open", "volume", "transactions").row(0) == (1.5, 10.5, 12)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"date": "2024-03-27"}, "date_is_not_the_session"),
        ({"date": None}, "date_is_not_the_session"),
        ({"open": "abc"}, "open_unreadable"),
        ({"transactions": "12.5"}, "transactions_unreadable"),
        ({"volume_weighted_average_price": "{}"}, "volume_weighted_average_price_unreadable"),
        ({"ticker": None}, "ticker_missing"),
        ({"ticker": " "}, "ticker_not_blank"),
        ({"close": None}, "close_missing"),
        ({"low": "0"}, "low_positive"),
        ({"high": "inf"}, "high_positive"),
        ({"volume": "-1"}, "volume_not_negative"),
        ({"high": "1.4"}, "open_at_most_high"),
    ],
)
def test_invalid_bar(change: dict[str, str | None], reason: str) -> None:
    """An invalid row is quarantined as received, with its reason; a valid one is not."""
    checked = check_bars(raw(change, {"ticker": "BBB"}), SESSION)
    assert checked.valid.get_column("ticker").to_list() == ["BBB"]
    assert [reason] == checked.quarantined.get_column("reason").to_list()
    if reason.endswith("unreadable"):
        assert {name: checked.quarantined.item(0, name) for name in change} == change


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {name: st.none() | st.text(max_size=3) | st.floats().map(str) | st.just(VALID[name]) for name in VALID}
        ),
        min_size=1,
        max_size=20,
    )
)
def test_no_row_is_lost(rows: list[dict[str, str | None]]) -> None:
    """Every row is valid by the schema, quarantined with a reason, or equal to another one; never two of these."""
    checked = check_bars(pl.DataFrame(rows, schema=RAW_BAR_SCHEMA), SESSION)
    kept = equity_bars.validate(checked.valid).height + checked.quarantined.height
    assert len(rows) >= kept
    assert checked.quarantined.get_column("reason").null_count() == 0
    assert kept >= len({row["ticker"] for row in rows})


def test_repeated_bars() -> None:
    """Equal bars of a ticker, however their numbers are written, are one; different ones are all held back."""
    same = check_bars(raw({}, {"open": "1.50", "transactions": "12"}), SESSION)
    assert (same.valid.height, same.quarantined.height) == (1, 0)
    different = check_bars(raw({}, {"volume": "11"}), SESSION)
    assert (different.valid.height, different.quarantined.get_column("reason").to_list()) == (0, ["duplicate_key"] * 2)


@pytest.mark.parametrize(
    ("code", "sector"),
    [
        ("3571", "Information Technology"),  # AAPL
        ("7372", "Information Technology"),  # MSFT
        ("2834", "Health Care"),  # PFE
        ("6021", "Financials"),  # JPM
        ("6798", "Real Estate"),  # SPG
        ("1311", "Energy"),  # COP
        ("2911", "Energy"),  # XOM
        ("4911", "Utilities"),  # DUK
        ("4813", "Communication Services"),  # T
        ("5331", "Consumer Staples"),  # WMT
        ("3711", "Consumer Discretionary"),  # F
        ("3721", "Industrials"),  # BA
        ("3312", "Materials"),  # NUE
        ("6324", "Health Care"),  # UNH
        ("0100", "Consumer Staples"),
        ("9995", None),  # a blank-check company
        ("", None),
        ("n/a", None),
        (None, None),
    ],
)
def test_sectors(code: str | None, sector: str | None) -> None:
    """The codes of well-known companies (from EDGAR) map to the sectors they are traded in."""
    frame = pl.DataFrame({"code": [code]}, schema={"code": pl.String})
    assert frame.select(sector_expression(pl.col("code"))).item() == sector


def test_list_closed_sessions() -> None:
    """Only the closed sessions of a period may be requested."""
    week = Period(date(2024, 3, 25), date(2024, 3, 31))
    assert sessions(date(2024, 3, 25), SESSION) == list_closed_sessions(week, SESSION)
    with pytest.raises(InvalidRequestError, match="2024-03-28 has not closed"):
        list_closed_sessions(week, date(2024, 3, 27))
    with pytest.raises(InvalidRequestError, match="not a session"):
        require_closed_session(date(2024, 3, 29), SESSION)


def test_ten_years() -> None:
    """Ten years to the day are valid, one day more is not; leap days are handled."""
    Period.between(date(2014, 3, 1), date(2024, 3, 1))
    Period.between(date(2012, 2, 29), date(2022, 2, 28))
    for start, end in [(date(2014, 3, 1), date(2024, 3, 2)), (date(1, 1, 1), date(9999, 12, 31))]:
        with pytest.raises(InvalidRequestError, match="longer than 10 years"):
            Period.between(start, end)


@given(present=st.sets(st.sampled_from(sessions(date(2024, 1, 1), SESSION))), longest=st.integers(1, 30))
def test_batches(present: set[date], longest: int) -> None:
    """Batches hold exactly the missing sessions in order, none too long, none around a present session."""
    wanted = sessions(date(2024, 1, 1), SESSION)
    batches = split_into_batches(wanted, present, longest)
    assert [day for batch in batches for day in batch] == [day for day in wanted if day not in present]
    assert all(1 <= len(batch) <= longest for batch in batches)
    assert all(sessions(batch[0], batch[-1]) == batch for batch in batches)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2024, 3, 28), date(2024, 3, 28), True),  # Good Friday and Easter end March
        (date(2024, 3, 27), date(2024, 3, 27), False),
        (date(2024, 2, 1), date(2024, 3, 1), True),
        (date(2023, 12, 29), date(2023, 12, 29), True),
        (date(2024, 3, 1), date(2024, 3, 4), False),
    ],
)
def test_end_of_a_month(first: date, last: date, expected: bool) -> None:  # noqa: FBT001 - an expected answer
    """A batch contains the end of a month when the month's last session is in it."""
    assert contains_month_end(sessions(first, last)) is expected
