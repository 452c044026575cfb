"""How much each position moves with the market: its beta to an equal-weighted holding of every ticker."""

import polars as pl

from portfoliomanager.equal_weight import EqualWeightPath

BETA_SESSIONS = 60
FEWEST_RETURNS = 40  # of a ticker with fewer of them, no beta


def measure_betas(bars: pl.DataFrame, market: EqualWeightPath) -> dict[str, float]:
    """By ticker, the covariance of its daily returns with the market's over the market's variance.

    Args:
        bars: `ticker`, `date`, `close`, adjusted as of one day.
        market: The value of the holding by session; returns of tickers count between sessions that follow in it.
    """
    path = pl.DataFrame({"date": market.days, "level": market.values}, schema={"date": pl.Date, "level": pl.Float64})
    moves = path.select("date", before=pl.col("date").shift(1), market=pl.col("level").pct_change())
    before = bars.select("ticker", before="date", price="close")
    returns = bars.join(moves, on="date").join(before, on=["ticker", "before"])
    own = returns.select("ticker", "market", own=pl.col("close") / pl.col("price") - 1)
    found = own.group_by("ticker").agg(count=pl.len(), beta=pl.cov("own", "market") / pl.var("market"))
    known = found.filter(pl.col("count") >= FEWEST_RETURNS, pl.col("beta").is_finite())
    return dict(known.select("ticker", "beta").iter_rows())
