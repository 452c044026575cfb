"""The settings of a fund, typed: read from the environment, else from `fund.toml`, else their defaults."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, override

from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from fund.settings.problems import describe_errors, refuse_secrets
from fund.settings.sections import (
    Broker,
    Limits,
    MarketData,
    Messages,
    Models,
    Schedule,
    Services,
    Simulation,
    Storage,
    Trading,
)
from fund.settings.syntax import describe_syntax
from internal.errors import ConfigurationError
from internal.modes import Mode
from internal.settings import read_variable

FILE = "fund.toml"
MODE_VARIABLE = "FUND_MODE"
SECTIONS: Mapping[str, type[BaseModel]] = {
    "broker": Broker,
    "market_data": MarketData,
    "storage": Storage,
    "trading": Trading,
    "limits": Limits,
    "models": Models,
    "schedule": Schedule,
    "messages": Messages,
    "services": Services,
    "simulation": Simulation,
}


class VariablesSource(PydanticBaseSettingsSource):
    """Each key's environment variable, else the file that `NAME_FILE` names."""

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    @override
    def __call__(self) -> dict[str, Any]:
        """The values of all variables that are set, by section."""
        found = {
            name: {key: value for key in section.model_fields if (value := read_variable(key.upper()))}
            for name, section in SECTIONS.items()
        }
        mode = read_variable(MODE_VARIABLE)
        return ({"mode": mode} if mode else {}) | {name: values for name, values in found.items() if values}


class FundSettings(BaseSettings):
    """The settings of one fund; `read_settings` reads them and explains what is wrong."""

    model_config = SettingsConfigDict(extra="forbid", validate_default=False)

    mode: Annotated[Mode, Field(description="Whose money is at stake: a simulated market's, paper, or real money.")] = (
        Mode.SIMULATED
    )
    broker: Broker = Field(default_factory=Broker)
    market_data: MarketData = Field(default_factory=MarketData)
    storage: Storage = Field(default_factory=Storage)
    trading: Trading = Field(default_factory=Trading)
    limits: Limits = Field(default_factory=Limits)
    models: Models = Field(default_factory=Models)
    schedule: Schedule = Field(default_factory=Schedule)
    messages: Messages = Field(default_factory=Messages)
    services: Services = Field(default_factory=Services)
    simulation: Simulation = Field(default_factory=Simulation)

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then the arguments, which are the file's values."""
        return VariablesSource(settings_cls), init_settings


def read_settings(path: Path) -> FundSettings:
    """The settings of the file, completed and overridden by the environment; without a file, of the environment.

    Raises:
        ConfigurationError: The file cannot be read, holds an unknown key, a wrong value or a secret; the message names
            the line, the key and what is allowed.
    """
    return parse_settings(path, read_text(path))


def explain_defaults(path: Path) -> str | None:
    """Why the fund runs with the settings that it has, where nobody has chosen any; None where there is a file."""
    if path.exists():
        return None
    return f"There is no {path}, so the fund is simulated, with default settings: `./fund init` sets up another one."


def parse_settings(path: Path, text: str) -> FundSettings:
    """The settings of a text that is, or will be, the file's. Raises as `read_settings`."""
    values = _parse(path, text)
    refuse_secrets(path, text, values)
    try:
        return FundSettings(**values)
    except ValidationError as error:
        known = {name: list(section.model_fields) for name, section in SECTIONS.items()}
        raise ConfigurationError(describe_errors(path, text, error, known)) from None


def read_text(path: Path) -> str:
    """The file's text, empty where there is none. Raises ConfigurationError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(f"{path} cannot be read: {reason}") from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(describe_syntax(path, text, str(error))) from error
