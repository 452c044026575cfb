"""The fund's operations on a simulated fund in one process, with a notifier that keeps its messages."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, cast

from loaded_strategies import ten_by_ten

from internal.errors import UnavailableError
from internal.http.datamanager_responses import DataCheck
from internal.lake.store import Lake
from internal.simulation.fund import SimulatedFund
from internal.simulation.venue_activities import VenueActivities
from internal.trading.limits import RiskLimits
from internal.trading.orders import Order
from internal.trading.positions import Entry
from internal.trading.rebalancing import Rebalancer
from portfoliomanager.account_books import AccountBooks
from portfoliomanager.adapters.lake_activities import LakeActivities
from portfoliomanager.loss_watch import LossWatch
from portfoliomanager.notifications.announcer import Announcer
from portfoliomanager.notifications.message import Notification, NotificationKind
from portfoliomanager.operations import FundOperations
from portfoliomanager.undecided_session import UndecidedSessionFile

if TYPE_CHECKING:
    from portfoliomanager.forecasting import Champion
    from portfoliomanager.model_watch import ModelWatch
    from portfoliomanager.ports import ForecastStore

STRATEGY = ten_by_ten(names_per_side=3, same_day_lock=False)
LIMITS = RiskLimits()


def no_data_service() -> DataCheck:
    """No state of the data."""
    raise UnavailableError("there is no data service")


def no_opens(_orders: Sequence[Order]) -> Mapping[Entry, float]:
    """No opening prices."""
    raise UnavailableError("there is no data service")


class Messages:
    """A notifier that keeps what it takes, once a key."""

    def __init__(self) -> None:
        self.taken: dict[str, Notification] = {}

    def notify(self, notification: Notification) -> bool:
        """Whether the key is new."""
        if notification.key in self.taken:
            return False
        self.taken[notification.key] = notification
        return True

    def of(self, kind: NotificationKind) -> list[Notification]:
        """Those of a kind, oldest first."""
        return [one for one in self.taken.values() if one.kind is kind]


class NoModel:
    """In place of the watch of a model: these tests have none."""

    def show(self, day: date) -> None:
        """Show nothing."""


def open_operations(
    fund: SimulatedFund, messages: Messages, folder: Path, limits: RiskLimits = LIMITS
) -> FundOperations:
    """The fund's operations in one process."""
    unused = cast("ForecastStore", None), cast("Champion", None), cast("ModelWatch", NoModel())
    feed, store = VenueActivities(fund.repository), LakeActivities(Lake(str(folder)))
    books = AccountBooks(fund.ports.broker, feed, store, fund.journal, fund.ports.data)
    announcer = Announcer(messages, fund.journal, books, no_data_service, no_opens, folder)
    losses = LossWatch(fund.journal, books, limits, messages)
    rebalancer = Rebalancer(fund.ports, STRATEGY, limits, losses.check)
    undecided = UndecidedSessionFile(folder)
    return FundOperations(fund.ports.broker, *unused, fund.journal, books, rebalancer, announcer, undecided)
