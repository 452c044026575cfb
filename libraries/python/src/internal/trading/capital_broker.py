"""A broker of which the fund may use a part: its account shows the fund's capital, all else passes through."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from internal.trading.assets import Assets
from internal.trading.broker_reports import Account, BrokerOrder, BrokerPosition, Costs
from internal.trading.capital import Capital, bound_account
from internal.trading.entries import EntryMemory
from internal.trading.enums import ForeignKind
from internal.trading.optional_data import OptionalData
from internal.trading.orders import OrderRequest
from internal.trading.own_holdings import list_foreign
from internal.trading.ports import TradingPorts
from internal.trading.share_movements import ShareMovement


class CapitalBroker:
    """The port `Broker` on the ports of the whole account; asking for the account asks for positions and orders too.

    Args:
        ports: The ports of the whole account.
        capital: How much of it the fund may use.
    """

    def __init__(self, ports: TradingPorts, capital: Capital) -> None:
        self._whole, self._capital = ports.broker, capital
        self._ports = replace(ports, data=OptionalData(ports.data))  # positions can be closed without the data service
        self._memory = EntryMemory()

    def account(self) -> Account:
        """The fund's part of the account."""
        self._memory.begin_step()
        foreign = {
            item.ticker: item.quantity
            for item in list_foreign(self._ports, self._whole.moment(), self._memory)
            if item.kind is ForeignKind.POSITION
        }
        return bound_account(self._whole.account(), self._whole.positions(), foreign, self._capital)

    def moment(self) -> datetime:
        """The market's clock."""
        return self._whole.moment()

    def positions(self) -> Sequence[BrokerPosition]:
        """All positions of the account."""
        return self._whole.positions()

    def assets(self) -> Assets:
        """What may be traded and shorted."""
        return self._whole.assets()

    def open_orders(self) -> Sequence[BrokerOrder]:
        """Orders that may still fill."""
        return self._whole.open_orders()

    def orders_since(self, moment: datetime) -> Sequence[BrokerOrder]:
        """All orders that were submitted after the moment."""
        return self._whole.orders_since(moment)

    def order(self, client_order_id: str) -> BrokerOrder | None:
        """The order sent under that id."""
        return self._whole.order(client_order_id)

    def order_by_id(self, broker_order_id: str) -> BrokerOrder | None:
        """The order of the broker's own id."""
        return self._whole.order_by_id(broker_order_id)

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send once."""
        return self._whole.submit(request)

    def cancel(self, broker_order_id: str) -> None:
        """Ask for the rest of an order to be canceled."""
        self._whole.cancel(broker_order_id)

    def costs(self, after: date) -> Costs:
        """Fees and borrow cost of the days after that one."""
        return self._whole.costs(after)

    def share_movements(self, after: date) -> Sequence[ShareMovement]:
        """Shares that corporate actions brought or took on the days after that one."""
        return self._whole.share_movements(after)
