"""The settings of datamanager: where the vendor and the lake are, and how fast the vendor may be asked.

Knows names, defaults and aliases. Reads nothing by itself: `internal.settings` finds the values.
"""

from typing import Annotated

from pydantic import AliasChoices, AnyHttpUrl, Field, SecretStr, TypeAdapter, field_validator

from internal.settings import DataBucketSettings, ServiceSettings


class Configuration(DataBucketSettings, ServiceSettings):
    """What datamanager reads from the environment or from secrets; docs/reference/settings.md lists the names."""

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
