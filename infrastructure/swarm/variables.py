"""The values of the stack files' `${...}`: the images' revision, addresses, names of configs and secrets.

The defaults are those of a Swarm without any account.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from infrastructure.names import STACKS
from internal.errors import ConfigurationError

FOLDER = Path(__file__).parents[1] / "stacks"
FILES: Mapping[str, tuple[str, ...]] = {
    STACKS[0]: ("platform.yaml", "monitoring.yaml"),
    STACKS[1]: ("applications.yaml",),
}
SIMULATED_MARKET = "exchange.yaml"  # it publishes its own sessions
CALENDAR = "scheduler.yaml"  # publishes those of the real market
SETTINGS: Mapping[str, str] = {  # a variable of this name in the environment of the task wins
    "SWARM_ADDRESS": "127.0.0.1",  # where the local Swarm's ports are: of a virtual machine, another
    "HTTP_PORT": "80",
    "HTTPS_PORT": "443",
    "DATAMANAGER_PORT": "8080",
    "PORTFOLIOMANAGER_PORT": "8081",
    "IMAGE_PREFIX": "",  # `registry.example/` in production
    "REGISTRY_DIRECTORY": "/registry",
    "STRATEGY": "strategies/ten_by_ten.py:TenByTen",  # of the tree that the images were built from
    "STRATEGY_PARAMETERS": "",
    "CAPITAL": "",
    "AWS_ENDPOINT_URL": "",
    "AWS_REGION": "us-east-1",
    "AZURE_STORAGE_ACCOUNT_NAME": "",
    "MARKET_DATA_VENDOR": "polygon",
    "SECOND_MARKET_DATA_VENDOR": "",
    "EXCHANGE_SEED": "1",
    "EXCHANGE_TICKER_COUNT": "120",
}
LOCAL: Mapping[str, str] = {
    "DOMAIN": "localhost",
    "ACME_EMAIL": "",
    "TRAEFIK_FILE": "local.yaml",
    "SCHEDULER_URL": "",  # the exchange publishes the sessions
    "POLYGON_BASE_URL": "http://exchange:8090",
    "POLYGON_REQUESTS_PER_MINUTE": "0",
    "ALPACA_DATA_URL": "http://exchange:8090",
    "EDGAR_BASE_URL": "http://exchange:8090",
    "EDGAR_DATA_BASE_URL": "http://exchange:8090",
    "EDGAR_REQUESTS_PER_SECOND": "0",
}
PRODUCTION: Mapping[str, str] = {
    "TRAEFIK_FILE": "production.yaml",
    "SCHEDULER_URL": "http://scheduler:8082",
    "POLYGON_BASE_URL": "https://api.polygon.io",
    "POLYGON_REQUESTS_PER_MINUTE": "5",
    "ALPACA_DATA_URL": "https://data.alpaca.markets",
    "EDGAR_BASE_URL": "https://www.sec.gov",
    "EDGAR_DATA_BASE_URL": "https://data.sec.gov",
    "EDGAR_REQUESTS_PER_SECOND": "10",
    "REGISTRY_DIRECTORY": "",  # beside the lake in its bucket, which every node reaches
}
OWNED = ("DOMAIN", "ACME_EMAIL")  # in production the owner says them
HASH_VARIABLE = re.compile(r"-\$\{(\w+)\}$")
REQUIRED = re.compile(r"(?<!\$)\$\{(\w+)\}")  # one with a default, ${NAME:-default}, may be left out
VARIABLE = re.compile(r"\$\{(\w+)[^}]*\}")


def files_of(stack: str, environment: Mapping[str, str], *, production: bool) -> list[Path]:
    """The files of a stack, in the order in which they are laid over one another.

    `INFRASTRUCTURE_OVERLAY` and `APPLICATIONS_OVERLAY` name a file of the owner's own that comes last: other limits,
    placements, or volumes that every node shares.
    """
    names = FILES[stack]
    if stack == STACKS[1]:
        names = (*names, CALENDAR if production else SIMULATED_MARKET)
    overlay = environment.get(f"{stack.upper()}_OVERLAY")
    return [FOLDER / name for name in names] + ([Path(overlay).resolve()] if overlay else [])


def settings(environment: Mapping[str, str], *, production: bool) -> dict[str, str]:
    """Every variable that is a setting. Raises ConfigurationError for one that production needs."""
    known = {**SETTINGS, **(PRODUCTION if production else LOCAL)}
    given = {name: environment[name] for name in (*known, *OWNED) if environment.get(name)}
    found = known | given
    if missing := [name for name in OWNED if name not in found]:
        raise ConfigurationError(f"production needs {' and '.join(missing)} in the environment of this task")
    return found


def config_hashes(files: Iterable[Path], values: Mapping[str, str]) -> dict[str, str]:
    """The variables in the names of configs: 12 hexadecimal digits of the SHA-256 of each file's content.

    A Swarm config cannot be changed in place; with its content in its name a changed file is a new config, and an
    unchanged one leaves its services alone.
    """
    found: dict[str, str] = {}
    for file in files:
        configs: Mapping[str, Any] = yaml.safe_load(file.read_text()).get("configs") or {}
        for name, config in configs.items():
            variable = HASH_VARIABLE.search(str(config.get("name", "")))
            if variable is None:
                raise ConfigurationError(f"{file.name}: the name of config {name} must end with -${{..._HASH}}")
            path = file.parent / VARIABLE.sub(lambda match: values[match[1]], config["file"])
            found[variable[1]] = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return found


def variables_of(
    stack: str, environment: Mapping[str, str], secrets: Mapping[str, str], revision: str, *, production: bool
) -> dict[str, str]:
    """Every variable of a stack's files.

    Args:
        stack: `infrastructure` or `applications`.
        environment: the task's own.
        secrets: the secrets' names in the Swarm by the names that services know them by.
        revision: the images' tag.
        production: whether the Swarm is the production one.
    """
    files = files_of(stack, environment, production=production)
    values = settings(environment, production=production) | {"REVISION": revision}
    names = {f"{name}_SECRET": actual for name, actual in secrets.items()}
    found = values | names | config_hashes(files, values)
    asked = {name for file in files for name in REQUIRED.findall(_without_comments(file.read_text()))}
    if unknown := sorted(asked - found.keys()):
        missing = [name.removesuffix("_SECRET") for name in unknown]
        raise ConfigurationError(f"stack {stack}: nothing is known of {', '.join(missing)}: see `mask secrets list`")
    return found


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)(^|\s)#.*$", "", text)
