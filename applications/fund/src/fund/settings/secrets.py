"""The secrets of a fund: one file each, which only its owner may read, in the folder `secrets` of the fund's folder."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from fund.folder import PRIVATE_FILE, PRIVATE_FOLDER, PRIVATE_MASK
from internal.atomic_files import write_atomically
from internal.errors import ConfigurationError
from internal.settings import read_variable

SECRETS_FOLDER = "secrets"


class Secret(StrEnum):
    """The names of the secrets, which are also their environment variables and the names of their files."""

    ALPACA_API_KEY_ID = "ALPACA_API_KEY_ID"
    ALPACA_API_SECRET = "ALPACA_API_SECRET"  # noqa: S105 - a name
    POLYGON_API_KEY = "POLYGON_API_KEY"
    DUCKDB_ACCESS_KEY = "DUCKDB_ACCESS_KEY"
    DUCKDB_SECRET = "DUCKDB_SECRET"  # noqa: S105 - a name
    AZURE_STORAGE_ACCOUNT_KEY = "AZURE_STORAGE_ACCOUNT_KEY"
    GOOGLE_SERVICE_ACCOUNT_KEY = "GOOGLE_SERVICE_ACCOUNT_KEY"
    WEIGHTS_AND_BIASES_API_KEY = "WEIGHTS_AND_BIASES_API_KEY"
    NOTIFICATION_URLS = "NOTIFICATION_URLS"


def secret_file(folder: Path, secret: Secret) -> Path:
    """The file of a secret in the fund's folder."""
    return folder / SECRETS_FOLDER / secret


def read_secret(folder: Path, secret: Secret) -> str | None:
    """The secret as the environment or `NAME_FILE` gives it, else as its file holds it; None where there is none.

    Raises:
        ConfigurationError: A file is there and cannot be read.
    """
    if (given := read_variable(secret)) is not None:
        return given
    path = secret_file(folder, secret)
    try:
        return path.read_text(encoding="utf-8").strip() or None if path.exists() else None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: it must be a text file of yours") from error


def write_secret(folder: Path, secret: Secret, value: str) -> None:
    """Write a secret so that only its owner may read it."""
    path = secret_file(folder, secret)
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    path.parent.chmod(PRIVATE_FOLDER)
    write_atomically(path, value.strip() + "\n", PRIVATE_FILE)


def secret_variables(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """`NAME_FILE` of each secret that has a file, unless the environment gives it in another way.

    Raises:
        ConfigurationError: Others than the owner may read a file.
    """
    found: dict[str, str] = {}
    for secret in Secret:
        path = secret_file(folder, secret)
        given = environment.get(secret) or environment.get(f"{secret}_FILE")
        if given or not path.exists():
            continue
        if path.stat().st_mode & PRIVATE_MASK:
            raise ConfigurationError(f"{path} may be read by others: run `chmod 600 {path}`, and make a new key")
        found[f"{secret}_FILE"] = str(path)
    return found
