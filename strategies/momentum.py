"""Twelve-month momentum: last year's winners against its losers, without the last month.

Results on 231 large US names, February 2016 to June 2018, 100,000 dollars, costs 1x; 95 % intervals in brackets:
+0.8 % a year (-11.1 to 13.1), Sharpe ratio 0.13 (-1.17 to 1.40): nothing that chance does not explain.
"""

import polars as pl

from pocketsizefund import MONTHLY, History, Schedule, Strategy


class Momentum(Strategy):
    """Buys the names that rose most from twelve months ago to one month ago, and sells short those that rose least.

    The last month is left out because it tends to reverse (Jegadeesh and Titman, Journal of Finance 48, 1993).
    """

    sessions: int = 252
    skipped: int = 21
    names_per_side: int = 20
    schedule: Schedule = MONTHLY

    @property
    def history_sessions(self) -> int:
        """The day and the sessions before it."""
        return self.sessions + 1

    def score(self, history: History) -> pl.Expr:
        """The close `skipped` sessions ago over the close `sessions` ago."""
        del history
        close = pl.col("close")
        return close.shift(self.skipped).over("ticker") / close.shift(self.sessions).over("ticker") - 1
