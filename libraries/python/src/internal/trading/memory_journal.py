"""Journal and portfolios in memory, for backtests in process and for fault runs."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from internal.dates import previous_session
from internal.trading.journal_index import JournalIndex
from internal.trading.orders import Order
from internal.trading.portfolio import Portfolio
from internal.trading.ports import BAND_SESSIONS
from internal.trading.positions import Band
from internal.trading.runs import RebalanceRun
from internal.trading.snapshots import Snapshot
from internal.trading.trading_state import UNCHANGED, TradingStateChange, newer_change


class MemoryJournal(JournalIndex):
    """The port `Journal` on rows in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._state = UNCHANGED

    def refresh(self) -> None:
        """Nothing: nobody else writes to it."""

    def save_runs(self, runs: Sequence[RebalanceRun]) -> None:
        """Insert or replace runs by portfolio id."""
        self.add_runs(runs)

    def save_orders(self, orders: Sequence[Order]) -> None:
        """Insert or replace orders by client_order_id."""
        self.add_orders(orders)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Insert or replace a snapshot by its timestamp."""
        self.add_snapshots([snapshot])

    def forget_snapshots_after(self, moment: datetime) -> None:
        """Remove the snapshots that are newer than the moment."""
        self.remove_snapshots_after(moment)

    def trading_state(self) -> TradingStateChange:
        """The trading state in force."""
        return self._state

    def save_trading_state(self, change: TradingStateChange) -> None:
        """Add a change; only the one in force is kept."""
        self._state = newer_change(self._state, change)


class MemoryPortfolios:
    """The port `Portfolios` in memory, with the bands of each name in the order of their days."""

    def __init__(self) -> None:
        self._portfolios: dict[str, Portfolio] = {}
        self._bands: dict[str, list[tuple[date, Band]]] = {}

    def save(self, portfolio: Portfolio) -> None:
        """Insert or replace a portfolio; one without rows changes nothing."""
        if not portfolio.rows:
            return
        self._portfolios[portfolio.portfolio_id] = portfolio
        for row in portfolio.rows:
            if row.band is not None:
                self._add_band(row.security_id or row.ticker, portfolio.day, row.band)

    def find(self, portfolio_id: str) -> Portfolio | None:
        """The portfolio; None when there is none."""
        return self._portfolios.get(portfolio_id)

    def bands_before(self, day: date) -> Mapping[str, Band]:
        """By security id, else ticker, the band stored last before the day, at most BAND_SESSIONS sessions back."""
        first = previous_session(day, BAND_SESSIONS)
        found: dict[str, Band] = {}
        for ticker in reversed(self._bands):
            bands = self._bands[ticker]
            if bands[-1][0] < first:
                break
            stored = bands[-1] if bands[-1][0] < day else next((one for one in reversed(bands) if one[0] < day), None)
            if stored is not None and stored[0] >= first:
                found[ticker] = stored[1]
        return found

    def _add_band(self, security: str, day: date, band: Band) -> None:
        """Add a band; they are kept in the order of the last of each security, so that old ones are not looked at."""
        bands = self._bands.pop(security, [])
        if bands and bands[-1][0] == day:  # an interrupted plan that is made again
            bands.pop()
        bands.append((day, band))
        self._bands[security] = bands
