"""The public interface for strategies and notebooks: everything else is the package `internal`.

Write a strategy in one file, as in `strategies/` of the repository; docs/strategies.md is the page about it.
"""

from typing import TYPE_CHECKING

from internal.dates import next_session, previous_session
from internal.dates import sessions as calendar_sessions
from internal.forecasting.median_over_width import median_over_width
from internal.strategies.history import History
from internal.strategies.schedule import DAILY, MONTHLY, WEEKLY, Schedule, every
from internal.strategies.strategy import Construction, Strategy
from internal.trading.arrays import FloatArray
from internal.trading.assets import Assets
from internal.trading.day_inputs import BarHistory, DayInputs, Details, Forecasts
from internal.trading.positions import Band, Position
from internal.trading.situation import Situation
from internal.trading.strategy import StrategyError
from internal.trading.targets import Target, Targets
from internal.trading.universe import Universe

if TYPE_CHECKING:
    from pocketsizefund.client import Client

__all__ = [
    "DAILY",
    "MONTHLY",
    "WEEKLY",
    "Assets",
    "Band",
    "BarHistory",
    "Client",
    "Construction",
    "DayInputs",
    "Details",
    "FloatArray",
    "Forecasts",
    "History",
    "Position",
    "Schedule",
    "Situation",
    "Strategy",
    "StrategyError",
    "Target",
    "Targets",
    "Universe",
    "calendar_sessions",
    "every",
    "median_over_width",
    "next_session",
    "previous_session",
]


def __getattr__(name: str) -> object:
    """Import the client only where it is used: a strategy needs no HTTP."""
    if name == "Client":
        from pocketsizefund.client import Client  # noqa: PLC0415 - as said above

        return Client
    raise AttributeError(f"module pocketsizefund has no attribute {name}")
