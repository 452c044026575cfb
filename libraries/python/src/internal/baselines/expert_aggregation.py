"""Expert aggregation: HAR, HAR with adaptive intervals and boosted trees, combined by their latest losses."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Final, Self, cast

import numpy as np
import polars as pl

from internal.baselines.adaptation import past_returns_ahead
from internal.baselines.boosted_volatility import BoostedVolatility, select_prefix
from internal.baselines.break_response import CURRENT, MARKET_ALONE, BreakResponse
from internal.baselines.expert_replay import GROUPS, ExpertForecasts, replay
from internal.baselines.expert_weights import ExpertState
from internal.baselines.forecast import EVERY_ROW, Rows
from internal.baselines.heterogeneous import AdaptiveVolatility, EarningsVolatility
from internal.baselines.segment_parts import each_part
from internal.baselines.volatility import TABLE, require_shapes
from internal.errors import ArtifactError
from internal.features.splits import Block
from internal.features.windows import find_origins
from internal.forecasting.quantiles import RowQuantiles
from internal.scratch_arrays import PART_ROWS

EQUAL: Final = ExpertState.start(3, GROUPS)
BOOSTED, FITTED_TO = "boosted.", "fitted_to"
FIRST_DAY: Final = date(1970, 1, 1)


@dataclass(frozen=True)
class ExpertAggregation:
    """Forecasts whose quantiles are weighted means of several forecasters' quantiles.

    The weights are equal at the fit, and follow the losses that the experts make after it, which are read from the bars
    that are forecast from. **Guard:** losses on the experts' own training rows do not count: they favour the expert
    that fits them most closely.

    Attributes:
        boosted: The boosted trees, which hold the other experts' fit of HAR.
        fitted_to: The last session of the fit.
        response: How far the adaptive expert follows a break.
    """

    boosted: BoostedVolatility
    fitted_to: date
    response: BreakResponse = CURRENT
    kind: ClassVar[str] = "expert_aggregation"

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, fold: Block) -> Self:
        """Fit the experts."""
        return cls(BoostedVolatility.fit(frame, fold=fold), fold.last)

    @property
    def experts(self) -> tuple[EarningsVolatility, AdaptiveVolatility, BoostedVolatility]:
        """HAR with earnings features, the same with adaptive intervals, and boosted trees on its scale."""
        scale = self.boosted.scale
        adaptive = AdaptiveVolatility.from_arrays(scale.to_arrays() | self.response.to_arrays())
        return scale, adaptive, self.boosted

    def quantiles(self, frame: pl.DataFrame, rows: Rows = EVERY_ROW) -> RowQuantiles:
        """The experts' quantiles, weighted by the losses that were known at each row's session.

        Weighted means of quantiles could cross where forecasts differ by more than their widths; they are put in order,
        which never raises their loss (Chernozhukov et al. 2010).
        """
        asked, number = np.arange(frame.height)[rows], frame.get_column("session").to_numpy()
        needed, forecasts, states = self._replay(frame, asked)
        place = np.empty(frame.height, np.int32)
        place[needed] = np.arange(len(needed), dtype=np.int32)
        combined = np.empty((2, len(asked), *TABLE))
        by_session = np.argsort(number[asked], kind="stable")
        ends = np.flatnonzero(np.diff(number[asked[by_session]])) + 1
        for at in np.split(by_session, ends) if len(asked) else []:
            weights = states.get(int(number[asked[at[0]]]), EQUAL).weights()
            combined[:, at] = np.sort(forecasts.combine(place[asked[at]], weights), axis=-1)
        daily, cumulative = combined
        return RowQuantiles(cumulative, daily)

    def _replay(
        self, frame: pl.DataFrame, asked: np.ndarray
    ) -> tuple[np.ndarray, ExpertForecasts, dict[int, ExpertState]]:
        """The rows asked for and those whose losses count, their forecasts, and the states by session since the fit.

        Rows are in the order of sessions, in which they are read.
        """
        last = frame.get_column("date").gather(asked).max()
        judged = find_origins(frame, Block(self.fitted_to + timedelta(days=1), cast("date", last)))
        rows, session = np.union1d(judged, asked), frame.get_column("session").to_numpy()
        order = np.argsort(session[rows], kind="stable")
        needed, ahead = rows[order], _returns_ahead(frame, rows)[order]
        ahead[~np.isin(needed, judged)] = np.nan
        forecasts = ExpertForecasts.of(session[needed], self._forecast_each(frame, needed), ahead)
        if not len(judged):
            return needed, forecasts, {}
        return needed, forecasts, replay(EQUAL, forecasts, int(session[judged].min()), int(session[asked].max()))

    def _forecast_each(self, frame: pl.DataFrame, rows: np.ndarray) -> Iterator[Iterator[RowQuantiles]]:
        """The experts' forecasts in parts, in their order; HAR's scales are computed once for the first two."""
        _, adaptive, boosted = self.experts
        scales, surprise, factors = adaptive.scales_and_surprises(frame, rows)
        yield (adaptive.plain(scales.at(part)) for part in _parts(rows))
        yield (
            adaptive.widen(adaptive.plain(scales.at(part).times(surprise[part])), *(one[part] for one in factors))
            for part in _parts(rows)
        )
        del scales, surprise, factors
        scales = boosted.scales(frame, rows)
        yield (boosted.plain(scales.at(part)) for part in _parts(rows))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The boosted trees' arrays behind `boosted.`, the response, and the day in days since 1970."""
        boosted = {f"{BOOSTED}{name}": array for name, array in self.boosted.to_arrays().items()}
        return {**boosted, **self.response.to_arrays(), FITTED_TO: np.array([(self.fitted_to - FIRST_DAY).days])}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Restore the parts. The first artifacts of this kind hold no response: it was to the market alone."""
        (fitted_to,) = require_shapes(arrays, {FITTED_TO: (1,)})
        boosted = BoostedVolatility.from_arrays(select_prefix(arrays, BOOSTED))
        response = BreakResponse.from_arrays(arrays, absent=MARKET_ALONE)
        return cls(boosted, _read_day(int(fitted_to[0])), response)


def _returns_ahead(frame: pl.DataFrame, rows: np.ndarray) -> np.ndarray:
    """`past_returns_ahead` of some rows, i64 [row] ascending, a few tickers at a time, f64 [row, step]."""

    def work(part: slice) -> np.ndarray:
        first, end = np.searchsorted(rows, (part.start, part.stop))
        return past_returns_ahead(frame[part])[rows[first:end] - part.start]

    return np.concatenate(each_part(frame, work))


def _parts(rows: np.ndarray) -> Iterator[slice]:
    return (slice(first, first + PART_ROWS) for first in range(0, len(rows), PART_ROWS))


def _read_day(days: int) -> date:
    try:
        return FIRST_DAY + timedelta(days=days)
    except OverflowError as error:
        raise ArtifactError(f"the artifact was fitted to a day that does not exist ({days} days after 1970)") from error
