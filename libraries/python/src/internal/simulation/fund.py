"""A fund in one process: a fresh account at a venue, and the ports of the trading core on it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from internal.simulation.venue_broker import VenueBroker
from internal.trading.memory_journal import MemoryJournal, MemoryPortfolios
from internal.trading.ports import Lease, MarketData, TradingPorts
from internal.venue.clock import Auction
from internal.venue.core import ExchangeCore, open_venue
from internal.venue.market.protocol import Market
from internal.venue.money import ONE
from internal.venue.repository import InMemoryRepository
from internal.venue.state import open_account


class FreeLease:
    """A lease in a process that is alone."""

    def require(self) -> int:
        """Always the first holding."""
        return 1


@dataclass
class SimulatedFund:
    """One fund on a venue of its own; journal, portfolios and the venue's store are in memory."""

    core: ExchangeCore
    repository: InMemoryRepository
    ports: TradingPorts
    journal: MemoryJournal
    portfolios: MemoryPortfolios

    @classmethod
    def open(
        cls,
        market: Market,
        data: MarketData,
        cash: Decimal,
        *,
        lease: Lease | None = None,
        cost_multiple: Decimal = ONE,
    ) -> Self:
        """A fresh account at the close of the market's opening session, and an empty journal."""
        repository = InMemoryRepository()
        core = open_venue(market, repository, open_account(market, cash), cost_multiple)
        journal, portfolios = MemoryJournal(), MemoryPortfolios()
        broker = VenueBroker(core, market, repository)
        ports = TradingPorts(broker, data, portfolios, journal, lease or FreeLease(), skip_pause)
        return cls(core, repository, ports, journal, portfolios)

    def move(self, auction: Auction) -> None:
        """Play the next open or close."""
        for step in self.core.steps_to(self.core.next_stop(auction)):
            self.core.step(step)


def skip_pause(_seconds: float) -> None:
    """A pause that takes no time."""
