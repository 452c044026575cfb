"""Bars from the fund's lake: what datamanager has collected, with splits and dividends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from internal.errors import ConfigurationError
from internal.lake.store import Lake
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
        details = lake.scan("equity_details").collect()
        tables = ReplayedTables(
            bars=bars.sort("date", "ticker"),
            details=details.select("ticker", *(_text(name, details) for name in (*DETAILS, "security_type"))),
            splits=lake.scan("splits").collect(),
            dividends=lake.scan("dividends").collect(),
        )
        return replay_tables(tables, period, "lake")


def _text(name: str, frame: pl.DataFrame) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name)
