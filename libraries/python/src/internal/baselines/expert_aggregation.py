"""Expert aggregation: adaptive HAR and boosted trees that follow surprises, combined by their latest losses."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Self, cast

import numpy as np
import polars as pl

from internal.baselines.adaptation import past_returns_ahead
from internal.baselines.boosted_volatility import BoostedVolatility, select_prefix
from internal.baselines.break_response import CURRENT, MARKET_ALONE, BreakResponse, read_flag, write_flag
from internal.baselines.expert_replay import GROUPS, ExpertForecasts, replay
from internal.baselines.expert_weights import ExpertState
from internal.baselines.forecast import EVERY_ROW, Rows
from internal.baselines.heterogeneous import AdaptiveVolatility
from internal.baselines.segment_parts import each_part
from internal.baselines.volatility import TABLE, require_shapes
from internal.dates import EPOCH
from internal.errors import ArtifactError
from internal.features.splits import Block
from internal.features.windows import find_origins
from internal.forecasting.quantiles import RowQuantiles
from internal.scratch_arrays import PART_ROWS

BOOSTED, FITTED_TO, ALL_FOLLOW = "boosted.", "fitted_to", "all_follow"


@dataclass(frozen=True)
class ExpertAggregation:
    """Forecasts whose quantiles are weighted means of several forecasters' quantiles.

    The weights are equal at the fit, and follow the losses that the experts make after it, which are read from the bars
    that are forecast from. **Guard:** losses on the experts' own training rows do not count: they favour the expert
    that fits them most closely.

    Attributes:
        boosted: The boosted trees, which hold the other experts' fit of HAR.
        fitted_to: The last session of the fit.
        response: How far the experts follow a break.
        all_follow: Whether both experts follow surprises. Else there are three, of which the adaptive one alone does:
            it, HAR, and the trees.
    """

    boosted: BoostedVolatility
    fitted_to: date
    response: BreakResponse = CURRENT
    all_follow: bool = True
    kind: ClassVar[str] = "expert_aggregation"

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, fold: Block) -> Self:
        """Fit the experts."""
        return cls(BoostedVolatility.fit(frame, fold=fold), fold.last)

    @property
    def adaptive(self) -> AdaptiveVolatility:
        """The expert whose scales are HAR's and follow surprises, and whose intervals adapt to their misses."""
        return AdaptiveVolatility.from_arrays(self.boosted.scale.to_arrays() | self.response.to_arrays())

    @property
    def equal(self) -> ExpertState:
        """Equal weights, as at the fit."""
        return ExpertState.start(2 if self.all_follow else 3, GROUPS)

    def quantiles(self, frame: pl.DataFrame, rows: Rows = EVERY_ROW) -> RowQuantiles:
        """The experts' quantiles, weighted by the losses that were known at each row's session.

        Weighted means of quantiles could cross where forecasts differ by more than their widths; they are put in order,
        which never raises their loss (Chernozhukov et al. 2010).
        """
        asked, number = np.arange(frame.height)[rows], frame.get_column("session").to_numpy()
        needed, forecasts, states = self._replay(frame, asked)
        equal = self.equal
        place = np.empty(frame.height, np.int32)
        place[needed] = np.arange(len(needed), dtype=np.int32)
        combined = np.empty((2, len(asked), *TABLE))
        by_session = np.argsort(number[asked], kind="stable")
        ends = np.flatnonzero(np.diff(number[asked[by_session]])) + 1
        for at in np.split(by_session, ends) if len(asked) else []:
            weights = states.get(int(number[asked[at[0]]]), equal).weights()
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
        return needed, forecasts, replay(self.equal, forecasts, int(session[judged].min()), int(session[asked].max()))

    def _forecast_each(self, frame: pl.DataFrame, rows: np.ndarray) -> Iterator[Iterator[RowQuantiles]]:
        """The experts' forecasts in parts, in their order; HAR's scales and the surprises are computed once."""
        adaptive, boosted = self.adaptive, self.boosted
        scales, surprise, factors = adaptive.scales_and_surprises(frame, rows)
        if not self.all_follow:
            yield (adaptive.plain(scales.at(part)) for part in _parts(rows))
        yield adaptive.quantiles_in_parts(scales, surprise, factors)
        del scales, factors
        scales = boosted.scales(frame, rows)
        if self.all_follow:
            scales = scales.times(surprise)
        yield (boosted.plain(scales.at(part)) for part in _parts(rows))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The boosted trees' arrays behind `boosted.`, the response, and the day in days since 1970.

        `all_follow` is one, and absent where it is not so.
        """
        boosted = {f"{BOOSTED}{name}": array for name, array in self.boosted.to_arrays().items()}
        own = {FITTED_TO: np.array([(self.fitted_to - EPOCH).days])}
        return {**boosted, **self.response.to_arrays(), **own, **write_flag(ALL_FOLLOW, value=self.all_follow)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Restore the parts. An artifact forecasts with the experts that it was judged with.

        The first artifacts of this kind hold no response: it was to the market alone. Those before 2026-11-29 do not
        hold that all experts follow surprises.
        """
        (fitted_to,) = require_shapes(arrays, {FITTED_TO: (1,)})
        boosted = BoostedVolatility.from_arrays(select_prefix(arrays, BOOSTED))
        response = BreakResponse.from_arrays(arrays, absent=MARKET_ALONE)
        return cls(boosted, _read_day(int(fitted_to[0])), response, read_flag(arrays, ALL_FOLLOW))


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
        return EPOCH + timedelta(days=days)
    except OverflowError as error:
        raise ArtifactError(f"the artifact was fitted to a day that does not exist ({days} days after 1970)") from error
