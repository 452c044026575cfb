"""One running exchange: its market, clock, stored state and trading desk, and the moves of its clock.

Knows how the parts belong together. Knows nothing of HTTP or of settings.
"""

from datetime import datetime
from decimal import Decimal
from threading import Lock

from exchange.adapters.database import Database
from exchange.adapters.sqlite_repository import Ledger
from exchange.order_entry import TradingDesk
from exchange.session_processing import StepRun
from internal.dates import session_close
from internal.errors import ConfigurationError, InvalidRequestError
from internal.venue.clock import Auction, ExchangeClock, Step, next_step, steps_between
from internal.venue.identity import account_id
from internal.venue.market.protocol import Market


class Exchange:
    """Everything that the routes need, wired once.

    Args:
        market: The prices.
        database: The stored state; a fresh one opens with `cash` dollars at the close of the market's opening session.
        cash: The opening cash of a fresh exchange; a stored account keeps what it has.

    Raises:
        ConfigurationError: The stored state belongs to another market.
    """

    def __init__(self, market: Market, database: Database, cash: Decimal) -> None:
        self.market = market
        self.database = database
        self._moving = Lock()
        with database.transaction() as connection:
            ledger = Ledger(connection)
            _open_account(ledger, market, cash)
            self.clock = ExchangeClock(ledger.clock())
        self.desk = TradingDesk(database, market)

    def next_stop(self, auction: Auction) -> datetime:
        """The next open or close. Raises ConflictError at the market's end."""
        return next_step(self.clock.now(), auction, self.market.sessions())

    def steps_to(self, moment: datetime) -> list[Step]:
        """The opens and closes up to the moment.

        Raises InvalidRequestError for a moment that has passed, ConflictError for one after the market's end.
        """
        now = self.clock.now()
        if moment < now:
            raise InvalidRequestError(
                f"The clock stands at {now.isoformat()} and only moves forward; {moment.isoformat()} has passed."
            )
        return steps_between(now, moment, self.market.sessions())

    def play(self, step: Step) -> None:
        """Carries one step out as one transaction, once: a step that the clock has passed is nothing."""
        with self._moving:
            if step.timestamp <= self.clock.now():
                return
            with self.database.transaction() as connection:
                StepRun(Ledger(connection), self.market, step).play()
            self.clock.move_to(step.timestamp)

    def rest_at(self, moment: datetime) -> None:
        """Moves the clock on to a moment between two steps."""
        with self._moving:
            if moment <= self.clock.now():
                return
            with self.database.transaction() as connection:
                Ledger(connection).set_clock(moment)
            self.clock.move_to(moment)


def _open_account(ledger: Ledger, market: Market, cash: Decimal) -> None:
    name = market_name(market)
    stored = ledger.fact("market")
    if stored is None:
        opening = {"market": name, "account_id": account_id(name), "cash": str(cash), "last_equity": str(cash)}
        for fact, value in (opening | {"last_maintenance_margin": "0", "opening_cash": str(cash)}).items():
            ledger.set_fact(fact, value)
        ledger.set_fact("created_at", session_close(market.opening_session()).isoformat())
        ledger.set_clock(session_close(market.opening_session()))
    elif stored != name:
        raise ConfigurationError(
            f"The state in STATE_DIRECTORY belongs to another market ({stored}) than the one configured ({name}). "
            "Set EXCHANGE_* back, or give the exchange an empty STATE_DIRECTORY."
        )


def market_name(market: Market) -> str:
    """What distinguishes one market from another, in words; prices are a function of it or of the replayed file."""
    days = market.sessions()
    listed = len(market.listings(days[-1]))
    signal = market.planted_signal.split(":")[0]
    return f"{market.kind}, seed {market.seed}, signal {signal}, {listed} tickers, {days[0]} to {days[-1]}"
