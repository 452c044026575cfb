"""Bars from the fund's lake: what datamanager has collected, with splits and dividends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from internal.errors import ConfigurationError
from internal.lake.store import Lake
from internal.lake.tables import RETIRED_TABLES
from internal.schemas.corporate_actions import actions_in_force
from internal.venue.market.replayed import DETAILS
from research.engine.market import BacktestMarket
from research.engine.replay_source import ReplayedTables, replay_tables
from research.engine.sources import Period


@dataclass(frozen=True)
class LakeSource:
    """The lake at an address, which is read as it is at this moment; no service has to run."""

    address: str
    storage_options: Mapping[str, str] = field(default_factory=dict[str, str])

    def open(self, period: Period, on_message: Callable[[str], None]) -> BacktestMarket:
        """The market that replays the lake's bars. Raises ConfigurationError when there are none."""
        del on_message
        lake = Lake(self.address, dict(self.storage_options))
        bars = lake.scan("equity_bars").collect()
        if bars.is_empty():
            raise ConfigurationError(
                f"the lake at {self.address} holds no bars: `./fund up` fills it; --bars or --seed need none"
            )
        actions = actions_in_force(_scan_actions(lake))
        details = lake.scan("equity_details").collect()
        tables = ReplayedTables(
            bars=bars.sort("date", "ticker"),
            details=details.select("ticker", *(_text(name, details) for name in (*DETAILS, "security_type"))),
            actions=actions.collect(),
        )
        return replay_tables(tables, period, "lake")


def _scan_actions(lake: Lake) -> pl.LazyFrame:
    """Every version of the corporate actions; ConfigurationError where an earlier version of the fund wrote them."""
    if lake.version("corporate_actions") < 0 and max(map(lake.version, RETIRED_TABLES)) >= 0:
        raise ConfigurationError(
            "the lake's splits and dividends are in the tables of an earlier version: start its datamanager once "
            "(`./fund up` or `./fund run`), which moves them to corporate_actions"
        )
    return lake.scan("corporate_actions")


def _text(name: str, frame: pl.DataFrame) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name)
