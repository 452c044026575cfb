"""Settings from the environment, else from the file that `NAME_FILE` names, else from `/run/secrets/NAME`.

Each service subclasses `ServiceSettings` with its own fields.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, override
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from internal.errors import ConfigurationError
from internal.object_stores import ObjectStore, is_bucket, object_store_of

VALUE_ERROR = "Value error, "  # what pydantic puts before the words of our own checks
SHORTEST_TOKEN = 32  # characters; reader's token and sessions follow from it, and can be tried without being asked
SECRETS_DIRECTORY = "/run/secrets"


def variable_names(name: str, field: FieldInfo) -> list[str]:
    """The variables that set a field: its aliases, else its name in capitals."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return [choice for choice in alias.choices if isinstance(choice, str)]
    return [alias if isinstance(alias, str) else name.upper()]


class FileAwareSource(EnvSettingsSource):
    """The environment, completed by the files that `NAME_FILE` names and by the secrets' directory.

    Only names of the class's own fields are looked up, so that variables such as `SSL_CERT_FILE` are not read. Raises
    ConfigurationError when a named file cannot be read.
    """

    @override
    def _load_env_vars(self) -> Mapping[str, str | None]:
        names = [name for field, info in self.settings_cls.model_fields.items() for name in variable_names(field, info)]
        files = {name.lower(): value for name in names if not os.environ.get(name) and (value := _read_file(name))}
        return {**files, **super()._load_env_vars()}


def read_variable(name: str) -> str | None:
    """The value of a variable, of the file that `NAME_FILE` names, or of the secret; None where nothing sets it.

    Raises:
        ConfigurationError: A named file cannot be read.
    """
    return os.environ.get(name) or _read_file(name) or None


def _read_file(name: str) -> str | None:
    if named := os.environ.get(f"{name}_FILE"):
        return _read(Path(named), f"{name}_FILE")
    secret = Path(SECRETS_DIRECTORY, name)
    return _read(secret, name) if secret.is_file() else None


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigurationError(f"{name} names {path}, which cannot be read: {reason}") from None


def _split_commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _require_url(value: list[str]) -> list[str]:
    parts = [urlsplit(url) for url in value]
    if any(part.scheme not in {"http", "https"} or not part.hostname or part.username for part in parts):
        raise ValueError("each entry is an http:// or https:// URL without a user name, separated by commas")
    return value


def require_long_token(token: str) -> None:
    """Raise ValueError, which says what to do, for a token that could be guessed; it is never repeated."""
    if len(token) < SHORTEST_TOKEN:
        raise ValueError(
            f"it has fewer than {SHORTEST_TOKEN} characters, and whoever guesses it owns the fund: make one with "
            "`openssl rand -hex 32`"
        )


def _require_none_or_long(value: SecretStr) -> SecretStr:
    if token := value.get_secret_value():
        require_long_token(token)
    return value


SETTINGS_CONFIG = SettingsConfigDict(
    extra="ignore",
    env_ignore_empty=True,
    validate_by_name=True,
    validate_by_alias=True,
    hide_input_in_errors=True,
)  # set in every class: of two bases, the configuration of the last one wins


class ServiceSettings(BaseSettings):
    """The settings of every service. Subclasses add fields; a missing or wrong one raises ConfigurationError."""

    model_config = SETTINGS_CONFIG

    state_directory: Path
    event_subscribers: Annotated[list[str], NoDecode, BeforeValidator(_split_commas), AfterValidator(_require_url)] = (
        Field(default_factory=list)
    )
    fund_api_token: Annotated[SecretStr, AfterValidator(_require_none_or_long)] = SecretStr("")
    log_format: Literal["json", "console"] = "json"
    drain_seconds: float = Field(default=0, ge=0, le=600)

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - each subclass's own fields, checked by pydantic
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(_describe(type(self), error)) from None
        except SettingsError as error:
            raise ConfigurationError(str(error)) from None

    def secrets(self) -> list[SecretStr]:
        """Every secret that is set, to be masked in the log."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return [value for value in values if isinstance(value, SecretStr) and value.get_secret_value()]

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
        """Arguments first, then environment and files."""
        return init_settings, FileAwareSource(settings_cls)


def _describe(settings: type[BaseSettings], error: ValidationError) -> str:
    """One sentence a wrong setting, with the variable's name, never the value."""
    return "; ".join(_describe_one(settings, str(one["loc"][0]), one["type"], one["msg"]) for one in error.errors())


