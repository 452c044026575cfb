"""The current portfolio: the broker's positions and totals beside the journal's last run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from internal import performance
from internal.errors import NotFoundError
from internal.trading.broker_reports import Account, BrokerPosition
from internal.trading.decision_records import DecisionRecords
from internal.trading.funnel import Funnel
from internal.trading.ports import Broker, Journal
from internal.trading.runs import RebalanceRun


@dataclass(frozen=True)
class PortfolioView:
    """What the broker holds at a moment, and the run that decided last, with its funnel where names were stored."""

    as_of: datetime
    run: RebalanceRun
    account: Account
    positions: Sequence[BrokerPosition]
    funnel: Funnel | None

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


def view_current_portfolio(broker: Broker, journal: Journal, records: DecisionRecords) -> PortfolioView:
    """The portfolio as the broker has it. Raises NotFoundError before the first decision."""
    journal.refresh()
    run = journal.last_run()
    if run is None:
        raise NotFoundError("there is no portfolio yet: POST /portfolios builds one")
    account, record = broker.account(), records.find(run.portfolio_id, run.date)
    funnel = None if record is None else Funnel.of(record.names)
    return PortfolioView(broker.moment(), run, account, broker.positions(), funnel)
