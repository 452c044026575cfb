"""Factors that adjust a range of bars, found from the lake and kept for the next reader of the same versions."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import override

import polars as pl

from datamanager.bar_range import BarRange, name_rows, select_tickers
from internal.factor_table import PRICES
from internal.lake.store import Lake
from internal.price_adjustment import find_factors, find_payments
from internal.schemas.corporate_actions import actions_in_force, splits_of

ONE_DAY = timedelta(days=1)
KEPT = 8  # about a megabyte each for 8,000 tickers and two years


def find_adjustment(lake: Lake, wanted: BarRange) -> pl.DataFrame | None:
    """The factors of every ticker with an action after the first day; None where nothing is to be adjusted."""
    if wanted.adjusted_as_of is None or not {*PRICES, "volume"} & set(wanted.columns):
        return None
    every = _read_actions(lake, lake.version("corporate_actions")).lazy()
    in_force = select_tickers(actions_in_force(every, wanted.known_at), wanted)
    after_start = in_force.filter(pl.col("effective_date") > wanted.start)
    return _find(_Inputs(lake, wanted, after_start.collect()))


@lru_cache(1)
def _read_actions(lake: Lake, version: int) -> pl.DataFrame:
    """Every version of each action in one version of the table: the next reader mostly asks for the same."""
    return lake.scan("corporate_actions", version).collect()


@dataclass(frozen=True, eq=False)
class _Inputs:
    """What factors are made of; equal to others that give the same factors."""

    lake: Lake
    wanted: BarRange
    actions: pl.DataFrame

    @override
    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Inputs)
            and self._key() == other._key()
            and self.actions.equals(other.actions)
            and self._aliases().equals(other._aliases())
        )

    @override
    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        wanted = self.wanted
        names = [None if some is None else tuple(some) for some in (wanted.tickers, wanted.named)]
        return (self.lake, wanted.version, wanted.start, wanted.adjusted_as_of, *names)

    def _aliases(self) -> pl.DataFrame:
        return pl.DataFrame() if self.wanted.names is None else self.wanted.names.aliases


@lru_cache(KEPT)
def _find(inputs: _Inputs) -> pl.DataFrame:
    wanted, actions = inputs.wanted, inputs.actions.lazy()
    as_of = wanted.adjusted_as_of or wanted.end
    every = inputs.lake.scan("equity_bars", wanted.version).filter(
        pl.col("date").is_between(wanted.start, max(as_of, wanted.start))
    )
    # an action names its security as on the session before it takes effect
    payments = name_rows(find_payments(actions, every), pl.col("ex_dividend_date") - ONE_DAY, wanted)
    splits = name_rows(splits_of(actions), pl.col("execution_date") - ONE_DAY, wanted)
    closes = name_rows(select_tickers(every, wanted), pl.col("date"), wanted)
    return find_factors(closes, splits, payments, as_of).collect()
