"""Risk limits of the whole fund: they stand outside every strategy.

`limit_cuts` applies them to a decision, `order_guard` again to each order before it is sent, `loss_limits` to what the
account has lost.
"""

from dataclasses import dataclass, field

from internal.trading.name_filter import NameFilter
from internal.trading.positions import Position
from internal.trading.situation import Situation


@dataclass(frozen=True)
class RiskLimits:
    """Limits of the whole fund. Fractions are of net asset value unless said.

    A limit cuts what would be opened or topped up; a position that moved above it is not sold by it. They are what SEC
    rule 15c3-5 asks of a broker for its clients' orders, in small.

    Attributes:
        gross_exposure: long plus short market value. Regulation T allows 2 overnight.
        net_exposure: the difference of the sides, whichever is larger.
        name_weight: one name.
        participation: an order's part of the name's mean volume a session.
        balance_tolerance: when orders fail, the sides may differ from the decision by this fraction of the larger one.
        missing_sessions: a position without a bar for so many sessions is closed as soon as the broker trades it, and
            until it is gone the book does not grow beyond the dollars that it holds.
        names: Which securities may be opened at all.
        sector_weight: long plus short market value of one sector; names of an unknown sector are not counted.
        beta: the book's beta to the mean name of the market, whichever its sign; a name of unknown beta counts as 1.
        order_size: one order that opens or adds.
        orders_a_day: orders of one decision; what closes goes first, then the largest openings.
        turnover: dollars that one decision opens and adds.
        price_collar: a name whose close is further than this fraction from its last close before is not opened or added
            to: the price is an error, or news that no forecast has seen.
        current_bars: of the names with a bar in the session before, the part that must have one in the day; with fewer
            nothing is opened: the day is not whole.
        current_forecasts: of the names in the universe, the part that must have a forecast, where any was asked for.
        journal_difference: dollars of the fund's shares, by the journal, that the broker does not have; with more,
            nothing is opened.
        hand_trade_sessions: a name of the fund that a person has traded is not opened or added to in the decisions of
            so many sessions; 0 for never.
        daily_loss: a loss since the last close before today, time-weighted, after which positions are only reduced.
        drawdown_reduce: a fall of the time-weighted return from its highest point, after which positions are only
            reduced.
        drawdown_halt: such a fall, after which nothing is sent any more.
    """

    gross_exposure: float = 2.0
    net_exposure: float = 1.0
    name_weight: float = 0.25
    participation: float = 0.1
    balance_tolerance: float = 0.05
    missing_sessions: int = 5
    names: NameFilter = field(default_factory=NameFilter)
    sector_weight: float = 1.0
    beta: float = 1.5
    order_size: float = 0.25
    orders_a_day: int = 1000
    turnover: float = 2.0
    price_collar: float = 0.5
    current_bars: float = 0.8
    current_forecasts: float = 0.5
    journal_difference: float = 0.1
    hand_trade_sessions: int = 5
    daily_loss: float = 0.05
    drawdown_reduce: float = 0.15
    drawdown_halt: float = 0.25

    def is_missing(self, position: Position, situation: Situation) -> bool:
        """Whether the position has had no bar for too long: it is halted, delisted, or its data is gone."""
        return situation.sessions_without_bar(position) >= self.missing_sessions
