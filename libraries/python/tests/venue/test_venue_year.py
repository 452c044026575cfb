"""A simulated year with every kind of corporate action on held longs and shorts: the activities give the account."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pytest

from internal.action_kinds import ActionKind
from internal.dates import next_session
from internal.venue.clock import Auction
from internal.venue.core import open_venue
from internal.venue.history import ActivityType, Fill, HistoryRow
from internal.venue.market.event_rates import Events
from internal.venue.market.simulated import SimulatedMarket
from internal.venue.orders import OrderRequest, OrderType, Side, TimeInForce
from internal.venue.rejections import RequestRefusedError
from internal.venue.repository import HistoryQuery, InMemoryRepository
from internal.venue.state import open_account

CASH = Decimal(1_000_000_000)
NO_SHARES = {ActivityType.CASH_IN_LIEU, ActivityType.FEE, "CDIV"}  # their quantity is what was paid or charged for


@dataclass
class Books:
    """Cash and shares as a reader of the broker's activities computes them."""

    cash: Decimal = CASH
    shares: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, row: HistoryRow) -> None:
        """One activity, by docs/reference/exchange.md."""
        entry = row.entry
        self.cash += entry.net_amount
        if isinstance(entry, Fill):
            self.shares[entry.ticker] += entry.side.sign * entry.quantity
        elif entry.ticker and entry.quantity and not {row.activity_type, entry.activity_sub_type} & NO_SHARES:
            self.shares[entry.ticker] += entry.quantity

    def held(self) -> dict[str, Decimal]:
        """Positions that are not zero."""
        return {ticker: quantity for ticker, quantity in self.shares.items() if quantity}


class Year:
    """A venue on a market with events, with a position in every security that something will happen to."""

    def __init__(self, events: Events, tickers: int, last: date, seed: int) -> None:
        first, opening = date(2024, 10, 1), date(2024, 12, 31)
        self.market = SimulatedMarket(
            seed=seed, ticker_count=tickers, first_day=first, opening_day=opening, last_day=last, events=events
        )
        self.repository = InMemoryRepository()
        self.core = open_venue(self.market, self.repository, open_account(self.market, CASH))
        self.books, self._read = Books(), 0
        self.happened: set[tuple[ActionKind, bool]] = set()

    def play(self) -> None:
        """Every session: orders before it, both auctions, and the books against the account after each step."""
        days = self.market.sessions()
        for day in days[days.index(self.market.opening_session()) : -1]:
            self._open_positions(next_session(day))
            for auction in (Auction.OPEN, Auction.CLOSE):
                before = self.core.state.account.positions
                for step in self.core.steps_to(self.core.next_stop(auction)):
                    self.core.step(step)
                if auction is Auction.OPEN:
                    self._note(next_session(day), {name: held.quantity > 0 for name, held in before.items()})
                self._compare()

    def _open_positions(self, day: date) -> None:
        """A long and a short in turn in what something happens to within the month, and in acquirers."""
        soon = self.market.corporate_actions(day, next_session(day, 20))
        for number, action in enumerate(soon):
            for ticker in filter(None, (action.ticker, action.new_ticker)):
                if ticker not in self.core.state.account.positions:
                    self._ask(ticker, Side.BUY if (number + ord(ticker[0])) % 2 else Side.SELL)

    def _ask(self, ticker: str, side: Side) -> None:
        quantity = Decimal(137) if side is Side.SELL else Decimal("101.5")
        terms = OrderRequest(ticker, side, OrderType.MARKET, TimeInForce.DAY, quantity, None, None, None, None)
        try:
            self.core.submit(terms)
        except RequestRefusedError:  # it cannot be shorted, or has no fractions: whole shares are bought
            self._ask_whole(ticker)

    def _ask_whole(self, ticker: str) -> None:
        terms = OrderRequest(ticker, Side.BUY, OrderType.MARKET, TimeInForce.DAY, Decimal(99), None, None, None, None)
        try:
            self.core.submit(terms)
        except RequestRefusedError:  # it is not listed yet, or has no price
            return

    def _note(self, day: date, longs: dict[str, bool]) -> None:
        for action in self.market.corporate_actions(day, day):
            if action.ticker in longs:
                self.happened.add((action.kind, longs[action.ticker]))

    def _compare(self) -> None:
        """Cash to the cent, shares to the last fraction, and the value of it all."""
        for row in self.repository.find_history(HistoryQuery(beyond=self._read)):
            self.books.add(row)
            self._read = row.sequence
        account = self.core.state.account
        assert self.books.cash == account.cash
        assert self.books.held() == {name: held.quantity for name, held in account.positions.items()}
        value = sum((held.market_value for held in account.positions.values()), Decimal(0))
        assert account.equity == self.books.cash + value


def play_years(events: Events, tickers: int, last: date, seeds: range) -> set[tuple[ActionKind, bool]]:
    """What happened to held securities, and whether they were long, over markets of some seeds."""
    happened: set[tuple[ActionKind, bool]] = set()
    for seed in seeds:
        year = Year(events, tickers, last, seed)
        year.play()
        happened |= year.happened
    return happened


EVERY_KIND_ON_BOTH_SIDES = {(kind, is_long) for kind in ActionKind for is_long in (True, False)}


def test_months_of_frequent_events() -> None:
    """Every kind happens to held longs and shorts within months in which much happens; books and account are equal."""
    assert play_years("frequent", 60, date(2025, 1, 31), range(11, 17)) == EVERY_KIND_ON_BOTH_SIDES


@pytest.mark.long
def test_years_of_realistic_events() -> None:
    """Every kind happens to held longs and shorts in years of 800 securities; books and account are equal."""
    assert play_years("realistic", 800, date(2025, 12, 31), range(11, 17)) == EVERY_KIND_ON_BOTH_SIDES
