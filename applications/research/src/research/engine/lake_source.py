"""Bars from the fund's lake: what datamanager has collected, with its corporate actions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from internal.errors import ConfigurationError
from internal.lake.simulated_markets import find_simulated_market
from internal.lake.store import Lake
from internal.lake.tables import RETIRED_TABLES
from internal.schemas import corporate_actions
from internal.schemas.corporate_actions import actions_in_force
from internal.security_names import find_name_changes, name_reused
from internal.venue.market.replayed import DETAILS
from research.engine.market import BacktestMarket
from research.engine.replay_source import ReplayedTables, replay_tables
from research.engine.sources import Period

ONE_DAY = timedelta(days=1)  # an action names its security as on the session before


@dataclass(frozen=True)
class LakeSource:
    """The lake at an address, which is read as it is at this moment; no service has to run."""

    address: str
    storage_options: Mapping[str, str] = field(default_factory=dict[str, str])

    def open(self, period: Period, on_message: Callable[[str], None]) -> BacktestMarket:
        """The market that replays the lake's bars: renamed securities change their ticker, re-used ones are apart.

        Raises ConfigurationError when there are none.
        """
        del on_message
        lake = Lake(self.address, dict(self.storage_options))
        bars = lake.scan("equity_bars").sort("date").collect()
        if bars.is_empty():
            raise ConfigurationError(
                f"the lake at {self.address} holds no bars: `./fund up` fills it; --bars or --seed need none"
            )
        securities = lake.scan("securities").collect()
        actions = _add_name_changes(actions_in_force(_scan_actions(lake)), securities)
        details = lake.scan("equity_details").collect()
        names = name_reused(securities, bars.get_column("date").to_list()[-1])
        tables = ReplayedTables(
            bars=names.rename(bars.lazy(), pl.col("date")).sort("date", "ticker").collect(),
            details=details.select("ticker", *(_text(name, details) for name in (*DETAILS, "security_type"))),
            actions=names.rename(actions, pl.col("effective_date") - ONE_DAY).collect(),
        )
        simulated = find_simulated_market(lake)
        return replay_tables(tables, period, "lake" if simulated is None else f"{simulated}, from the lake")


def _scan_actions(lake: Lake) -> pl.LazyFrame:
    """Every version of the corporate actions; ConfigurationError where an earlier version of the fund wrote them."""
    if lake.version("corporate_actions") < 0 and max(map(lake.version, RETIRED_TABLES)) >= 0:
        raise ConfigurationError(
            "the lake's splits and dividends are in the tables of an earlier version: start its datamanager once "
            "(`./fund up` or `./fund run`), which moves them to corporate_actions"
        )
    return lake.scan("corporate_actions")


def _add_name_changes(actions: pl.LazyFrame, securities: pl.DataFrame) -> pl.LazyFrame:
    """The actions and the changes of ticker that are known of the securities but not among the actions."""
    changes = find_name_changes(securities).lazy()
    unknown = changes.join(actions, on=["ticker", "new_ticker", "effective_date"], how="anti")
    return pl.concat([actions, corporate_actions.empty_actions().lazy(), unknown], how="diagonal")


def _text(name: str, frame: pl.DataFrame) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name)
