"""The book that a forecast's ranking makes: what it returns on held-out sessions, and what its turnover costs.

The book is long the best and short the worst tenth of each session's tickers, and holds them for the forecast's
horizon: in every session the tenths of as many origins as the horizon has sessions are held (Jegadeesh and Titman 1993,
"Returns to Buying Winners and Selling Losers"). Its returns of single sessions do not overlap.
"""

from typing import Final

import numpy as np
import polars as pl

from internal.features.windows import HORIZON
from internal.forecasting.median_over_width import median_over_width
from internal.forecasting.quantiles import QUANTILE_COLUMNS
from internal.forecasting.rank_evidence import RankEvidence
from internal.overlapping_means import FEWEST, Estimate, estimate_mean
from internal.strategies.constructions.ranking import FEWEST_NAMES, find_width_bet
from internal.venue.charges import SEC_FEE_RATE
from internal.venue.matching import slippage_rate
from models.truth import Truth

GROUP_SHARE: Final = 0.1
PARTICIPATION: Final = 0.001  # of a session's volume: 5,000 dollars of a ticker that trades 5 million a session
TRADES: Final = 2  # a ticker that is replaced is sold and another one bought


def make_scored_rows(truth: Truth, cumulative: np.ndarray) -> pl.DataFrame:
    """One row a row of the truth: date, fold, ticker, quantiles of simple returns over the longest horizon, score.

    Args:
        truth: The rows that forecasts are scored on.
        cumulative: Quantiles of cumulative log returns, f64 [row, step, quantile].
    """
    bands = np.expm1(cumulative[:, -1].astype(np.float64))
    quantiles = {name: bands[:, place] for place, name in enumerate(QUANTILE_COLUMNS)}
    keys = {"date": truth.dates, "fold": truth.folds, "ticker": truth.tickers}
    return pl.DataFrame({**keys, **quantiles}).with_columns(score=median_over_width())


def measure_rank_evidence(truth: Truth, rows: pl.DataFrame) -> RankEvidence | None:
    """Rank evidence of a forecast; None with too few sessions or names.

    A standard error needs some sessions, and of fewer than FEWEST_NAMES names `find_width_bet` cannot say whether their
    order is a bet on the width.

    Args:
        truth: What happened.
        rows: What `make_scored_rows` returns.
    """
    weighted = weigh(rows)
    book = _estimate_spread(truth, weighted)
    if book.count < FEWEST or not _has_enough_names(rows):
        return None
    correlation = _estimate_rank_correlation(truth, rows)
    known = correlation.count >= FEWEST
    return RankEvidence(
        ranks=_has_own_order(rows),
        rank_correlation=correlation.mean if known else None,
        rank_error=correlation.standard_error if known else None,
        spread=book.mean,
        spread_error=book.standard_error,
        spread_cost=2 * TRADES * measure_turnover(weighted) * cost_a_side(truth),
    )


def cost_a_side(truth: Truth) -> float:
    """What buying or selling costs, a fraction of its value: the simulated venue's slippage and the fee on sales."""
    return slippage_rate(float(np.mean(truth.volatility)), PARTICIPATION) + float(SEC_FEE_RATE) / TRADES


def weigh(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with `weight`: those of each session's best tenth add up to 1, those of its worst to -1."""
    session = ("fold", "date")
    count = pl.len().over(session)
    group = (count * GROUP_SHARE).floor().clip(lower_bound=1)
    place = pl.col("score").rank("ordinal").over(session)
    side = (place > count - group).cast(pl.Int8) - (place <= group).cast(pl.Int8)
    return rows.with_columns(weight=side / group, side=side)


def _estimate_spread(truth: Truth, rows: pl.DataFrame) -> Estimate:
    """The mean of the book's spread for each time it is replaced, with its error."""
    _, first, session = np.unique(_number_sessions(rows), return_index=True, return_inverse=True)
    sums = np.zeros((len(first), HORIZON))
    np.add.at(sums, session, truth.daily * rows.get_column("weight").to_numpy()[:, None])  # one by one: equal bits
    folds = truth.folds[first]
    return estimate_mean(np.concatenate([_add_by_session(sums[folds == fold]) for fold in np.unique(folds)]), 0)


def _number_sessions(rows: pl.DataFrame) -> np.ndarray:
    """A number of each row's session, ascending by fold and date, i64 [row]."""
    return rows.select(pl.struct("fold", "date").rank("dense")).to_series().to_numpy()


def _add_by_session(returns: np.ndarray) -> np.ndarray:
    """Returns by origin and session ahead, f64 [origin, step], added by the session in which they were made.

    The first and the last sessions, in which fewer origins are held than the horizon has sessions, are left out.
    """
    count, horizon = returns.shape
    whole = max(count - horizon + 1, 0)
    return np.asarray(sum(returns[horizon - 1 - step : horizon - 1 - step + whole, step] for step in range(horizon)))


def measure_turnover(rows: pl.DataFrame) -> float:
    """The mean part of both sides that is replaced when an origin's tenths follow those of a horizon before.

    Without so many sessions it is 1: all of it.
    """
    session = pl.col("date").rank("dense").over("fold").cast(pl.Int64)
    held = rows.with_columns(session=session).filter(pl.col("side") != 0)
    before = held.select("fold", "ticker", "side", pl.col("session") + HORIZON, kept=pl.lit(1.0))
    followed = held.filter(pl.col("session") > HORIZON)
    if followed.is_empty():
        return 1.0
    joined = followed.join(before, on=["fold", "ticker", "side", "session"], how="left")
    return 1 - float(joined.select(pl.col("kept").fill_null(0.0).mean()).item())


def _estimate_rank_correlation(truth: Truth, rows: pl.DataFrame) -> Estimate:
    """Spearman's correlation of score and return over the longest horizon, by session; labels overlap."""
    labelled = rows.with_columns(truth=pl.Series(truth.cumulative[:, -1]))
    by_session = labelled.group_by("fold", "date").agg(pl.corr("score", "truth", method="spearman").alias("value"))
    return estimate_mean(by_session.sort("fold", "date").get_column("value").fill_null(np.nan).to_numpy(), HORIZON - 1)


def _has_enough_names(rows: pl.DataFrame) -> bool:
    """Whether most sessions have as many names as the question whether they rank needs."""
    names = rows.group_by("fold", "date").len().get_column("len")
    return int((names >= FEWEST_NAMES).sum()) > len(names) / 2


def _has_own_order(rows: pl.DataFrame) -> bool:
    """Whether in most sessions the scores differ and are no bet on the width of the forecasts."""
    sessions = rows.partition_by("fold", "date")
    ordered = [
        one["score"].n_unique() > 1
        and find_width_bet(one.select(*QUANTILE_COLUMNS).to_numpy(), one["score"].to_numpy()) is None
        for one in sessions
    ]
    return sum(ordered) > len(sessions) / 2
