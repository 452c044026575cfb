"""A fund's year through every kind of corporate action, on longs and shorts: positions and books equal the broker's."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from itertools import product
from typing import Self

import pytest
from rich.console import Console
from rich.table import Table

from internal.action_kinds import ActionKind
from internal.books.activities import Activity
from internal.books.bookkeeping import keep_books
from internal.books.openings import find_openings
from internal.books.profit import profit_by_name, sum_profits
from internal.books.reconciliation import reconcile_books
from internal.dates import next_session
from internal.simulation.venue_activities import make_activity
from internal.simulation.world import World
from internal.trading.enums import Side
from internal.trading.limits import RiskLimits
from internal.trading.name_filter import NameFilter
from internal.trading.positions import Position
from internal.trading.rebalancing import Rebalancer
from internal.trading.situation import Situation
from internal.trading.strategy import DataNeeds, StrategyRecord
from internal.trading.targets import Target, Targets
from internal.trading.universe import Universe
from internal.venue.clock import Auction
from internal.venue.repository import HistoryQuery
from research.faults.invariants import Invariants

CASH = 10_000_000
WEIGHT = 0.02
CLOSED, GROWN, TRIMMED = 0.02, 0.06, 0.1  # upper ends of what is drawn for a position; above them it is kept
EVERY_STOCK = Universe(0.0, 0.0, minimum_sessions=1)  # also what collapses before its removal, and what has just come
EVERY_TYPE = NameFilter(frozenset({"CS", "ADRC", "UNIT", "PFD", "ETF", "FUND"}))
LIMITS = RiskLimits(missing_sessions=60, names=EVERY_TYPE)  # more than the longest halt, so that the book grows
EVERY_CASE = set(product(ActionKind, Side))
FLOWS = {10: Decimal("-5000.33"), 20: Decimal("12345.67")}  # dollars, by session within a month


@dataclass(frozen=True)
class BroadStrategy:
    """Holds as many names as it can, about half of them short, for weeks; tops up, trims and closes a few a session."""

    seed: int
    names: int

    @property
    def record(self) -> StrategyRecord:
        """Name, parameters and digest."""
        return StrategyRecord("broad", "{}", "0" * 64)

    @property
    def needs(self) -> DataNeeds:
        """Prices alone."""
        return DataNeeds(EVERY_STOCK, 0, forecasts=False)

    def is_due(self, day: date) -> bool:
        """In every session."""
        del day
        return True

    def next_due(self, day: date) -> date:
        """The next session."""
        return next_session(day)

    def decide(self, situation: Situation) -> Targets:
        """What becomes of each position, and new names while there is room."""
        held = [self._change(position, situation) for position in situation.positions]
        allowed = zip(situation.tickers, situation.may_open, situation.may_short, strict=True)
        new = [(ticker, bool(short)) for ticker, opens, short in allowed if opens and ticker not in situation.holdings]
        drawn = sorted((self._draw("open", situation.day, ticker), ticker, short) for ticker, short in new)
        chosen = drawn[: max(self.names - len(held), 0)]
        opened = [self._open(ticker, situation.day, shortable=short) for _, ticker, short in chosen]
        return Targets((*(target for target in held if target is not None), *opened))

    def _change(self, position: Position, situation: Situation) -> Target | None:
        drawn = self._draw("change", situation.day, position.ticker)
        if drawn < CLOSED:
            return None
        if drawn > TRIMMED:
            return Target(position.ticker, None, "kept")
        weight = position.quantity * situation.price_of(position) / situation.capital
        return Target(position.ticker, weight * (1.5 if drawn < GROWN else 0.6), "changed")

    def _open(self, ticker: str, day: date, *, shortable: bool) -> Target:
        is_short = shortable and self._draw("side", day, ticker) < 0.5
        return Target(ticker, -WEIGHT if is_short else WEIGHT, "drawn")

    def _draw(self, what: str, day: date, ticker: str) -> float:
        return int.from_bytes(sha256(f"{self.seed}|{what}|{day}|{ticker}".encode()).digest()[:4]) / 2**32


class ActionYear:
    """A fund that is checked after every open and close; `struck` counts the actions on what it held, by side."""

    def __init__(self, seed: int, *, sessions: int, tickers: int, names: int) -> None:
        self.sessions = sessions
        self.world = World.make(seed, sessions_played=sessions, tickers=tickers, events="frequent")
        self.fund = self.world.open_fund(CASH)
        self.process = Rebalancer(self.fund.ports, BroadStrategy(seed, names), LIMITS)
        self.invariants = Invariants(seed, self.fund, self.world.days[0])
        self.struck: Counter[tuple[ActionKind, Side]] = Counter()
        self._activities = list[Activity](
            find_openings([], self.fund.core.state.identity.created_at, Decimal(CASH), [])
        )
        self._read = 0

    def play(self) -> Self:
        """All sessions."""
        self.process.run(None)
        for session in range(self.sessions - 1):
            self._count_actions()
            self.fund.move(Auction.OPEN)
            self._require_own()
            if amount := FLOWS.get(session % 21):
                self.fund.core.transfer_cash(amount)
            self.fund.move(Auction.CLOSE)
            self._require_own()
            self.require_books()
            self.process.run(None)
        return self

    def require_books(self) -> None:
        """Cash to the cent, shares exactly, and profits by kind with the flows make the net asset value."""
        account = self.fund.core.state.account
        for row in self.fund.repository.find_history(HistoryQuery(beyond=self._read)):
            self._activities.append(make_activity(row))
            self._read = row.sequence
        books = keep_books(self._activities)
        shares = {ticker: held.quantity for ticker, held in account.positions.items()}
        assert reconcile_books(books, self._activities, account.cash, shares, []) == []
        values = {ticker: held.market_value for ticker, held in account.positions.items()}
        profit = sum_profits(profit_by_name(books, values, {}))
        assert books.flows + profit.total == account.equity
        assert profit.other == 0

    def _require_own(self) -> None:
        """Nothing is foreign, and the fund's own positions are the broker's."""
        assert self.process.reconcile().foreign == ()
        self.invariants.check_positions()

    def _count_actions(self) -> None:
        core = self.fund.core
        day, positions = next_session(core.clock.last_closed_session()), core.state.account.positions
        for action in self.world.market.corporate_actions(day, day):
            if held := positions.get(action.ticker):
                self.struck[action.kind, Side.LONG if held.quantity > 0 else Side.SHORT] += 1


def show(struck: Counter[tuple[ActionKind, Side]]) -> None:
    """The table of the long form."""
    table = Table("kind", *Side)
    for kind in ActionKind:
        table.add_row(kind, *(f"{struck[kind, side]:,}" for side in Side))
    Console().print(table)


def test_every_action_on_longs_and_shorts() -> None:
    """A quarter in a market of 80 names."""
    assert ActionYear(51, sessions=60, tickers=80, names=80).play().struck.keys() == EVERY_CASE


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_year_of_every_action_on_longs_and_shorts() -> None:
    """Two years of 252 sessions and 70 of 120 names, which few rare kinds strike, and two quarters of 80 names."""
    total: Counter[tuple[ActionKind, Side]] = Counter()
    for seed, sessions, tickers, names in ((0, 252, 120, 70), (1, 252, 120, 70), (48, 60, 80, 80), (51, 60, 80, 80)):
        total += ActionYear(seed, sessions=sessions, tickers=tickers, names=names).play().struck
    show(total)
    assert total.keys() == EVERY_CASE
