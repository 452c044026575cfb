"""Ports: what the trading core asks of a broker, of the data service, of the journal, of the lease and of a pause."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from internal.errors import FundError, UnavailableError
from internal.trading.assets import Assets
from internal.trading.broker_reports import Account, BrokerOrder, BrokerPosition, Costs
from internal.trading.corporate_actions import CorporateAction
from internal.trading.day_inputs import DayInputs
from internal.trading.decision_records import DecisionRecords
from internal.trading.orders import Order, OrderRequest
from internal.trading.portfolio import Portfolio
from internal.trading.positions import Band, Entry
from internal.trading.runs import RebalanceRun
from internal.trading.share_movements import ShareMovement
from internal.trading.snapshots import Snapshot
from internal.trading.strategy import DataNeeds
from internal.trading.trading_state import TradingStateChange

BAND_SESSIONS = 30  # how far back a stored band is looked for


class RefusedOrderError(FundError):
    """The broker said clearly that it refuses an order, and why: the order does not exist there."""

    status = 409
    title = "Order refused"
    slug = "order-refused"


class SuspendedAccountError(FundError):
    """Trading is switched off at the broker for the whole account; nothing is sent until somebody switches it on."""

    status = 409
    title = "Trading suspended"
    slug = "trading-suspended"


class RateLimitedError(UnavailableError):
    """The broker takes no more requests for now; this one was not carried out. `retry_after` is in seconds."""

    def __init__(self, detail: str, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Broker(Protocol):
    """A broker. Reads raise UpstreamError (wrong answer) or UnavailableError (not reachable)."""

    def moment(self) -> datetime:
        """The market's clock, UTC; the only clock that decisions are taken by."""
        ...

    def account(self) -> Account:
        """Totals, and whether orders may be sent."""
        ...

    def positions(self) -> Sequence[BrokerPosition]:
        """All positions, sorted by ticker."""
        ...

    def assets(self) -> Assets:
        """What may be traded and shorted."""
        ...

    def open_orders(self) -> Sequence[BrokerOrder]:
        """Orders that may still fill, the fund's and others'."""
        ...

    def orders_since(self, moment: datetime) -> Sequence[BrokerOrder]:
        """All orders that were submitted after the moment, whatever became of them, oldest first."""
        ...

    def order(self, client_order_id: str) -> BrokerOrder | None:
        """The order sent under that id, None when the broker has none; one request, whoever asks repeats it."""
        ...

    def order_by_id(self, broker_order_id: str) -> BrokerOrder | None:
        """The order of the broker's own id, None when the broker has none; one request, whoever asks repeats it."""
        ...

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send once, in one request. An id that the broker has already answers with the order under it.

        Raises RefusedOrderError (the order does not exist), RateLimitedError (not sent) or UnresolvedOrderError (it
        may exist: ask).
        """
        ...

    def cancel(self, broker_order_id: str) -> None:
        """Ask for the rest of an order to be canceled; `order` says later what became of it."""
        ...

    def costs(self, after: date) -> Costs:
        """Fees and borrow cost of the days after that one; each call reads only what is new."""
        ...

    def share_movements(self, after: date) -> Sequence[ShareMovement]:
        """Shares that corporate actions brought or took on the days after that one, oldest first, but for renames."""
        ...


class MarketData(Protocol):
    """The data service. Raises its problems as FundErrors, UnavailableError when it cannot be reached."""

    def day_inputs(self, day: date, needs: DataNeeds) -> DayInputs:
        """Prices, universe, volatility, and the history and forecasts that are needed, of a day.

        Raises ConflictError, which says what is missing and how to get it, without bars or predictions of that day.
        """
        ...

    def corporate_actions(self, first: date, last: date) -> Sequence[CorporateAction]:
        """Corporate actions by effective date, cash dividends left out: they change neither shares nor names."""
        ...

    def price_factors(self, entries: Collection[Entry], day: date) -> Mapping[Entry, float]:
        """By entry, adjusted over raw close of its session in the terms of `day`; no factor without a bar."""
        ...

    def later_tickers(self, tickers: Collection[str], day: date) -> Mapping[str, Collection[str]]:
        """By ticker, however it is written, those that the securities that ever had it have on the day.

        A ticker of which nothing is known is left out.
        """
        ...

    def closes(self, tickers: Sequence[str], day: date) -> Mapping[str, float]:
        """Closes of a session as traded, by ticker; no entry without a bar."""
        ...


class Portfolios(Protocol):
    """Stored portfolios."""

    def save(self, portfolio: Portfolio) -> None:
        """Insert or replace a portfolio; one without rows changes nothing."""
        ...

    def find(self, portfolio_id: str) -> Portfolio | None:
        """The portfolio; None when there is none."""
        ...

    def bands_before(self, day: date) -> Mapping[str, Band]:
        """By security id, else ticker, the band stored last before the day, at most BAND_SESSIONS sessions back."""
        ...


class TradingStates(Protocol):
    """What the fund may send, as it was changed last."""

    def trading_state(self) -> TradingStateChange:
        """The trading state in force as it is stored now, whichever process wrote it; UNCHANGED before any change."""
        ...

    def save_trading_state(self, change: TradingStateChange) -> None:
        """Add a change; none is ever removed."""
        ...


class Journal(TradingStates, Protocol):
    """What was decided and sent; every write is on disk when it returns, and no question reads all of it."""

    def refresh(self) -> None:
        """Read again what another process has written since; asked once at the start of a use case."""
        ...

    def run(self, portfolio_id: str) -> RebalanceRun | None:
        """The run of that portfolio, None when it was never planned."""
        ...

    def runs(self) -> Sequence[RebalanceRun]:
        """All runs, oldest first."""
        ...

    def first_run(self) -> RebalanceRun | None:
        """The run of the fund's first decision; closing all positions is none."""
        ...

    def last_run(self) -> RebalanceRun | None:
        """The run of the fund's newest decision; closing all positions is none."""
        ...

    def open_runs(self) -> Sequence[RebalanceRun]:
        """Runs that are not reconciled, oldest first."""
        ...

    def save_runs(self, runs: Sequence[RebalanceRun]) -> None:
        """Insert or replace runs by portfolio id, all or none."""
        ...

    def order(self, client_order_id: str) -> Order | None:
        """The order under that id."""
        ...

    def of(self, portfolio_id: str) -> Sequence[Order]:
        """The orders of a portfolio, sorted by client_order_id."""
        ...

    def unfinished(self) -> Sequence[Order]:
        """Orders whose state is not final, oldest first."""
        ...

    def security_of(self, ticker: str, asset_id: str | None = None) -> str | None:
        """The id of the fund's security that has the broker's asset id, else the ticker now; None without an order."""
        ...

    def names(self, security_id: str) -> Sequence[tuple[date, str]]:
        """The tickers under which the fund traded the security, each with the day since which it has it."""
        ...

    def fills(self, ticker: str, asset_id: str | None = None) -> Sequence[Order]:
        """Orders of a security with a fill since the last one that opened it from flat, oldest first, that included.

        The security is that of `security_of`, under whichever tickers it was traded.
        """
        ...

    def own_shares(self) -> Mapping[str, float]:
        """Signed shares that the fills since the last opening leave, by the ticker now, without splits."""
        ...

    def holdings_version(self) -> int:
        """A number that changes whenever the answers of `security_of`, `names` or `fills` do."""
        ...

    def slippage(self) -> float:
        """Dollars of slippage of all fills so far; positive is a cost."""
        ...

    def save_orders(self, orders: Sequence[Order]) -> None:
        """Insert or replace orders by client_order_id, all or none."""
        ...

    def last_snapshot(self) -> Snapshot | None:
        """The newest snapshot."""
        ...

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Insert or replace a snapshot by its timestamp."""
        ...

    def forget_snapshots_after(self, moment: datetime) -> None:
        """Remove the snapshots that are newer than the moment: the broker was restored, and its owner accepts that."""
        ...


class Lease(Protocol):
    """The right to act for the fund, which one process has at a time."""

    def require(self) -> int:
        """The fencing number of this process's holding; a later holder's is larger. Raises StandbyError without it."""
        ...


class Pause(Protocol):
    """Waiting, so that a fault run takes none."""

    def __call__(self, seconds: float, /) -> None:
        """Return after the seconds."""
        ...


class OrderGate(Protocol):
    """What has to allow each order of a decision beside the trading state: the arming of a live account."""

    def find_end(self, account_number: str, moment: datetime) -> str | None:
        """Why only positions may be closed, in one sentence; None where all orders may be sent.

        Raises SuspendedAccountError, which says what to do, where none may be.
        """
        ...

    def find_missing_evidence(self) -> str | None:
        """Why a decision of now may only close positions though it is armed, in one sentence; None where it may open.

        Its model or strategy has no evidence, and the owner did not name it.
        """
        ...

    def is_dry_run(self, day: date) -> bool:
        """Whether the orders of the session are only shown."""
        ...


@dataclass(frozen=True, slots=True)
class TradingPorts:
    """All ports of one fund.

    `gate` is None where no real money is at stake, `records` where nobody reads decisions afterwards.
    """

    broker: Broker
    data: MarketData
    portfolios: Portfolios
    journal: Journal
    lease: Lease
    pause: Pause
    gate: OrderGate | None = None
    records: DecisionRecords | None = None
