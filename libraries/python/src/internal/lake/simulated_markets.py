"""Which simulated market has filled a lake: whoever reads its bars later has to know that they are not real."""

from datetime import datetime

import polars as pl

from internal.lake.store import Lake
from internal.lake.tables import SIMULATED_MARKETS_COLUMNS

TABLE = "simulated_markets"


def record_simulated_market(lake: Lake, description: str, moment: datetime) -> None:
    """Record that a simulated market fills the lake; one that is recorded already is not recorded again.

    Args:
        lake: The lake.
        description: The market in words that begin with `simulated`, with tickers, seed and what it was opened with.
        moment: When, UTC.
    """
    if description != find_simulated_market(lake):
        row = pl.DataFrame([(description, moment)], schema=SIMULATED_MARKETS_COLUMNS, orient="row")
        lake.append(TABLE, row)


def find_simulated_market(lake: Lake) -> str | None:
    """The simulated market that filled the lake last, None where none did."""
    recorded = lake.scan(TABLE).sort("recorded_at").collect().get_column("description")
    return None if recorded.is_empty() else str(recorded[-1])
