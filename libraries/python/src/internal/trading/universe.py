"""The universe: which names are large and liquid enough to be opened, as numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Universe:
    """Limits on means over a lookback. Prices in dollars, volumes in shares a session.

    Attributes:
        minimum_mean_close: names at or below it are left out.
        minimum_mean_volume: as above, shares a session.
        lookback_sessions: sessions of the means and of realized volatility.
        minimum_sessions: a name with fewer bars in the lookback is left out; its means say too little.
    """

    minimum_mean_close: float = 10.0
    minimum_mean_volume: float = 1_000_000.0
    lookback_sessions: int = 30
    minimum_sessions: int = 20
