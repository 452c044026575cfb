"""The checks of `fund doctor` on the settings of real accounts: complete, readable, and of one kind."""

from collections.abc import Mapping
from pathlib import Path

from fund.findings import Finding
from fund.settings.fund_settings import FundSettings
from fund.settings.secrets import Secret, secret_file, secret_variables
from fund.stakes import BROKER_URLS
from internal.errors import ConfigurationError
from internal.modes import mode_of, require_matching_keys

ACCOUNTS = {
    "ALPACA_API_KEY_ID": ("ALPACA_API_KEY_ID", "APCA_API_KEY_ID"),
    "ALPACA_API_SECRET": ("ALPACA_API_SECRET", "APCA_API_SECRET_KEY"),
    "ALPACA_BASE_URL": ("ALPACA_BASE_URL", "APCA_API_BASE_URL"),
    "POLYGON_API_KEY": ("POLYGON_API_KEY", "MASSIVE_API_KEY"),
    "EDGAR_USER_AGENT": ("EDGAR_USER_AGENT",),
}


def read_accounts(folder: Path, settings: FundSettings | None, variables: Mapping[str, str]) -> dict[str, str]:
    """The settings of accounts by name: of the environment or `NAME_FILE`, else of the secrets, else of `fund.toml`.

    Args:
        folder: The fund's folder.
        settings: Of a fund that runs for real, None for one that does not.
        variables: The environment.

    Raises:
        ConfigurationError: A file that is named cannot be read.
    """
    found = {name: _read(name, folder, variables) for name in ACCOUNTS}
    if settings is not None:
        found["ALPACA_BASE_URL"] = found["ALPACA_BASE_URL"] or BROKER_URLS.get(settings.mode)
        found["EDGAR_USER_AGENT"] = found["EDGAR_USER_AGENT"] or settings.market_data.edgar_user_agent
    return {name: value for name, value in found.items() if value}


def _read(name: str, folder: Path, variables: Mapping[str, str]) -> str | None:
    for alias in ACCOUNTS[name]:
        if given := variables.get(alias):
            return given
        if path := variables.get(f"{alias}_FILE"):
            return _read_text(Path(path), f"{alias}_FILE")
    path = secret_file(folder, Secret(name)) if name in set(Secret) else None
    return _read_text(path, name) if path is not None and path.exists() else None


def _read_text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name}: {path} cannot be read: it must be a text file of yours") from error


def check_configuration(accounts: Mapping[str, str], vendor: str, *, runs_for_real: bool) -> list[Finding]:
    """Check that the settings of real accounts, if there are any, are complete, and that the key fits the address.

    Args:
        accounts: What `read_accounts` found.
        vendor: The market data vendor.
        runs_for_real: Whether `fund.toml` names an account; else the fund is `fund up`'s, which uses none.
    """
    if not accounts and not runs_for_real:
        return [Finding("configuration", "no account configured: the fund runs offline, on its own exchange")]
    not_needed = {"ALPACA_BASE_URL"} | ({"POLYGON_API_KEY"} if vendor != "polygon" else set[str]())
    missing = ", ".join(name for name in ACCOUNTS if name not in accounts and name not in not_needed)
    used = "used by `./fund run`" if runs_for_real else "`./fund up` ignores them, it is always offline"
    findings = [Finding("configuration", f"accounts configured; {used}")]
    if missing:
        remedy = f"Set {missing}, or NAME_FILE for it; `./fund init` writes the keys' files."
        findings.append(Finding("configuration", f"{missing} missing", remedy))
    return [*findings, *_check_key(accounts.get("ALPACA_API_KEY_ID"), accounts.get("ALPACA_BASE_URL"))]


def check_secret_files(folder: Path, variables: Mapping[str, str]) -> list[Finding]:
    """Check that only their owner may read the files of the secrets."""
    try:
        found = secret_variables(folder, variables)
    except ConfigurationError as error:
        return [Finding("keys", "may be read by others", error.detail)]
    return [Finding("keys", f"{len(found)} files, which only you may read")] if found else []


def _check_key(key: str | None, url: str | None) -> list[Finding]:
    if key is None or url is None:
        return []
    try:
        require_matching_keys(key, url)
    except ConfigurationError as error:
        return [Finding("broker key", "of another account", error.detail)]
    return [Finding("broker key", f"fits the address of the {mode_of(url)} account")]
