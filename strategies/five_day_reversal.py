"""Five-day reversal: what fell most in a week against what rose most, within each sector.

Results on 231 large US names, February 2016 to June 2018, 100,000 dollars, costs 1x; 95 % intervals in brackets:
0.0 % a year (-4.3 to 4.7), Sharpe ratio 0.02 (-1.17 to 1.29): nothing that chance does not explain.
"""

import polars as pl

from pocketsizefund import WEEKLY, Construction, History, Schedule, Strategy


class FiveDayReversal(Strategy):
    """Buys the names that fell most over five sessions and sells short those that rose most, sector by sector.

    Prices that moved by the pressure of impatient orders tend to come back (Lehmann, Quarterly Journal of Economics
    105, 1990); comparing within a sector leaves out news about all of it.
    """

    sessions: int = 5
    names_per_side: int = 30
    construction: Construction = Construction.SECTOR_NEUTRAL
    schedule: Schedule = WEEKLY

    @property
    def history_sessions(self) -> int:
        """The day and the sessions before it."""
        return self.sessions + 1

    def score(self, history: History) -> pl.Expr:
        """The return over the last sessions, with the sign turned: the worst loser has the highest score."""
        del history
        return 1 - pl.col("close") / pl.col("close").shift(self.sessions).over("ticker")
