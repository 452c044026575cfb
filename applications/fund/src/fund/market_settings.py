"""The market that a fund trades, chosen when the fund is opened and fixed for the life of its folder."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Self

from internal.errors import ConfigurationError

DEFAULT_MULTIPLIER: Final = "3"
DEFAULT_SESSIONS: Final = "60"
REGIME: Final = ("regime_date", "regime_multiplier", "regime_sessions")


@dataclass(frozen=True)
class MarketSettings:
    """The market of one fund, and the session at whose close the fund opened.

    Args:
        bars: A file of real bars that the exchange replays, or None for the simulated market.
        details: A file of tickers' sectors and industries, or None.
        seed: The simulated market's seed.
        tickers: The number of simulated tickers.
        session: The session at whose close the fund opened (ISO date), or None until the exchange has reported it.
        start: The session at whose close the fund has to open (ISO date), or None for the market's default.
        cash: Dollars that the account opens with, or None for the exchange's default.
        events: How often things happen to simulated securities, or None for the exchange's default, none.
        signal: What predictable signal simulated prices hold, or None for the exchange's default, momentum.
        regime_date: The day from which simulated volatility is multiplied (ISO date); empty where a fund opened
            without one, None where none is named or recorded.
        regime_multiplier: What it is multiplied by, or None for the exchange's default, 3.
        regime_sessions: For how many sessions, or None for the exchange's default, 60.
    """

    bars: str | None
    details: str | None
    seed: int
    tickers: int
    session: str | None = None
    start: str | None = None
    cash: str | None = None
    events: str | None = None
    signal: str | None = None
    regime_date: str | None = None
    regime_multiplier: str | None = None
    regime_sessions: str | None = None

    @property
    def opening_session(self) -> date:
        """The session at whose close the fund opened.

        Raises:
            ConfigurationError: The fund has not been opened yet.
        """
        if self.session is None:
            raise ConfigurationError("This fund has not been opened yet; run `./fund up`.")
        return date.fromisoformat(self.session)

    def describe(self) -> str:
        """The market in a few words."""
        if self.bars:
            return f"replay of {self.bars}"
        events = f", events {self.events}" if self.events else ""
        signal = f", signal {self.signal}" if self.signal else ""
        regime = (
            f", volatility {self.regime_multiplier or DEFAULT_MULTIPLIER} times for "
            f"{self.regime_sessions or DEFAULT_SESSIONS} sessions from {self.regime_date}"
        )
        return (
            f"simulated, {self.tickers} tickers, seed {self.seed}{events}{signal}{regime if self.regime_date else ''}"
        )

    def same_market(self, other: Self) -> bool:
        """Whether both settings may name the same market; of files, the exchange compares the bars that were played.

        Cash, events, signal and switch of volatility that the other settings do not name are this one's.
        """
        if other.regime_date and self.regime_date is not None and other.regime != self.regime:
            return False
        if other.cash not in {None, self.cash} or other.events not in {None, self.events or "none"}:
            return False
        if other.signal not in {None, self.signal or "momentum"}:
            return False
        if self.bars is not None and other.bars is not None:
            return True
        same = {name: getattr(self, name) for name in ("session", "cash", "events", "signal", *REGIME)}
        return self == replace(other, **same)

    @property
    def regime(self) -> tuple[str | None, str, str]:
        """The switch of volatility: its day, and its size and length with their defaults."""
        return self.regime_date, self.regime_multiplier or DEFAULT_MULTIPLIER, self.regime_sessions or DEFAULT_SESSIONS

    def continue_on(self, other: Self) -> Self:
        """This market, which has opened, on the files of the other settings, and on their switch where it has none."""
        switch = {name: getattr(other if self.regime_date is None else self, name) for name in REGIME}
        return replace(self, bars=other.bars or self.bars, details=other.details or self.details, **switch)
