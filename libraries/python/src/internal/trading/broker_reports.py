"""What the broker reports: its orders, positions and account, and what it has charged."""

from dataclasses import dataclass
from datetime import datetime

from internal.trading.enums import OrderSide, OrderState
from internal.trading.orders import sign_fill
from internal.trading.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """An order as the broker reports it, the fund's or somebody else's.

    `replaced_by` and `replaces` are the broker's ids of the orders that took its place, and whose place it took, when
    somebody changed its terms at the broker. `asset_id` is the broker's id of the security, which outlives its ticker.
    `filled_at` is when the last share filled; None while some have not.
    """

    client_order_id: str
    broker_order_id: str
    ticker: str
    side: OrderSide
    state: OrderState
    quantity: float
    filled_quantity: float
    filled_average_price: float | None
    submitted_at: datetime
    replaced_by: str | None = None
    replaces: str | None = None
    asset_id: str | None = None
    filled_at: datetime | None = None

    @property
    def signed_filled_quantity(self) -> float:
        """Shares filled so far, negative when sold."""
        return sign_fill(self.side, self.filled_quantity)


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """A position as the broker reports it; dollars, None where the broker has no price."""

    ticker: str
    quantity: float
    average_entry_price: float
    current_price: float | None
    market_value: float | None
    unrealized_profit: float | None
    asset_id: str | None = None

    @property
    def share_value(self) -> float | None:
        """Dollars a share by the market value, else the last price; None where the broker has neither, or no value."""
        price = self.market_value / self.quantity if self.market_value and self.quantity else self.current_price
        return price if price is not None and price > 0 else None


@dataclass(frozen=True, slots=True)
class Account:
    """The account as the broker reports it; dollars.

    `account_number` is the number that the broker shows its owner; empty where there is none.
    `halted` is a sentence that says why no order may be sent, None when orders may be sent. `shorting_enabled` is
    whether the account may sell short at all. Where the fund may use only a part of the account, the totals are those
    of this part, and `pool` is all that gains are measured on: the account without the holdings of others.
    """

    account_id: str
    halted: str | None
    net_asset_value: float
    cash: float
    buying_power: float
    long_market_value: float
    short_market_value: float  # negative
    shorting_enabled: bool = True
    pool: float | None = None
    account_number: str = ""

    def value_at(self, moment: datetime) -> Snapshot:
        """The account's value, of no portfolio and without what trading has cost."""
        return Snapshot(
            timestamp=moment,
            portfolio_id="",
            net_asset_value=self.net_asset_value,
            cash=self.cash,
            long_market_value=self.long_market_value,
            short_market_value=self.short_market_value,
            slippage=0.0,
            fees=0.0,
            borrow=0.0,
            pool=self.pool,
        )


@dataclass(frozen=True, slots=True)
class Costs:
    """Fees and borrow cost that the broker has charged so far; dollars, positive is paid."""

    fees: float
    borrow: float
