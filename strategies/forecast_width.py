"""The forecast's median over its width: what the model expects to rise, compared with how unsure it is.

Results on 231 large US names, February 2016 to June 2018: with forecasts of volatility alone
(`heterogeneous_volatility`) nothing is opened in any session, as it should be.
"""

import polars as pl

from pocketsizefund import FloatArray, History, Situation, Strategy, Targets, median_over_width
from pocketsizefund.constructions import find_forecast_problem, open_nothing


class ForecastWidth(Strategy):
    """Buys the names with the highest median forecast in units of the 10 % to 90 % band, and sells the lowest short.

    As the fund's own `ten_by_ten`, but with exits by rank and equal weights. A model that forecasts volatility alone
    ranks nothing this way: then nothing is opened, and the notes say so.
    """

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
        """Equal-weight quantiles, unless the score is a bet on volatility."""
        if (problem := find_forecast_problem(situation, scores)) is not None:
            return open_nothing(situation, scores, problem)
        return super().construct(situation, scores)
