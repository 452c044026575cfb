"""How much of each risk limit is used: by what is held now, by the last decision, and by what was lost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from internal.pages.formats import percent, plain
from internal.performance import gross_exposure, net_exposure
from internal.trading.broker_reports import Account, BrokerPosition
from internal.trading.limit_kinds import LimitKind
from internal.trading.limits import RiskLimits
from internal.trading.loss_limits import Losses
from internal.trading.orders import Order
from portfoliomanager.pages.exposures import UNKNOWN_SECTOR, Exposures

NAMES = {
    LimitKind.GROSS_EXPOSURE: "Gross exposure",
    LimitKind.NET_EXPOSURE: "Net exposure",
    LimitKind.NAME_WEIGHT: "Largest position",
    LimitKind.SECTOR_WEIGHT: "Largest sector",
    LimitKind.ORDER_SIZE: "Largest opening order",
    LimitKind.TURNOVER: "Opened by the last decision",
    LimitKind.ORDERS_A_DAY: "Orders of the last decision",
    LimitKind.DAILY_LOSS: "Loss today",
    LimitKind.DRAWDOWN_REDUCE: "Drawdown (reduce at)",
    LimitKind.DRAWDOWN_HALT: "Drawdown (halt at)",
}


@dataclass(frozen=True)
class LimitUse:
    """One limit: what is used of it and the limit itself, fractions of net asset value or a count of orders.

    `since` is the day of the resume from which a drawdown counts; None where all of the history counts.
    """

    kind: LimitKind
    used: float
    limit: float
    since: date | None = None

    @property
    def name(self) -> str:
        """The figure that is limited."""
        return NAMES[self.kind]

    @property
    def share(self) -> float:
        """The part of the limit that is used; 1 is all of it."""
        return self.used / self.limit if self.limit > 0 else float(self.used > 0)

    @property
    def is_exceeded(self) -> bool:
        """Whether more is used than the limit allows."""
        return self.share > 1

    @property
    def used_text(self) -> str:
        """The used figure for people."""
        return self._text(self.used)

    @property
    def limit_text(self) -> str:
        """The limit for people."""
        return self._text(self.limit)

    def _text(self, value: float) -> str:
        return plain(value) if self.kind is LimitKind.ORDERS_A_DAY else percent(value, 1, sign=False)


def measure_holdings(
    account: Account, positions: Sequence[BrokerPosition], exposures: Exposures | None, limits: RiskLimits
) -> list[LimitUse]:
    """The limits on what is held; the one on sectors where sectors are known. Nothing is held without a value."""
    value = account.net_asset_value
    if value <= 0:
        return []
    values = account.long_market_value, account.short_market_value, value
    largest = max((abs(position.market_value or 0.0) for position in positions), default=0.0)
    found = [
        LimitUse(LimitKind.GROSS_EXPOSURE, gross_exposure(*values), limits.gross_exposure),
        LimitUse(LimitKind.NET_EXPOSURE, abs(net_exposure(*values)), limits.net_exposure),
        LimitUse(LimitKind.NAME_WEIGHT, largest / value, limits.name_weight),
    ]
    if exposures is not None:
        known = (one.gross for one in exposures.sectors if one.name != UNKNOWN_SECTOR)
        found.append(LimitUse(LimitKind.SECTOR_WEIGHT, max(known, default=0.0), limits.sector_weight))
    return found


def measure_decision(orders: Iterable[Order], value: float, limits: RiskLimits) -> list[LimitUse]:
    """The limits on one decision, by its orders and the net asset value, dollars."""
    every = list(orders)
    opened = [order.quantity * order.reference_price for order in every if order.leg.opens]
    if value <= 0:
        return []
    return [
        LimitUse(LimitKind.ORDER_SIZE, max(opened, default=0.0) / value, limits.order_size),
        LimitUse(LimitKind.TURNOVER, sum(opened) / value, limits.turnover),
        LimitUse(LimitKind.ORDERS_A_DAY, len(every), limits.orders_a_day),
    ]


def measure_loss_limits(losses: Losses, limits: RiskLimits, since: date | None = None) -> list[LimitUse]:
    """The limits on losses; a gain uses nothing. `since` is the day of the resume from which the drawdown counts."""
    fall = max(losses.fall, 0.0)
    return [
        LimitUse(LimitKind.DAILY_LOSS, max(losses.today, 0.0), limits.daily_loss),
        LimitUse(LimitKind.DRAWDOWN_REDUCE, fall, limits.drawdown_reduce, since),
        LimitUse(LimitKind.DRAWDOWN_HALT, fall, limits.drawdown_halt, since),
    ]
