"""The score that the fund's own strategy ranks by: a forecast's median return over the width of its 80 % interval."""

from typing import Final

import polars as pl

NARROWEST_BAND: Final = 1e-6  # a band of width 0 would divide by 0; this ranks its name first or last


def median_over_width() -> pl.Expr:
    """Median over width, of the quantile columns of the frame `predictions` (simple returns).

    Dividing by the width prefers a likely small gain to an unlikely large one and compares calm names with wild ones.
    """
    width = pl.col("quantile_90") - pl.col("quantile_10")
    return pl.col("quantile_50") / pl.max_horizontal(width, pl.lit(NARROWEST_BAND))
