"""Alpaca's assets, clock and calendar."""

from datetime import date

from exchange.responses.alpaca import AssetBody, CalendarDayBody, ClockBody
from internal.dates import next_session, session_close, session_open
from internal.venue.clock import NEW_YORK, ClockReading, Phase
from internal.venue.identity import asset_id
from internal.venue.market.listing import Listing

SETTLEMENT_SESSIONS = 1  # T+1 since 2024-05-28
EXCHANGES = {"XNYS": "NYSE", "XNAS": "NASDAQ", "ARCX": "ARCA", "XASE": "AMEX", "BATS": "BATS"}


def asset_exchange(listing: Listing) -> str:
    """Alpaca's name of the listing's exchange; anything else trades over the counter."""
    return EXCHANGES.get(listing.primary_exchange, "OTC")


def asset_body(listing: Listing, day: date) -> AssetBody:
    """One asset as of a day."""
    active = listing.is_active(day)
    return AssetBody(
        id=asset_id(listing.permanent_id),
        asset_class="us_equity",
        exchange=asset_exchange(listing),
        symbol=listing.ticker,
        name=listing.name,
        status="active" if active else "inactive",
        tradable=active,
        marginable=active,
        maintenance_margin_requirement=30,
        margin_requirement_long="30",
        margin_requirement_short="30",
        shortable=active and listing.shortable,
        easy_to_borrow=active and listing.easy_to_borrow,
        borrow_status="easy_to_borrow" if active and listing.easy_to_borrow else "hard_to_borrow",
        fractionable=active and listing.fractionable,
        attributes=[],
    )


def clock_body(reading: ClockReading) -> ClockBody:
    """The clock's moment, and the next open and close after it."""
    following = next_session(reading.session)
    opens = reading.session if reading.phase is Phase.PRE_OPEN else following
    closes = following if reading.phase is Phase.CLOSED else reading.session
    return ClockBody(
        timestamp=reading.timestamp.astimezone(NEW_YORK).isoformat(),
        is_open=reading.phase is Phase.OPEN,
        next_open=session_open(opens).astimezone(NEW_YORK).isoformat(),
        next_close=session_close(closes).astimezone(NEW_YORK).isoformat(),
    )


def calendar_body(day: date) -> CalendarDayBody:
    """One session with its settlement date."""
    return CalendarDayBody(
        date=day.isoformat(),
        open=f"{session_open(day).astimezone(NEW_YORK):%H:%M}",
        close=f"{session_close(day).astimezone(NEW_YORK):%H:%M}",
        session_open="0400",
        session_close="2000",
        settlement_date=next_session(day, SETTLEMENT_SESSIONS).isoformat(),
    )
