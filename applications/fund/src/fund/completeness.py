"""Checks that a fund has the settings and the secrets that it needs to run."""

from fund.folder import FundFolder
from fund.init_secrets import list_missing
from fund.settings.fund_settings import read_settings
from internal.errors import ConfigurationError


def require_complete(folder: FundFolder) -> None:
    """Check that the fund can run without the environment of a terminal.

    Raises:
        ConfigurationError: It has no settings file, or lacks a secret's file.
    """
    if not folder.settings_file.exists():
        raise ConfigurationError(f"there is no {folder.settings_file}: run `./fund init` first")
    missing = list_missing(folder.root, read_settings(folder.settings_file))
    if missing:
        raise ConfigurationError(f"{', '.join(map(str, missing))} missing: run `./fund init` first")