def _describe_one(settings: type[BaseSettings], location: str, kind: str, message: str) -> str:
    field = settings.model_fields.get(location)
    name = variable_names(location, field)[0] if field else location
    if kind != "missing":
        return f"{name} is wrong: {message.removeprefix(VALUE_ERROR)}"
    return f"{name} is not set: set it in the environment, or put it in a file and set {name}_FILE to its path"


class ObjectStoreSettings(BaseSettings):
    """Access to a bucket, as a mixin for ServiceSettings."""

    model_config = SETTINGS_CONFIG

    aws_endpoint_url: str | None = None
    aws_region: str = "us-east-1"
    duckdb_access_key: SecretStr | None = None
    duckdb_secret: SecretStr | None = None
    azure_storage_account_name: str | None = None
    azure_storage_account_key: SecretStr | None = None
    azure_storage_use_emulator: bool = False
    google_service_account_key: SecretStr | None = None

    def storage_options_for(self, address: str) -> dict[str, str]:
        """The options of the object store at an address; empty for a folder.

        Commits are create-only writes (`If-None-Match: *`, Google's generation 0), so that concurrent writers are safe
        without a lock table. Without keys, the machine's role applies.
        """
        match object_store_of(address):
            case ObjectStore.S3:
                return self._s3_options()
            case ObjectStore.AZURE:
                return self._azure_options()
            case ObjectStore.GOOGLE:
                return _without_none({"google_service_account_key": _reveal(self.google_service_account_key)})
            case None:
                return {}

    def _s3_options(self) -> dict[str, str]:
        options = {"AWS_REGION": self.aws_region, "AWS_CONDITIONAL_PUT": "etag"}
        if self.aws_endpoint_url:
            plain = self.aws_endpoint_url.startswith("http://")
            options |= {"AWS_ENDPOINT_URL": self.aws_endpoint_url, "AWS_ALLOW_HTTP": str(plain).lower()}
        if self.duckdb_access_key and self.duckdb_secret:
            options["AWS_ACCESS_KEY_ID"] = self.duckdb_access_key.get_secret_value()
            options["AWS_SECRET_ACCESS_KEY"] = self.duckdb_secret.get_secret_value()
        return options

    def _azure_options(self) -> dict[str, str]:
        return _without_none(
            {
                "account_name": self.azure_storage_account_name,
                "account_key": _reveal(self.azure_storage_account_key),
                "use_emulator": "true" if self.azure_storage_use_emulator else None,
            }
        )


def _reveal(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _without_none(options: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in options.items() if value is not None}


def _require_known_store(address: str) -> str:
    try:
        object_store_of(address)
    except ValueError:
        schemes = ", ".join(f"{store}://" for store in ObjectStore)
        raise ValueError(f"the address is a folder, or begins with one of {schemes}") from None
    return address


class DataBucketSettings(ObjectStoreSettings):
    """The address of the lake, as a mixin for ServiceSettings: a folder, or `s3://`, `az://` or `gs://bucket/prefix`."""

    model_config = SETTINGS_CONFIG

    data_bucket: Annotated[str, AfterValidator(_require_known_store)]

    def storage_options(self) -> dict[str, str]:
        """The options of the lake's object store; empty for a folder."""
        return self.storage_options_for(self.data_bucket)


def default_registry_address(data_bucket: str | None) -> str | None:
    """The registry's address when none is set: in the lake's bucket; None when the lake is a folder."""
    if data_bucket is None or not is_bucket(data_bucket):
        return None
    return f"{data_bucket.rstrip('/')}/registry"
