"""The situation that a decision is taken from: the figures of the day, the fund's positions, and what may be opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from math import isnan
from types import MappingProxyType

import numpy as np

from internal.dates import session_number
from internal.errors import InvalidRequestError
from internal.trading.arrays import BoolArray
from internal.trading.assets import Assets, Refusals, find_members
from internal.trading.day_inputs import BarHistory, DayInputs, Details, Forecasts
from internal.trading.enums import NameOutcome
from internal.trading.positions import Band, Position

NEVER = 10_000  # sessions, more than any history has


@dataclass(frozen=True)
class Situation:
    """All that a decision is taken from.

    Attributes:
        inputs: Prices, universe, volatility and forecasts of the day.
        net_asset_value: Dollars, the broker's figure.
        positions: The fund's own positions; what is foreign is not among them.
        assets: What may be opened, and what may be shorted.
        blocked: Tickers that are not touched: an order of them is open, somebody else holds them in the account, or
            an action has changed them since the close of the day.
        refused: Names that the fund's filter does not let be opened or added to.
        missing_dollars: Of the fund's shares, by the journal, that the broker does not have.
    """

    inputs: DayInputs
    net_asset_value: float
    positions: tuple[Position, ...]
    assets: Assets
    blocked: frozenset[str]
    refused: Refusals = field(default_factory=Refusals)
    missing_dollars: float = 0.0

    @property
    def day(self) -> date:
        """The session at whose close is decided."""
        return self.inputs.day

    @property
    def tickers(self) -> tuple[str, ...]:
        """All N names of the day, sorted; every array is in this order."""
        return self.inputs.tickers

    @property
    def capital(self) -> float:
        """Dollars that weights are fractions of."""
        return max(self.net_asset_value, 0.0)

    @property
    def bars(self) -> BarHistory:
        """Bars up to the day, adjusted as of it, as many sessions as the strategy's `history_sessions`.

        Raises InvalidRequestError when the strategy asked for none.
        """
        if (history := self.inputs.history) is None:
            raise InvalidRequestError("no bars were loaded: give the strategy history_sessions above 0")
        return history

    @property
    def details(self) -> Details | None:
        """Sector, industry and security type of each name; None where they were not loaded."""
        return self.inputs.details

    @property
    def forecasts(self) -> Forecasts | None:
        """Quantiles by horizon, [N, H, Q]; None where the strategy does not use forecasts."""
        return self.inputs.forecasts

    @cached_property
    def holdings(self) -> Mapping[str, Position]:
        """The fund's own positions by ticker."""
        return MappingProxyType({position.ticker: position for position in self.positions})

    def age_of(self, position: Position) -> int:
        """Sessions since the session of the entry's fill; 0 when it was filled in the session that is decided on."""
        return session_number(self.day) - session_number(position.opened_date)

    @cached_property
    def obstacles(self) -> Mapping[NameOutcome, BoolArray]:
        """[N] each: names that something keeps from being opened on any side; the first one is given as the reason."""
        inputs, blocked = self.inputs, np.zeros(len(self.inputs.tickers), bool)
        blocked[[place for ticker in self.blocked if (place := inputs.find(ticker)) is not None]] = True
        return {
            NameOutcome.NOT_PRICED: ~np.isfinite(inputs.price),
            NameOutcome.NOT_IN_UNIVERSE: ~inputs.liquid,
            NameOutcome.NO_VOLATILITY: ~np.isfinite(inputs.volatility),
            NameOutcome.NOT_TRADABLE: ~find_members(inputs.tickers, self.assets.tradable),
            NameOutcome.REFUSED: find_members(inputs.tickers, self.refused.names),
            NameOutcome.BLOCKED: blocked,
        }

    @cached_property
    def may_open(self) -> BoolArray:
        """[N] names that may be opened long: liquid, priced, with a volatility, tradable, not blocked or refused."""
        allowed: BoolArray = ~np.logical_or.reduce(tuple(self.obstacles.values()))
        allowed.flags.writeable = False
        return allowed

    @cached_property
    def may_short(self) -> BoolArray:
        """[N] names that may be opened short."""
        allowed = self.may_open & find_members(self.inputs.tickers, self.assets.shortable)
        allowed.flags.writeable = False
        return allowed

    @cached_property
    def _held_places(self) -> Mapping[str, int | None]:
        """The places of the positions, each of which a decision asks for several times."""
        return {position.ticker: self.inputs.find(position.ticker) for position in self.positions}

    def find(self, ticker: str) -> int | None:
        """The ticker's place in the arrays; None when there is nothing about it."""
        places = self._held_places
        return places[ticker] if ticker in places else self.inputs.find(ticker)

    def price_of(self, position: Position) -> float:
        """Dollars a share: the close of the day, else the broker's price, else the last close, else the entry price."""
        place = self.find(position.ticker)
        if place is not None and not isnan(price := self.inputs.price.item(place)):
            return price
        if position.broker_price is not None:
            return position.broker_price
        last = float("nan") if place is None else self.inputs.last_price.item(place)
        return position.entry_price if isnan(last) else last

    def sessions_without_bar(self, position: Position) -> int:
        """Sessions since the position's last bar, the day included; 0 with a bar today.

        A name that there is no bar of in the lookback has at least as many as the lookback.
        """
        place = self.find(position.ticker)
        if place is None:
            return NEVER
        if not isnan(self.inputs.price.item(place)):
            return 0
        return 1 if self.inputs.missing_sessions is None else int(self.inputs.missing_sessions[place])

    def band_of(self, position: Position) -> Band | None:
        """Today's forecast over its longest horizon, else the band stored last."""
        return self.forecast_band(position.ticker) or position.band

    def forecast_band(self, ticker: str) -> Band | None:
        """Today's forecast over its longest horizon; None without one."""
        place = self.find(ticker)
        band = None if place is None else Band(*self.inputs.bands[place].tolist())
        return None if band is None or isnan(band.quantile_50) else band

    def freezing_reason(self, position: Position) -> str | None:
        """Why the position cannot be traded today; None when it can be."""
        if position.ticker in self.blocked:
            return "an order of it is still open, or a corporate action has changed it since: kept"
        place = self.find(position.ticker)
        return "no price today: kept" if place is None or isnan(self.inputs.price.item(place)) else None
