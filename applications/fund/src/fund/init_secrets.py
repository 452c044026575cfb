"""The secrets of `fund init`: which a fund needs, where they come from, and whether the broker takes them."""

from collections.abc import Mapping
from pathlib import Path

import typer

from fund.broker_account import BrokerApi
from fund.init_checks import check_targets
from fund.settings.fund_settings import FundSettings
from fund.settings.secrets import Secret, read_secret, secret_file
from internal.errors import ConfigurationError, UnavailableError
from internal.modes import Mode, require_matching_keys
from internal.settings import read_variable


def list_needed(settings: FundSettings) -> list[Secret]:
    """The secrets without which the fund cannot run."""
    if settings.mode is Mode.SIMULATED:
        return []
    vendor = [Secret.POLYGON_API_KEY] if settings.market_data.market_data_vendor == "polygon" else []
    return [Secret.ALPACA_API_KEY_ID, Secret.ALPACA_API_SECRET, *vendor]


def list_missing(root: Path, settings: FundSettings) -> list[Path]:
    """The files of those that are not there."""
    return [secret_file(root, secret) for secret in list_needed(settings) if read_secret(root, secret) is None]


def collect_secrets(root: Path, settings: FundSettings, files: tuple[str, ...], *, asks: bool) -> dict[Secret, str]:
    """The secrets to write: from files, from the environment, or typed; what is stored and not typed again stays.

    Raises:
        ConfigurationError: A file cannot be read, or is not named NAME=FILE.
    """
    found = dict(_read_file(text) for text in files)
    targets = [] if settings.mode is Mode.SIMULATED else [Secret.NOTIFICATION_URLS]
    for secret in (*list_needed(settings), *targets):
        if secret in found:
            continue
        stored = secret_file(root, secret).exists()
        prompt = _prompt_targets if secret is Secret.NOTIFICATION_URLS else _prompt
        if not stored and (given := read_variable(secret)):
            found[secret] = given
        elif asks and (typed := prompt(secret, stored=stored)):
            found[secret] = typed
    return found


def _read_file(text: str) -> tuple[Secret, str]:
    name, equals, path = text.partition("=")
    if not equals or name not in set(Secret):
        raise ConfigurationError(f"--key {name}: write NAME=FILE; the names are {', '.join(Secret)}")
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--key {name}: {path} cannot be read") from error
    if not value:
        raise ConfigurationError(f"--key {name}: {path} is empty")
    return Secret(name), value


def _prompt(secret: Secret, *, stored: bool) -> str:
    return _prompt_hidden(secret, "Enter keeps the stored one" if stored else "not shown; Enter leaves it for later")


def _prompt_targets(secret: Secret, *, stored: bool) -> str:
    """The targets of messages, asked for until Enter, a wrong one again; one a line."""
    lines: list[str] = []
    while True:
        hint = (
            "Enter for no more" if lines else "Enter keeps the stored ones" if stored else "not shown; Enter for none"
        )
        typed = _prompt_hidden("Where messages to you go, as ntfy://TOPIC or mailto://user:password@example.com", hint)
        if not typed:
            return "\n".join(lines)
        try:
            check_targets({secret: "\n".join([*lines, typed])}, "")
        except ConfigurationError as error:
            typer.echo(error.detail)
        else:
            lines.append(typed)


def _prompt_hidden(text: str, hint: str) -> str:
    answer: str = typer.prompt(f"{text} ({hint})", default="", show_default=False, hide_input=True)
    return answer.strip()


def check_broker(root: Path, url: str, secrets: Mapping[Secret, str]) -> str:
    """Ask the broker about the account, with the new keys; what came of it.

    Raises:
        ConfigurationError: The key is of another kind of account, or the broker refuses it.
    """
    names = (Secret.ALPACA_API_KEY_ID, Secret.ALPACA_API_SECRET)
    key_id, secret = (secrets.get(name) or read_secret(root, name) for name in names)
    if key_id is not None:
        require_matching_keys(key_id, url)
    if key_id is None or secret is None:
        return "The broker was not asked: a key is missing."
    try:
        account = BrokerApi(url, key_id, secret).account()
    except UnavailableError as error:
        return f"The keys were not checked: {error.detail}."
    return f"The broker answers: account {account.account_number}, net asset value {account.equity:,.2f} dollars."
