"""An estimate with its interval, by a block bootstrap of the sessions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from internal.backtests.daily_returns import Series
from internal.backtests.report_rows import Estimate
from internal.resampling import draw_circular_blocks

COVERAGE: Final = 0.95
SEED: Final = 0


UNDEFINED: Final = Estimate(None)


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Draws of sessions in circular blocks of ten, the same for every figure; `indices` is i64 [draw, session]."""

    indices: NDArray[np.int64]

    @classmethod
    def draw(cls, sessions: int) -> "Bootstrap":
        """The draws for that many sessions."""
        draws = draw_circular_blocks(sessions, np.random.default_rng(SEED)) if sessions else np.empty((0, 0), np.int64)
        return cls(draws)

    def estimate(self, figure: Callable[..., Series], *series: Series) -> Estimate:
        """A figure of series, f64 [session] each, with the interval of its draws.

        Args:
            figure: Reduces arrays, f64 [..., session], over their last axis; NaN where it is not defined.
            series: Its arguments. A value that is not finite makes the figure undefined.
        """
        value = float(figure(*series)) if all(len(one) and np.isfinite(one).all() for one in series) else np.nan
        if not np.isfinite(value):
            return UNDEFINED
        drawn = figure(*(one[self.indices] for one in series))
        lower, upper = np.quantile(drawn[np.isfinite(drawn)], ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2))
        return Estimate(value, float(lower), float(upper))
