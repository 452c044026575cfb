"""The current portfolio: the broker's positions and totals beside the journal's last run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from internal import performance
from internal.errors import NotFoundError
from internal.trading.broker_reports import Account, BrokerPosition
from internal.trading.ports import Broker, Journal
from internal.trading.runs import RebalanceRun


@dataclass(frozen=True)
class PortfolioView:
    """What the broker holds at a moment, and the run that decided last."""

    as_of: datetime
    run: RebalanceRun
    account: Account
    positions: Sequence[BrokerPosition]

    @property
    def gross_exposure(self) -> float:
        """Long plus short market value as a fraction of net asset value."""
        return performance.gross_exposure(*self._values())

    @property
    def net_exposure(self) -> float:
        """Long minus short market value as a fraction of net asset value."""
        return performance.net_exposure(*self._values())

    def _values(self) -> tuple[float, float, float]:
        return self.account.long_market_value, self.account.short_market_value, self.account.net_asset_value


def view_current_portfolio(broker: Broker, journal: Journal) -> PortfolioView:
    """The portfolio as the broker has it. Raises NotFoundError before the first decision."""
    journal.refresh()
    run = journal.last_run()
    if run is None:
        raise NotFoundError("there is no portfolio yet: POST /portfolios builds one")
    account = broker.account()
    return PortfolioView(broker.moment(), run, account, broker.positions())
