"""What is let through, what is held back and why; which days a request means; which sector a code is in."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datamanager.periods import Period, ends_month, runs, session_to_collect, sessions_to_collect
from datamanager.ports import DIVIDEND_SCHEMA, RAW_BAR_SCHEMA, SPLIT_SCHEMA
from datamanager.quality import judge_bars, judge_dividends, judge_splits
from datamanager.sectors import sector_expression
from internal.dates import sessions
from internal.errors import InvalidRequestError
from internal.schemas import corporate_actions, equity_bars

SESSION = date(2024, 3, 28)
GOOD = {
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
    """Rows as the port gives them."""
    return pl.DataFrame([GOOD | row for row in rows], schema=RAW_BAR_SCHEMA)


def test_a_sound_bar() -> None:
    """Text becomes the schema's types; a whole number of transactions may come as 12.0."""
    judged = judge_bars(raw({}), SESSION)
    assert (equity_bars.validate(judged.sound).height, judged.quarantined.height) == (1, 0)
    assert judged.sound.select("open", "volume", "transactions").row(0) == (1.5, 10.5, 12)


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
def test_one_bad_row(change: dict[str, str | None], reason: str) -> None:
    """A bad row is held back with its reason, as it came; the good one beside it passes."""
    judged = judge_bars(raw(change, {"ticker": "BBB"}), SESSION)
    assert judged.sound.get_column("ticker").to_list() == ["BBB"]
    assert [reason] == judged.quarantined.get_column("reason").to_list()
    if reason.endswith("unreadable"):
        assert {name: judged.quarantined.item(0, name) for name in change} == change


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {name: st.none() | st.text(max_size=3) | st.floats().map(str) | st.just(GOOD[name]) for name in GOOD}
        ),
        min_size=1,
        max_size=20,
    )
)
def test_no_row_is_lost(rows: list[dict[str, str | None]]) -> None:
    """Whatever comes is either sound by the schema or held back with a reason: never dropped, never both."""
    judged = judge_bars(pl.DataFrame(rows, schema=RAW_BAR_SCHEMA), SESSION)
    assert len(rows) == equity_bars.validate(judged.sound).height + judged.quarantined.height
    assert judged.quarantined.get_column("reason").null_count() == 0


def test_splits() -> None:
    """A repeated record counts once; contradicting ones, and those without ticker, day or shares, are held back."""
    day = date(2024, 3, 27)
    rows = [
        ("A", day, 1, 4),
        ("A", day, 1, 4),
        ("B", day, 1, 2),
        ("B", day, 1, 3),
        ("C", None, 1, 2),
        (None, day, 1, 2),
        ("D", day, 0, 2),
        ("E", day, 1, None),
    ]
    judged = judge_splits(pl.DataFrame(rows, schema=SPLIT_SCHEMA, orient="row"))
    assert [("A", day, 1.0, 4.0)] == corporate_actions.validate_splits(judged.sound).rows()
    reasons = judged.quarantined.get_column("reason").to_list()
    assert [reason.split(": ", 1)[0] for reason in reasons] == [
        "split_contradicts_another",
        "split_contradicts_another",
        "split_without_date",
        "split_without_ticker",
        "split_amount_not_positive",
        "split_amount_not_positive",
    ]
    assert '"split_to":3.0' in reasons[1]


def test_dividends() -> None:
    """Two payments of a day add up; another currency, and an amount that is none, are held back."""
    day, pay_day = date(2024, 3, 27), date(2024, 4, 15)
    rows = [
        ("A", day, 0.25, None, None, None, "USD"),
        ("A", day, 1.0, None, None, pay_day, None),
        ("B", day, 1.0, None, None, None, "CAD"),
        ("C", day, float("nan"), None, None, None, "USD"),
        ("D", day, -1.0, None, None, None, "USD"),
    ]
    judged = judge_dividends(pl.DataFrame(rows, schema=DIVIDEND_SCHEMA, orient="row"))
    assert [("A", day, 1.25, None, None, pay_day)] == corporate_actions.validate_dividends(judged.sound).rows()
    assert [reason.split(": ", 1)[0] for reason in judged.quarantined.get_column("reason")] == [
        "dividend_in_CAD",
        "dividend_amount_not_positive",
        "dividend_amount_not_positive",
    ]


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
        ("9995", None),  # a blank check
        ("", None),
        ("n/a", None),
        (None, None),
    ],
)
def test_sectors(code: str | None, sector: str | None) -> None:
    """Codes of well-known companies, as EDGAR gives them, land in the sector they are traded in."""
    frame = pl.DataFrame({"code": [code]}, schema={"code": pl.String})
    assert frame.select(sector_expression(pl.col("code"))).item() == sector


def test_sessions_to_collect() -> None:
    """Sessions of a period, closed ones only."""
    week = Period(date(2024, 3, 25), date(2024, 3, 31))
    assert sessions(date(2024, 3, 25), SESSION) == sessions_to_collect(week, SESSION)
    with pytest.raises(InvalidRequestError, match="2024-03-28 has not closed"):
        sessions_to_collect(week, date(2024, 3, 27))
    with pytest.raises(InvalidRequestError, match="not a session"):
        session_to_collect(date(2024, 3, 29), SESSION)


def test_ten_years() -> None:
    """Ten years to the day pass, one day more does not; leap days neither crash nor count double."""
    Period.checked(date(2014, 3, 1), date(2024, 3, 1))
    Period.checked(date(2012, 2, 29), date(2022, 2, 28))
    for start, end in [(date(2014, 3, 1), date(2024, 3, 2)), (date(1, 1, 1), date(9999, 12, 31))]:
        with pytest.raises(InvalidRequestError, match="longer than 10 years"):
            Period.checked(start, end)


@given(complete=st.sets(st.sampled_from(sessions(date(2024, 1, 1), SESSION))), longest=st.integers(1, 30))
def test_runs(complete: set[date], longest: int) -> None:
    """Stretches hold exactly the missing sessions in order, none too long, none around a complete session."""
    wanted = sessions(date(2024, 1, 1), SESSION)
    stretches = runs(wanted, complete, longest)
    assert [day for stretch in stretches for day in stretch] == [day for day in wanted if day not in complete]
    assert all(1 <= len(stretch) <= longest for stretch in stretches)
    assert all(sessions(stretch[0], stretch[-1]) == stretch for stretch in stretches)


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
def test_the_end_of_a_month(first: date, last: date, expected: bool) -> None:  # noqa: FBT001 - an expected answer
    """A stretch ends a month when the month's last session is in it."""
    assert ends_month(sessions(first, last)) is expected
