"""What one backtest produced: settings, the account by session, fills, a benchmark; what a report reads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from internal.backtests.daily_returns import Series
from internal.backtests.report_rows import Note
from internal.backtests.settings import BacktestSettings
from internal.errors import InvalidRequestError
from internal.performance import gross_exposure, net_exposure, returns_of
from internal.trading.enums import Leg, OrderSide


@dataclass(frozen=True, slots=True)
class FillRow:
    """One fill; prices in dollars a share, in the terms of the session it was filled in (after that session's split).

    Attributes:
        decided: The session at whose close the order was decided.
        filled: The session in which it filled.
        ticker: The security.
        side: Buy or sell.
        leg: Whether the order opens a position or closes one.
        quantity: Shares, above zero.
        reference_close: The close of the session `decided`.
        auction_price: The auction's price before the order's own spread and impact: the open of `filled` for an
            order at the open, its close for one at the close.
        price: What the order paid or received.
        session_volume: Shares of the ticker traded in the session `filled`.
    """

    decided: date
    filled: date
    ticker: str
    side: OrderSide
    leg: Leg
    quantity: float
    reference_close: float
    auction_price: float
    price: float
    session_volume: float

    @property
    def sign(self) -> int:
        """1 for a buy, -1 for a sell."""
        return 1 if self.side is OrderSide.BUY else -1

    @property
    def dollars(self) -> float:
        """What was traded, at the fill's price."""
        return self.quantity * self.price

    @property
    def overnight_drift(self) -> float:
        """Dollars lost (positive) because the market moved from the decision's close to the auction."""
        return self.sign * self.quantity * (self.auction_price - self.reference_close)

    @property
    def impact(self) -> float:
        """Dollars lost (positive) to the spread and the order's own impact: fill against the auction's price."""
        return self.sign * self.quantity * (self.price - self.auction_price)


@dataclass(frozen=True)
class Benchmark:
    """What a strategy's beta is measured against.

    Attributes:
        name: In words, such as `equal dollars of every ticker at the opening` or a ticker.
        values: Its value at the close of each session of the backtest, dividends included, any unit, f64 [session].
    """

    name: str
    values: Series


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """One finished backtest. Every array is f64 [session], one value for each session of `days`, in dollars.

    Attributes:
        settings: What was run.
        days: The sessions, the opening one first.
        net_asset_value: At the session's close, after its fees and the borrow cost until the next session.
        cash: At the same moment.
        long_market_value: 0 or more.
        short_market_value: 0 or less, as the broker reports it.
        fees: Regulators' fees charged in the session, 0 or more.
        borrow: Borrow cost of shares and interest on owed cash charged in the session, 0 or more.
        fills: In the order they happened.
        benchmark: The same sessions of something to compare with.
        notes: In the order they came up.
    """

    settings: BacktestSettings
    days: tuple[date, ...]
    net_asset_value: Series
    cash: Series
    long_market_value: Series
    short_market_value: Series
    fees: Series
    borrow: Series
    fills: tuple[FillRow, ...]
    benchmark: Benchmark
    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        """Check the lengths.

        Raises:
            InvalidRequestError: There is no session, an array has not one value a session, or a fill is outside them.
        """
        if not self.days:
            raise InvalidRequestError("the result has no session; it needs at least the opening one")
        names = ("net_asset_value", "cash", "long_market_value", "short_market_value", "fees", "borrow")
        series = {name: getattr(self, name) for name in names} | {"benchmark": self.benchmark.values}
        wrong = [f"{name} {values.shape}" for name, values in series.items() if values.shape != (len(self.days),)]
        if wrong:
            raise InvalidRequestError(f"the result has {len(self.days)} sessions, but {', '.join(wrong)}")
        strays = [fill for fill in self.fills if fill.filled not in self._row]
        if strays:
            raise InvalidRequestError(f"{strays[0].ticker} filled on {strays[0].filled}, no session of the result")

    @cached_property
    def _row(self) -> dict[date, int]:
        return {day: row for row, day in enumerate(self.days)}

    @cached_property
    def returns(self) -> Series:
        """Returns from session to session, f64 [session - 1], as fractions."""
        return returns_of(self.net_asset_value)

    def fractions_of_value(self, dollars: Series) -> Series:
        """Dollars by session, f64 [session], as fractions of the value before it, f64 [session - 1].

        NaN after a value of zero or below, as `returns`.
        """
        before = self.net_asset_value[:-1]
        return np.divide(dollars[1:], before, out=np.full(len(before), np.nan), where=before > 0)

    @cached_property
    def gross_exposure(self) -> Series:
        """Long plus short market value over net asset value, f64 [session]."""
        return self._by_session(gross_exposure)

    @cached_property
    def net_exposure(self) -> Series:
        """Long minus short market value over net asset value, f64 [session]."""
        return self._by_session(net_exposure)

    def _by_session(self, exposure: Callable[[float, float, float], float]) -> Series:
        rows = zip(self.long_market_value, self.short_market_value, self.net_asset_value, strict=True)
        return np.array([exposure(*row) for row in rows])

    @cached_property
    def traded_dollars(self) -> Series:
        """Dollars of all fills of the session, both sides, f64 [session]."""
        return self.sum_fills(lambda fill: fill.dollars)

    @cached_property
    def overnight_drift(self) -> Series:
        """Dollars lost between the decision's close and the auction, f64 [session]."""
        return self.sum_fills(lambda fill: fill.overnight_drift)

    @cached_property
    def impact(self) -> Series:
        """Dollars lost to spread and impact, f64 [session]."""
        return self.sum_fills(lambda fill: fill.impact)

    def sum_fills(self, amount: Callable[[FillRow], float]) -> Series:
        """An amount of every fill, added by session, f64 [session]."""
        rows = np.array([self._row[fill.filled] for fill in self.fills], dtype=np.int64)
        weights = np.array([amount(fill) for fill in self.fills])
        return np.bincount(rows, weights, minlength=len(self.days))
