"""The policy `ten_by_ten` as numbers: how many names, how much capital, which limits, each with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """What a decision may do. Fractions are of 1, prices in dollars, volumes in shares a session.

    Attributes:
        name: goes into portfolio ids and answers.
        names_per_side: longs and shorts held at most.
        gross_exposure: target of long plus short market value over net asset value; half of it a side.
        balance_tolerance: the sides differ by at most this fraction of the larger one.
        same_day_lock: a position filled in the session that is being decided on is kept; a policy, no law.
        minimum_mean_close: names at or below it are left out of the universe.
        minimum_mean_volume: as above, shares a session.
        lookback_sessions: sessions of the universe's means and of realized volatility.
        minimum_sessions: a name with fewer bars in the lookback is left out; its means say too little.
        maximum_side_share: largest part of a side's capital that one new name gets; few names make a small book,
            not a concentrated one.
        weight_spread: an inverse-volatility weight is between 1 / spread and spread times the equal weight.
    """

    name: str = "ten_by_ten"
    names_per_side: int = 10
    gross_exposure: float = 1.0
    balance_tolerance: float = 0.05
    same_day_lock: bool = True
    minimum_mean_close: float = 10.0
    minimum_mean_volume: float = 1_000_000.0
    lookback_sessions: int = 30
    minimum_sessions: int = 20
    maximum_side_share: float = 0.2
    weight_spread: float = 2.0

    def side_target(self, net_asset_value: float) -> float:
        """Dollars that one side is meant to hold; the capital of closed positions is inside it."""
        return max(net_asset_value, 0.0) * self.gross_exposure / 2
