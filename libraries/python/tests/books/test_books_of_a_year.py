"""Books of longs and shorts through every kind of corporate action, against the venue's account and beancount."""

# beancount is partly typed
# pyright: reportUnknownMemberType=false

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from beancount import loader

from internal.books.activities import Activity, external_flows
from internal.books.beancount_export import write_beancount
from internal.books.bookkeeping import keep_books
from internal.books.openings import find_openings
from internal.books.profit import profit_by_name, sum_profits
from internal.books.reconciliation import reconcile_books
from internal.books.wash_sales import find_wash_sales
from internal.simulation.venue_activities import VenueActivities
from internal.venue.clock import Auction
from internal.venue.core import ExchangeCore, open_venue
from internal.venue.market.simulated import SimulatedMarket
from internal.venue.orders import OrderRequest, OrderType, Side, TimeInForce
from internal.venue.rejections import RequestRefusedError
from internal.venue.repository import InMemoryRepository
from internal.venue.state import open_account

OPENING, CASH = date(2024, 12, 31), Decimal(10_000_000)


def play(sessions: int, tickers: int, seed: int) -> tuple[ExchangeCore, list[Activity]]:
    """Buy, sell short, close and pay in and out at random, on a market with frequent events of every kind."""
    market = SimulatedMarket(
        seed=seed,
        ticker_count=tickers,
        opening_day=OPENING,
        first_day=OPENING - timedelta(days=20),
        last_day=OPENING + timedelta(days=2 * sessions + 20),
        events="frequent",
    )
    repository, draw = InMemoryRepository(), Random(seed)  # noqa: S311 - a seed, no secret
    core = open_venue(market, repository, open_account(market, CASH))
    for _ in range(sessions):
        listed = [one.ticker for one in market.listings(core.clock.last_closed_session())]
        for ticker in draw.sample(listed, min(len(listed), tickers // 4)):
            trade(core, ticker, draw)
        for auction in Auction.OPEN, Auction.CLOSE:
            for step in core.steps_to(core.next_stop(auction)):
                core.step(step)
        if draw.random() < 0.1:
            core.transfer_cash(Decimal(draw.choice([-5000, 12_345])) + Decimal("0.67"))
    return core, list(VenueActivities(repository).read_new())


def trade(core: ExchangeCore, ticker: str, draw: Random) -> None:
    """Close what is held of the name, or open some of it on either side; a refusal is no matter here."""
    held = core.state.account.quantity_of(ticker)
    side = draw.choice(list(Side)) if not held else Side.SELL if held > 0 else Side.BUY
    quantity = abs(held) if held and draw.random() < 0.5 else Decimal(draw.randint(1, 200))
    quantity = min(quantity, abs(held)) if held else quantity
    request = OrderRequest(ticker, side, OrderType.MARKET, TimeInForce.DAY, quantity, None, None, None, None)
    try:
        core.submit(request)
    except RequestRefusedError:
        return


def require_true_books(core: ExchangeCore, activities: list[Activity]) -> None:
    """Cash to the cent, shares exactly, kinds and flows the value, disallowed losses moved, no error of beancount."""
    account = core.state.account
    opening = find_openings([], core.state.identity.created_at, CASH, [])
    rows = [*opening, *activities]
    books = keep_books(rows)
    shares = {ticker: held.quantity for ticker, held in account.positions.items()}
    assert reconcile_books(books, rows, account.cash, shares, []) == []
    values = {ticker: held.market_value for ticker, held in account.positions.items()}
    profit = sum_profits(profit_by_name(books, values, {}))
    assert books.flows + profit.total == account.equity
    assert float(books.flows) == pytest.approx(float(CASH) + sum(flow.amount for flow in external_flows(rows)))
    assert profit.other == 0
    taxed = find_wash_sales(books)
    assert sum(one.gain for one in taxed) >= sum(one.disposal.gain for one in taxed)
    _, errors, _ = loader.load_string(write_beancount(books))
    assert errors == []


def test_books_of_a_quarter() -> None:
    """60 sessions, 40 names: splits, mergers, spin-offs, renames, removals and more on longs and shorts."""
    core, activities = play(60, 40, seed=5)
    assert {row.type for row in activities} >= {"FILL", "DIV", "SPLIT", "FEE", "MA", "NC", "REORG", "SPIN", "CSD"}
    require_true_books(core, activities)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_books_of_a_year(seed: int) -> None:
    """252 sessions, 400 names."""
    require_true_books(*play(252, 400, seed))
