"""The vendor's market status at a moment in New York.

The phases of a session are early hours from 04:00, the session itself, and after hours until 20:00.
"""

from datetime import datetime, time

from exchange.responses.polygon import MarketStatusBody
from internal.dates import is_session, session_close, session_open

PRE_MARKET, AFTER_MARKET_END = time(4), time(20)
INDICES = (
    "s_and_p",
    "societe_generale",
    "msci",
    "ftse_russell",
    "mstar",
    "mstarc",
    "cccy",
    "cgi",
    "nasdaq",
    "dow_jones",
)


def status_body(now: datetime) -> MarketStatusBody:
    """The body of `/v1/marketstatus/now`; `now` is in New York. The only market here is the one for stocks."""
    early, regular, late = _phases(now)
    stocks = "open" if regular else "extended-hours" if early or late else "closed"
    return MarketStatusBody(
        after_hours=late,
        currencies={"crypto": "closed", "fx": "closed"},
        early_hours=early,
        exchanges=dict.fromkeys(("nasdaq", "nyse", "otc"), stocks),
        indices_groups=dict.fromkeys(INDICES, "open" if regular else "closed"),
        market=stocks,
        server_time=now.isoformat(timespec="seconds"),
    )


def _phases(now: datetime) -> tuple[bool, bool, bool]:
    """Early hours (04:00 to the open), regular session, after hours (close to 20:00); all False on other days."""
    if not is_session(now.date()):
        return False, False, False
    opened, closed = session_open(now.date()), session_close(now.date())
    return (
        now.time() >= PRE_MARKET and now < opened,
        opened <= now < closed,
        closed <= now and now.time() < AFTER_MARKET_END,
    )
