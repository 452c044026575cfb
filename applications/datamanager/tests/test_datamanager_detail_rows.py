"""Rows of details from listing, EDGAR and files: which one decides, and what counts as a change."""

from datetime import UTC, datetime

import polars as pl
import pytest

from datamanager.detail_rows import describe, merge_file_rows, select_changed, select_listed
from datamanager.ports import LISTING_SCHEMA
from internal.schemas import companies, equity_details

MOMENT = datetime(2024, 1, 2, tzinfo=UTC)
UNIVERSE = pl.DataFrame({"ticker": ["AAA", "BBB"]})
NOTHING = equity_details.empty()


def listing(**more: object) -> pl.DataFrame:
    """The vendor's listing of AAA alone."""
    row = dict.fromkeys(LISTING_SCHEMA) | {"ticker": "AAA", "name": "AAA Inc.", "security_type": "CS", "active": True}
    return pl.DataFrame([row | {"central_index_key": "0000000001"} | more], schema=LISTING_SCHEMA)


def company(code: str | None = "3571") -> pl.DataFrame:
    """The company of AAA."""
    row = ("0000000001", "AAA INC", code, "Electronic Computers", MOMENT, None)
    return pl.DataFrame([row], schema=companies.COLUMNS, orient="row")


def file(**values: str) -> pl.DataFrame:
    """A file's row of AAA."""
    names = ("ticker", "name", "sector", "industry", "sic_code", "sic_description", "primary_exchange")
    return pl.DataFrame([dict.fromkeys(names) | {"ticker": "AAA"} | values], schema=dict.fromkeys(names, pl.String()))


def recorded(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as the lake holds them."""
    moment = pl.lit(MOMENT).cast(equity_details.COLUMNS["recorded_at"]).alias("recorded_at")
    return equity_details.validate(rows.with_columns(moment))


def test_again_is_no_change() -> None:
    """The same listing, companies and file give rows that are recorded already; a new code is a change."""
    listed = select_listed(UNIVERSE, listing(), "polygon")
    known = recorded(describe(listed, company(), NOTHING))
    assert known.select("ticker", "sector", "active", "source").rows() == [
        ("AAA", "Information Technology", True, "polygon+edgar"),
        ("BBB", None, False, "polygon"),
    ]
    assert select_changed(describe(listed, company(), known), known).is_empty()
    changed = select_changed(describe(listed, company("2834"), known), known)
    assert changed.select("ticker", "sector").rows() == [("AAA", "Health Care")]


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("Apple Inc. Common Stock", "3571", "CS"),
        ("Preferred Bank - Common Stock", "6022", "CS"),
        ("Ambase Fundamental Corp.", "100", "CS"),
        ("SPDR Gold Shares", "6221", "UNKNOWN"),
        ("ProShares UltraPro QQQ", None, "UNKNOWN"),
        ("Gabelli Equity Trust", "", "UNKNOWN"),
        ("Any Acquisition Corp. Class A", "6770", "UNKNOWN"),
        ("Any Corp. Warrants", "3571", "UNKNOWN"),
        ("Any Corp. Units, each consisting of one share of common stock", "3571", "UNKNOWN"),
        ("Any Corp. 6.25% Series A Preferred Stock", "3571", "UNKNOWN"),
        ("Any Corp. Depositary Shares, each 1/1000 of a share", "6021", "UNKNOWN"),
        ("Any plc American Depositary Shares", "2834", "ADRC"),
        (None, "3571", "CS"),
    ],
)
def test_types_that_the_vendor_does_not_name(name: str | None, code: str | None, expected: str) -> None:
    """Alpaca lists no types: an operating company's share is common stock, whatever is doubtful is UNKNOWN."""
    listed = select_listed(UNIVERSE, listing(name=name, security_type=None), "alpaca")
    known = recorded(describe(listed, company().clear(), NOTHING))
    assert known.filter(ticker="AAA").item(0, "security_type") == "UNKNOWN"
    described = recorded(describe(listed, company(code), known))
    assert described.filter(ticker="AAA").item(0, "security_type") == expected
    assert described.filter(ticker="BBB").item(0, "security_type") is None
    named = recorded(describe(select_listed(UNIVERSE, listing(security_type="ETF"), "polygon"), company(code), known))
    again = describe(listed, company(code), named)
    assert again.filter(ticker="AAA").item(0, "security_type") == "ETF"


def test_file_decides_what_it_names() -> None:
    """What a file says stays, whatever vendor and EDGAR say later; what it leaves out is theirs."""
    listed = select_listed(UNIVERSE, listing(), "polygon")
    first = recorded(merge_file_rows(NOTHING, file(name="Triple A", sector="ENERGY")))
    known = recorded(describe(listed, company(), first))
    row = known.filter(ticker="AAA").row(0, named=True)
    assert (row["name"], row["sector"], row["industry"]) == ("Triple A", "ENERGY", "Electronic Computers")
    assert (row["security_type"], row["source"]) == ("CS", "file+polygon+edgar")
    assert select_changed(describe(listed, company("2834"), known), known).is_empty()
    again = merge_file_rows(known, file(sector="UTILITIES"))
    assert again.select("name", "sector", "source").rows() == [("Triple A", "UTILITIES", "file+polygon+edgar")]


def test_delisted_and_unlisted() -> None:
    """A ticker that leaves the vendor's list stays, not active; a vendor without a list changes nothing about that."""
    known = recorded(describe(select_listed(UNIVERSE, listing(), "polygon"), company(), NOTHING))
    gone = describe(select_listed(UNIVERSE, listing(ticker="ZZZ"), "polygon"), company(), known)
    assert gone.select("ticker", "name", "sector", "active").row(0) == (
        "AAA",
        "AAA Inc.",
        "Information Technology",
        False,
    )
    no_list = pl.DataFrame(schema=LISTING_SCHEMA)
    kept = describe(select_listed(UNIVERSE, no_list, "files"), company(), known)
    assert kept.select("ticker", "active").rows() == [("AAA", True), ("BBB", False)]
    fresh = describe(select_listed(UNIVERSE, no_list, "files"), company(), NOTHING)
    assert fresh.get_column("active").to_list() == [True, True]


def test_another_company_under_the_ticker() -> None:
    """Nothing of the company that had the ticker before is carried over, though the new one states no industry."""
    known = recorded(describe(select_listed(UNIVERSE, listing(), "polygon"), company(), NOTHING))
    listed = select_listed(UNIVERSE, listing(name="New Inc.", central_index_key="0000000002"), "polygon")
    row = describe(listed, company(), known).row(0, named=True)
    assert (row["name"], row["sector"], row["industry"], row["source"]) == ("New Inc.", None, None, "polygon")
