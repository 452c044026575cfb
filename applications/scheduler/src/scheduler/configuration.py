"""The settings of the scheduler, read from the environment and checked before anything is opened."""

from datetime import timedelta
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from internal.errors import ConfigurationError
from internal.settings import DataBucketSettings, ServiceSettings
from scheduler.timetable import Timetable

POLYGON_DELAY_MINUTES = 30  # the bars of a plan with delayed data are whole 15 minutes after the close
ALPACA_MARGIN_MINUTES = 5  # beyond the delay of the plan


class MarketDataVendor(StrEnum):
    """The vendor of datamanager; with `files` the owner imports each session."""

    POLYGON = "polygon"
    ALPACA = "alpaca"
    FILES = "files"


class Configuration(ServiceSettings, DataBucketSettings):
    """The settings of the scheduler; see docs/reference/settings.md. Raises ConfigurationError."""

    datamanager_url: str = "http://127.0.0.1:8080"
    portfoliomanager_url: str = "http://127.0.0.1:8081"
    market_data_vendor: MarketDataVendor = MarketDataVendor.POLYGON
    alpaca_data_delay_minutes: Annotated[int, Field(ge=0, le=1440)] = 15
    bars_delay_minutes: Annotated[int | None, Field(ge=0, le=960)] = None
    open_delay_minutes: Annotated[int, Field(ge=0, le=120)] = 5
    retrain_every: Annotated[int, Field(ge=0, le=250)] = 0
    retrain_model: str = "full"
    models_state_directory: Path | None = None
    lease_seconds: float = Field(default=30, ge=1, le=600)
    turn_seconds: float = Field(default=15, gt=0, le=60)

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - the fields above, checked by pydantic
        super().__init__(**values)
        if self.retrain_every and find_spec("models") is None:
            raise ConfigurationError(
                f"RETRAIN_EVERY is {self.retrain_every}, and the application models is not installed beside the "
                "scheduler (its image holds no compiler): set it to 0, and train with `models train` where models is"
            )

    @property
    def waits_for_import(self) -> bool:
        """Whether no vendor is asked, and a session's close is published when its bars were imported."""
        return self.market_data_vendor is MarketDataVendor.FILES

    def timetable(self) -> Timetable:
        """When each run is due."""
        return Timetable(
            timedelta(minutes=self._bars_delay()), timedelta(minutes=self.open_delay_minutes), self.retrain_every
        )

    def _bars_delay(self) -> int:
        """As set, else by the vendor, minutes."""
        if self.bars_delay_minutes is not None:
            return self.bars_delay_minutes
        match self.market_data_vendor:
            case MarketDataVendor.POLYGON:
                return POLYGON_DELAY_MINUTES
            case MarketDataVendor.ALPACA:
                return self.alpaca_data_delay_minutes + ALPACA_MARGIN_MINUTES
            case MarketDataVendor.FILES:
                return 0
