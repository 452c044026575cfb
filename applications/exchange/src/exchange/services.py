"""One running exchange: the venue, its market and its injected faults, opened from what is stored."""

from dataclasses import dataclass
from decimal import Decimal

from exchange.ports import FaultRepository
from internal.errors import ConfigurationError
from internal.venue.clock import ExchangeClock
from internal.venue.core import ExchangeCore, open_venue
from internal.venue.market.protocol import MarketData
from internal.venue.repository import VenueRepository
from internal.venue.state import open_account


@dataclass(frozen=True)
class Exchange:
    """Everything that the routes need, wired once."""

    core: ExchangeCore
    market: MarketData
    repository: VenueRepository
    faults: FaultRepository

    @property
    def clock(self) -> ExchangeClock:
        """The exchange's clock at its present moment."""
        return self.core.clock


def open_exchange(market: MarketData, repository: VenueRepository, faults: FaultRepository, cash: Decimal) -> Exchange:
    """The exchange on what is stored; a fresh account gets `cash` dollars.

    Raises ConfigurationError when the stored state belongs to another market.
    """
    fresh = open_account(market, cash)
    core = open_venue(market, repository, fresh)
    stored, name = core.state.identity.market, fresh.identity.market
    if stored != name:
        raise ConfigurationError(
            f"The state in STATE_DIRECTORY belongs to another market ({stored}) than the one configured ({name}). "
            "Set EXCHANGE_* back, or give the exchange an empty STATE_DIRECTORY."
        )
    return Exchange(core, market, repository, faults)
