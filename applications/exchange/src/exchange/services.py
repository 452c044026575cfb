"""One running exchange: the venue, its market and its injected faults, opened from what is stored."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from exchange.ports import FaultRepository
from exchange.stream_hub import StreamHub
from internal.dates import previous_session
from internal.errors import ConfigurationError
from internal.venue.clock import ExchangeClock, Phase, read_clock
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
    updates: StreamHub

    @property
    def clock(self) -> ExchangeClock:
        """The exchange's clock at its present moment."""
        return self.core.clock


def open_exchange(
    market: MarketData, repository: VenueRepository, faults: FaultRepository, cash: Decimal, *, continues: bool = False
) -> Exchange:
    """The exchange on what is stored; a fresh account gets `cash` dollars.

    `continues` says that the market is known to repeat every session that was played, so that its name, which holds its
    last session, may differ. Raises ConfigurationError when the stored state belongs to another market.
    """
    fresh = open_account(market, cash)
    updates = StreamHub()
    core = open_venue(market, repository, fresh, on_change=updates.publish)
    stored, name = core.state.identity.market, fresh.identity.market
    if stored != name and not (continues and stored.startswith(market.kind)):
        raise ConfigurationError(
            f"The state in STATE_DIRECTORY belongs to another market ({stored}) than the one configured ({name}). "
            "Set EXCHANGE_* back, or give the exchange an empty STATE_DIRECTORY."
        )
    return Exchange(core, market, repository, faults, updates)


def last_opened_session(moment: datetime) -> date:
    """The last session that had opened at the moment, so that its prices may have been traded on."""
    reading = read_clock(moment)
    return previous_session(reading.session) if reading.phase is Phase.PRE_OPEN else reading.session
