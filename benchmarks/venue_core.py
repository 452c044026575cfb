"""How long the venue takes for a session: four orders, the open and the close, 20 positions held, 482 tickers listed.

Claim: about one millisecond of processor time in memory, and no more after 250 sessions than in the first ones.
Before rules and storage were separated (commit 0c73f8c) the same sessions took 7.4 to 9.2 ms in SQLite, measured
separately on the same machine, where this file printed 0.83 to 0.94 ms in memory and 5.1 ms in SQLite.
Run: uv run python -m benchmarks.venue_core
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle
from pathlib import Path

from benchmarks.no_arguments import refuse_arguments
from exchange.adapters.database import Database
from exchange.adapters.sqlite_repository import SqliteRepository
from internal.venue.clock import Auction
from internal.venue.core import ExchangeCore, open_venue
from internal.venue.market.simulated import SimulatedMarket
from internal.venue.order_entry import closing_request
from internal.venue.orders import OrderRequest, OrderType, Side, TimeInForce
from internal.venue.repository import InMemoryRepository, VenueRepository
from internal.venue.state import open_account

TICKERS, POSITIONS, SESSIONS = 482, 20, 250
ORDER_DOLLARS = 4000


def order(market: SimulatedMarket, core: ExchangeCore, ticker: str, side: Side) -> OrderRequest | None:
    """A market order for about 4,000 dollars; None where the ticker cannot be traded now."""
    listing, session = market.listing(ticker), core.clock.last_closed_session()
    bar = market.bar(ticker, session)
    if listing is None or bar is None or not (listing.shortable and listing.is_active(session)):
        return None
    quantity = Decimal(max(1, int(ORDER_DOLLARS / bar.close)))
    return OrderRequest(
        ticker=ticker,
        side=side,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        quantity=quantity,
        notional=None,
        limit_price=None,
        client_order_id=None,
        position_intent=None,
    )


def open_positions(market: SimulatedMarket, core: ExchangeCore, tickers: Iterator[str], side: Side, count: int) -> None:
    """Sends `count` orders in tickers that are not held."""
    while count:
        ticker = next(tickers)
        request = None if ticker in core.state.account.positions else order(market, core, ticker, side)
        if request is not None:
            core.submit(request)
            count -= 1


def rotate(market: SimulatedMarket, core: ExchangeCore, tickers: Iterator[str]) -> None:
    """Closes the oldest long and the oldest short, and opens one of each."""
    held = list(core.state.account.positions.values())
    for side, wanted in ((Side.BUY, True), (Side.SELL, False)):
        oldest = next((one for one in held if (one.quantity > 0) is wanted), None)
        if oldest is not None:
            core.submit(closing_request(oldest.quantity, oldest.ticker, None, None))
        open_positions(market, core, tickers, side, 1)


def play_session(core: ExchangeCore) -> None:
    """The open and the close."""
    for step in core.steps_to(core.next_stop(Auction.CLOSE)):
        core.step(step)


def session_times(market: SimulatedMarket, repository: VenueRepository) -> list[float]:
    """Milliseconds of processor time of each session, orders included."""
    core = open_venue(market, repository, open_account(market, Decimal(100_000)))
    tickers = cycle([listing.ticker for listing in market.listings(market.opening_session())])
    open_positions(market, core, tickers, Side.BUY, POSITIONS // 2)
    open_positions(market, core, tickers, Side.SELL, POSITIONS // 2)
    play_session(core)
    taken: list[float] = []
    for _ in range(SESSIONS):
        started = time.process_time()
        rotate(market, core, tickers)
        play_session(core)
        taken.append((time.process_time() - started) * 1000)
    return taken


def describe(name: str, taken: list[float]) -> str:
    """The medians of all sessions, of the first 50 and of the last 50."""
    whole, first, last = (statistics.median(part) for part in (taken, taken[:50], taken[-50:]))
    return f"{name} {whole:.2f} ms a session (first 50: {first:.2f}, last 50: {last:.2f})"


if __name__ == "__main__":
    refuse_arguments(__doc__)
    played = SimulatedMarket(ticker_count=TICKERS)
    print(describe("in memory:", session_times(played, InMemoryRepository())))
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder))
        print(describe("in SQLite:", session_times(played, SqliteRepository(database))))
        database.close()
