"""The settings of datamanager: which vendors it asks, its keys and rate limits, and the lake's address."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, AnyHttpUrl, Field, SecretStr, TypeAdapter, field_validator

from internal.edgar_user_agent import require_declared
from internal.errors import ConfigurationError
from internal.settings import DataBucketSettings, ServiceSettings


class MarketDataVendor(StrEnum):
    """Who is asked for bars, listings and corporate actions; with `files` nobody is, and files are imported."""

    POLYGON = "polygon"
    ALPACA = "alpaca"
    FILES = "files"


KEYS = {
    MarketDataVendor.POLYGON: ("polygon_api_key",),
    MarketDataVendor.ALPACA: ("alpaca_api_key_id", "alpaca_api_secret"),
    MarketDataVendor.FILES: (),
}


class Configuration(DataBucketSettings, ServiceSettings):
    """The settings of datamanager, read from the environment or from secrets; see docs/reference/settings.md."""

    market_data_vendor: MarketDataVendor = MarketDataVendor.POLYGON
    second_market_data_vendor: MarketDataVendor | None = None
    polygon_api_key: Annotated[
        SecretStr | None, Field(min_length=1, validation_alias=AliasChoices("POLYGON_API_KEY", "MASSIVE_API_KEY"))
    ] = None
    polygon_base_url: str = "https://api.polygon.io"
    polygon_requests_per_minute: Annotated[int, Field(ge=0)] = 5
    alpaca_api_key_id: Annotated[
        SecretStr | None, Field(min_length=1, validation_alias=AliasChoices("ALPACA_API_KEY_ID", "APCA_API_KEY_ID"))
    ] = None
    alpaca_api_secret: Annotated[
        SecretStr | None, Field(min_length=1, validation_alias=AliasChoices("ALPACA_API_SECRET", "APCA_API_SECRET_KEY"))
    ] = None
    alpaca_base_url: Annotated[str, Field(validation_alias=AliasChoices("ALPACA_BASE_URL", "APCA_API_BASE_URL"))] = (
        "https://paper-api.alpaca.markets"
    )
    alpaca_data_url: str = "https://data.alpaca.markets"
    alpaca_data_requests_per_minute: Annotated[int, Field(ge=0)] = 200
    alpaca_data_delay_minutes: Annotated[int, Field(ge=0, le=1440)] = 15
    edgar_user_agent: Annotated[str, AfterValidator(require_declared)] | None = None
    edgar_base_url: str = "https://www.sec.gov"
    edgar_data_base_url: str = "https://data.sec.gov"
    edgar_requests_per_second: Annotated[float, Field(ge=0, le=10)] = 10

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - the fields above, checked by pydantic
        super().__init__(**values)
        self._require_keys("MARKET_DATA_VENDOR", self.market_data_vendor)
        second = self.second_market_data_vendor
        if second in {self.market_data_vendor, MarketDataVendor.FILES}:
            raise ConfigurationError(
                f"SECOND_MARKET_DATA_VENDOR is {second}: name a vendor other than MARKET_DATA_VENDOR to compare with"
            )
        if second is not None:
            self._require_keys("SECOND_MARKET_DATA_VENDOR", second)

    def _require_keys(self, setting: str, vendor: MarketDataVendor) -> None:
        missing = [name.upper() for name in KEYS[vendor] if getattr(self, name) is None]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise ConfigurationError(
                f"{' and '.join(missing)} {verb} not set, and {setting} is {vendor}: set it in the environment, or put "
                f"it in a file and set {missing[0]}_FILE to its path, or choose another vendor"
            )

    @field_validator("polygon_base_url", "alpaca_base_url", "alpaca_data_url", "edgar_base_url", "edgar_data_base_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        TypeAdapter(AnyHttpUrl).validate_python(value)
        return value.rstrip("/").removesuffix("/v2")
