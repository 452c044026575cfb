"""The fund's own strategy: ten longs and ten shorts by forecast, equal sides, exits by the forecast's band.

Results on 231 large US names, February 2016 to June 2018: with forecasts of volatility alone
(`heterogeneous_volatility`) nothing is opened in any session, as it should be.
"""

import polars as pl

from pocketsizefund import Construction, FloatArray, History, Situation, Strategy, Targets, median_over_width
from pocketsizefund.constructions import SizingRules, TenByTenRules, construct_ten_by_ten


class TenByTen(Strategy):
    """Longs are the best, shorts the worst names by median return over the width of the 10 % to 90 % band.

    Dividing by the width prefers a likely small gain to an unlikely large one and compares calm names with wild ones.
    """

    construction: Construction = Construction.TEN_BY_TEN
    same_day_lock: bool = True
    balance_tolerance: float = 0.05
    maximum_side_share: float = 0.2
    weight_spread: float = 2.0
    uses_forecasts = True

    @property
    def history_sessions(self) -> int:
        """The day alone: the forecast has read the bars before it."""
        return 1

    def score(self, history: History) -> pl.Expr:
        """Median return over the width of the band."""
        del history
        return median_over_width()

    def construct(self, situation: Situation, scores: FloatArray) -> Targets:
        """Exits by band, new names by rank, equal sides."""
        sizing = SizingRules(self.gross_exposure, self.balance_tolerance, self.maximum_side_share, self.weight_spread)
        return construct_ten_by_ten(situation, scores, TenByTenRules(self.names_per_side, self.same_day_lock, sizing))
