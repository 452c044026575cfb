"""Securities and their dated tickers: renames, re-used tickers, changes of class, delisted names, no FIGIs."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from fastapi.responses import JSONResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from applications.datamanager.tests.datamanager_vendor import QUICK, Vendor
from applications.datamanager.tests.test_datamanager_edgar import Clock, serve_exchange
from datamanager.adapters.polygon import Polygon
from datamanager.ports import TickerChange
from datamanager.securities import LONGEST_GAP, Securities
from datamanager.security_aliases import Alias, Evidence, ListedSecurity, derive_aliases
from datamanager.security_rows import read_pauses
from internal.dates import session_close
from internal.errors import UpstreamError
from internal.lake.store import Lake
from internal.schemas import equity_bars, securities
from internal.venue.market.simulated import SimulatedMarket

FIRST, RENAMED, LAST = date(2024, 1, 2), date(2024, 2, 1), date(2024, 3, 28)
EVE = date(2024, 1, 31)
RENAME = TickerChange("FB", "META", RENAMED)
TRADED = {"FB": (FIRST, EVE), "META": (RENAMED, LAST)}


def derive(
    listings: Sequence[ListedSecurity] = (),
    changes: Sequence[TickerChange] = (),
    traded: dict[str, tuple[date, date]] = TRADED,
    known: Sequence[Alias] = (),
) -> list[Alias]:
    """The aliases of a vendor called `vendor`."""
    return derive_aliases(Evidence("vendor", listings, changes, traded, known))


def short(aliases: Sequence[Alias]) -> list[tuple[str, str, date, date | None]]:
    """Id, ticker and days."""
    return [(alias.security_id, alias.ticker, alias.start, alias.end) for alias in aliases]


def listed(
    ticker: str,
    figi: str | None = None,
    *,
    delisted: date | None = None,
    since: date | None = None,
    key: str | None = None,
) -> ListedSecurity:
    """A listing, active where no day of its delisting is given."""
    return ListedSecurity(
        ticker,
        active=delisted is None,
        listed_date=since,
        delisted_date=delisted,
        share_class_figi=figi,
        central_index_key=key,
    )


ONE_SECURITY = [("X", "FB", FIRST, EVE), ("X", "META", RENAMED, None)]


@pytest.mark.parametrize(
    ("listings", "changes"),
    [
        ([listed("META", "X"), listed("FB", "X", delisted=RENAMED)], []),
        ([listed("META", "X")], [RENAME]),
        ([listed("META", "X"), listed("FB", "X", delisted=RENAMED)], [RENAME]),
    ],
)
def test_rename(listings: list[ListedSecurity], changes: list[TickerChange]) -> None:
    """Two tickers of one share class, or a change of ticker, are one security; deriving again changes nothing."""
    aliases = derive(listings, changes)
    assert short(aliases) == ONE_SECURITY
    assert derive(listings, changes, known=aliases) == aliases
    assert short(derive([], [], known=aliases)) == ONE_SECURITY


def test_rename_while_it_runs() -> None:
    """The ticker that was known is ended when its class is listed under another one."""
    known = derive([listed("FB", "X")], traded={"FB": (FIRST, EVE)})
    assert short(derive([listed("META", "X")], traded={"META": (RENAMED, RENAMED)}, known=known)) == ONE_SECURITY


def test_rename_without_figis() -> None:
    """Without FIGIs the first id stays, also where the change is stated days after the new ticker began to trade."""
    known = derive([listed("FB")], traded={"FB": (FIRST, EVE)})
    assert short(known) == [("vendor:FB:2024-01-02", "FB", FIRST, None)]
    late = derive([listed("META")], known=known)
    assert late[1].security_id == "vendor:META:2024-02-01"
    assert [(known[0].security_id, *alias[1:]) for alias in ONE_SECURITY] == short(derive([], [RENAME], known=late))


def test_reused_ticker() -> None:
    """A ticker that another class takes over is another security from the day after the first one was delisted."""
    old = listed("ABC", "A", delisted=date(2024, 2, 10))
    aliases = derive([listed("ABC", "B"), old], traded={"ABC": (FIRST, LAST)})
    expected = [("A", "ABC", FIRST, date(2024, 2, 9)), ("B", "ABC", date(2024, 2, 10), None)]
    assert short(aliases) == expected
    assert short(derive([listed("ABC", "B")], traded={"ABC": (FIRST, LAST)}, known=aliases)) == expected


def test_reuse_of_the_old_ticker_of_a_renamed_security() -> None:
    """The old ticker belongs to the renamed security until the change, and to the class that is listed now after it."""
    aliases = derive([listed("META", "X"), listed("FB", "Y")], [RENAME], {"FB": (FIRST, LAST), "META": (RENAMED, LAST)})
    assert [("X", "FB", FIRST, EVE), ("Y", "FB", RENAMED, None), ("X", "META", RENAMED, None)] == short(aliases)
    again = derive(
        [listed("META", "X"), listed("FB", "Y")], [], {"FB": (FIRST, LAST), "META": (RENAMED, LAST)}, aliases
    )
    assert again == aliases


def test_reuse_that_is_noticed_later() -> None:
    """A known ticker under a new class of another company begins another security when it was listed."""
    known = derive([listed("ABC", "A", key="1")], traded={"ABC": (FIRST, EVE)})
    new = listed("ABC", "B", key="2", since=date(2024, 3, 1))
    assert [("A", "ABC", FIRST, date(2024, 2, 29)), ("B", "ABC", date(2024, 3, 1), None)] == short(
        derive([new], traded={"ABC": (FIRST, LAST)}, known=known)
    )


def test_change_of_class() -> None:
    """A new class of the same company under the same ticker is the same security with the new class."""
    known = derive([listed("ABC", "A", key="1")], traded={"ABC": (FIRST, EVE)})
    (alias,) = derive([listed("ABC", "B", key="1")], traded={"ABC": (FIRST, LAST)}, known=known)
    assert ("A", FIRST, None, "B") == (alias.security_id, alias.start, alias.end, alias.listed.share_class_figi)


def test_a_figi_replaces_a_provisional_id() -> None:
    """What was derived before the vendor's listing was read gets its FIGI; a file's ticker stays what it is."""
    provisional = derive(traded={"FB": (FIRST, EVE), "OWN": (FIRST, LAST)})
    assert [alias.security_id for alias in provisional] == ["vendor:FB:2024-01-02", "vendor:OWN:2024-01-02"]
    known = derive([listed("FB", "X")], traded={"FB": (FIRST, EVE), "OWN": (FIRST, LAST)}, known=provisional)
    assert [alias.security_id for alias in known] == ["X", "vendor:OWN:2024-01-02"]


def test_delisted() -> None:
    """A delisted name stays with its end; a holder from before the first bar has no alias."""
    before = listed("FB", "OLD", delisted=date(2012, 1, 1))
    gone = listed("FB", "X", delisted=RENAMED)
    assert [("X", "FB", FIRST, EVE)] == short(derive([gone, before], traded={"FB": (FIRST, EVE)}))


TICKERS = ("A", "B", "C")
DAYS = [FIRST, EVE, RENAMED, date(2024, 3, 1), LAST]
LISTINGS = st.builds(
    ListedSecurity,
    st.sampled_from(TICKERS),
    active=st.booleans(),
    delisted_date=st.none() | st.sampled_from(DAYS),
    listed_date=st.none() | st.sampled_from(DAYS),
    share_class_figi=st.none() | st.sampled_from(("X", "Y")),
    central_index_key=st.none() | st.sampled_from(("1", "2")),
)
CHANGES = st.builds(TickerChange, st.sampled_from(TICKERS), st.sampled_from(TICKERS), st.sampled_from(DAYS))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.lists(LISTINGS, max_size=4), st.lists(CHANGES, max_size=2)), min_size=1, max_size=3))
def test_every_bar_has_one_security(steps: list[tuple[list[ListedSecurity], list[TickerChange]]]) -> None:
    """Whatever a vendor says, one day after the other: no two aliases of a ticker or of a security overlap."""
    known: list[Alias] = []
    for listings, changes in steps:
        known = derive(listings, changes, dict.fromkeys(TICKERS, (FIRST, LAST)), known)
        assert {alias.ticker for alias in known} == set(TICKERS)
        for key in ("security_id", "ticker"):
            for value in {getattr(alias, key) for alias in known}:
                group = sorted((a for a in known if getattr(a, key) == value), key=lambda alias: alias.start)
                ends = [alias.end or date.max for alias in group]
                assert all(end < later.start for end, later in zip(ends[:-1], group[1:], strict=True))
        assert all(alias.end is None or alias.start <= alias.end for alias in known)


def bars(ticker: str, *days: date) -> pl.DataFrame:
    """A bar a day."""
    rows = [
        {"ticker": ticker, "date": day, "timestamp": session_close(day), "volume": 1.0}
        | dict.fromkeys(("open", "high", "low", "close"), 10.0)
        for day in days
    ]
    return pl.DataFrame(rows, schema=equity_bars.COLUMNS)


def stored(lake: Lake) -> list[tuple[Any, ...]]:
    """The table of securities, in short."""
    frame = securities.validate(lake.scan("securities").sort("ticker", "start_date").collect())
    return frame.select("security_id", "ticker", "start_date", "end_date", "name").rows()


def test_sync(vendor: Vendor, polygon: Polygon, lake: Lake) -> None:
    """A change of ticker that the listing does not show is asked for once, for the tickers that it may concern."""
    lake.append(
        "equity_bars", pl.concat([bars("FB", FIRST, EVE), bars("META", RENAMED, LAST), bars("AAA", FIRST, LAST)])
    )
    vendor.listings = [{"ticker": "META", "name": "Meta", "active": True, "share_class_figi": "X"}]
    vendor.events = {"META": [("2024-02-01", "META"), ("2012-05-18", "FB")]}
    aliases = Securities(lake, polygon)
    aliases.follow_bars(FIRST, LAST)
    assert not vendor.requests
    assert [row[0] for row in stored(lake)] == [
        "polygon:AAA:2024-01-02",
        "polygon:FB:2024-01-02",
        "polygon:META:2024-02-01",
    ]
    aliases.sync(polygon.listings())
    expected = [("X", "FB", FIRST, EVE, "Meta"), ("X", "META", RENAMED, None, "Meta")]
    assert stored(lake)[1:] == expected
    assert vendor.requests_of("/vX") == ["/vX/reference/tickers/META/events"]
    version = lake.version("securities")
    Securities(lake, polygon).sync(polygon.listings())  # as after a restart
    assert (1, version) == (len(vendor.requests_of("/vX")), lake.version("securities"))


def test_interrupted_sync(vendor: Vendor, polygon: Polygon, lake: Lake) -> None:
    """A ticker without a change is asked for once; one whose question failed is asked for again."""
    lake.append("equity_bars", pl.concat([bars("OLD", FIRST, EVE), bars("AAA", RENAMED, LAST), bars("BBB", RENAMED)]))
    vendor.listings = [{"ticker": ticker, "active": True, "share_class_figi": ticker} for ticker in ("AAA", "BBB")]
    vendor.fault("/vX/reference/tickers/BBB", lambda: JSONResponse({}, 401))
    with pytest.raises(UpstreamError):
        Securities(lake, polygon).sync(polygon.listings())
    Securities(lake, polygon).sync(polygon.listings())
    asked = [path.split("/")[4] for path in vendor.requests_of("/vX")]
    assert asked == ["AAA", "BBB", "BBB"]


def test_pauses(lake: Lake) -> None:
    """The last day before each pause is found within a year, over a turn of the year, and over a year without bars."""
    assert set() == read_pauses(lake, LONGEST_GAP)
    traded = {
        "AAA": [date(2021, 12, 31), date(2022, 1, 10), date(2022, 1, 21)],  # ten days, then eleven
        "BBB": [date(2021, 12, 20), date(2022, 1, 3), date(2022, 1, 5)],
        "CCC": [date(2020, 5, 8), date(2022, 5, 4)],
    }
    lake.append("equity_bars", pl.concat(bars(ticker, *reversed(days)) for ticker, days in traded.items()))
    assert {date(2022, 1, 10), date(2021, 12, 20), date(2020, 5, 8)} == read_pauses(lake, LONGEST_GAP)


def test_new_tickers_of_a_session(vendor: Vendor, polygon: Polygon, lake: Lake) -> None:
    """A session with a new ticker asks for its listing alone; a vendor that fails leaves it a security of its own."""
    lake.append("equity_bars", pl.concat([bars("FB", FIRST, EVE)]))
    vendor.listings = [{"ticker": "FB", "active": True, "share_class_figi": "X"}]
    aliases = Securities(lake, polygon)
    aliases.sync(polygon.listings())
    vendor.requests.clear()
    aliases.follow_bars(FIRST, EVE)
    assert not vendor.requests
    vendor.listings = [{"ticker": "META", "active": True, "share_class_figi": "X"}]
    lake.append("equity_bars", pl.concat([bars("META", RENAMED, LAST), bars("NEW", LAST)]))
    aliases.follow_bars(RENAMED, LAST)
    assert [("X", "FB", FIRST, EVE), ("X", "META", RENAMED, None)] == [row[:4] for row in stored(lake)[:2]]
    assert 4 == len(vendor.requests)
    vendor.fault("/v3/reference/tickers", lambda: JSONResponse({}, 401))
    lake.append("equity_bars", bars("NEWER", LAST))
    aliases.follow_bars(LAST, LAST)
    assert "polygon:NEWER:2024-03-28" in {row[0] for row in stored(lake)}


def test_the_exchanges_renames(lake: Lake) -> None:
    """Every ticker of a simulated market with renames, delistings and re-used tickers leads to its share class."""
    first, last = date(2023, 1, 3), date(2024, 6, 28)
    market = SimulatedMarket(
        seed=5, ticker_count=60, first_day=first, opening_day=date(2023, 9, 1), last_day=last, events="realistic"
    )
    lake.replace_days("equity_bars", market.bars_between(first, last), first, last)
    with serve_exchange(market, Clock(datetime(2024, 6, 28, 21, tzinfo=UTC))) as url:
        vendor = Polygon("key", url, 0, QUICK)
        aliases = Securities(lake, vendor)
        aliases.follow_bars(first, last)
        aliases.sync(vendor.listings())
        vendor.close()
    named = {(row[0], row[1]) for row in stored(lake)}
    every = [(one, [period.ticker for period in one.tickers] or [one.ticker]) for one in market.listings(last)]
    assert sum(len(tickers) > 1 for _, tickers in every) == 3
    assert all((one.share_class_figi, ticker) in named for one, tickers in every for ticker in tickers)


def test_known_at(lake: Lake, polygon: Polygon) -> None:
    """A table's version at a moment is that of its last commit by then."""
    assert -1 == lake.version_at("securities", datetime.fromisoformat("2024-01-01T00:00:00Z"))
    lake.append("equity_bars", bars("FB", FIRST))
    Securities(lake, polygon).follow_bars(FIRST, FIRST)
    committed = lake.history("securities").get_column("timestamp").max()
    assert isinstance(committed, datetime)
    assert lake.version("securities") == lake.version_at("securities", committed)
    assert -1 == lake.version_at("securities", datetime.fromisoformat("2024-01-01T00:00:00Z"))
