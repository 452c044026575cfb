"""The settings of datamanager: addresses of vendor and lake, the vendor's key and its rate limit."""

from typing import Annotated

from pydantic import AliasChoices, AnyHttpUrl, Field, SecretStr, TypeAdapter, field_validator

from internal.settings import DataBucketSettings, ServiceSettings


class Configuration(DataBucketSettings, ServiceSettings):
    """The settings of datamanager, read from the environment or from secrets; see docs/reference/settings.md."""

    polygon_api_key: Annotated[
        SecretStr, Field(min_length=1, validation_alias=AliasChoices("POLYGON_API_KEY", "MASSIVE_API_KEY"))
    ]
    polygon_base_url: str = "https://api.polygon.io"
    polygon_requests_per_minute: Annotated[int, Field(ge=0)] = 5

    @field_validator("polygon_base_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        TypeAdapter(AnyHttpUrl).validate_python(value)
        return value.rstrip("/")
