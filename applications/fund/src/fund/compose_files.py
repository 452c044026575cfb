"""What compose.yaml reads, for a fund in containers without a Swarm."""

import os
import shlex
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape

from fund.folder import PRIVATE_FILE, PRIVATE_FOLDER, FundFolder
from fund.init_secrets import list_missing
from fund.processes import SUPERVISOR, running_processes
from fund.settings.fund_settings import FundSettings, read_settings
from fund.settings.secrets import Secret, read_secret
from fund.settings.variables import service_variables
from fund.stakes import choose_broker_url, show_banner
from fund.strategy_choice import find_file
from fund.version import CHECKOUT
from internal.atomic_files import write_atomically
from internal.errors import ConfigurationError
from internal.modes import Mode, mode_of

FILES: Final = (
    Secret.ALPACA_API_KEY_ID,
    Secret.ALPACA_API_SECRET,
    Secret.POLYGON_API_KEY,
    Secret.NOTIFICATION_URLS,
    Secret.WEIGHTS_AND_BIASES_API_KEY,
)
FOLDERS: Final = ("lake", "registry", "datamanager", "portfoliomanager", "scheduler", "models")
IN_THE_FILE: Final = frozenset(  # compose.yaml sets them, or has no such folder
    {"DATA_BUCKET", "REGISTRY_DIRECTORY", "RESEARCH_DIRECTORY", "RETRAIN_EVERY"}
)


def write_compose(revision: str) -> None:
    """Write the files of this folder's fund, and print the command that starts the containers."""
    folder, console = FundFolder.from_environment(), Console(soft_wrap=True, highlight=False)
    settings = read_settings(folder.settings_file)
    if settings.mode is Mode.SIMULATED:
        raise ConfigurationError("compose.yaml has no exchange: a simulated fund runs with `./fund run`")
    if SUPERVISOR in running_processes(folder):
        raise ConfigurationError("this fund is up: end it with `./fund down`, for two of them cannot share a folder")
    if missing := list_missing(folder.root, settings):
        raise ConfigurationError(f"{', '.join(map(str, missing))} missing: run `./fund init` first")
    folder.require_mode(settings.mode)
    url = choose_broker_url(settings.mode)
    write_files(folder, settings, url)
    show_banner(mode_of(url))
    file = folder.root / "compose" / "compose.env"
    write_atomically(file, format_variables(interpolated_variables(folder, settings, revision)), PRIVATE_FILE)
    console.print(f"Wrote {escape(str(file.parent))}. Next:")
    console.print(f"  docker compose --env-file {escape(shlex.quote(str(file)))} up --detach")


def write_files(folder: FundFolder, settings: FundSettings, url: str) -> None:
    """Write settings and secrets, and make the folders that the containers share with `fund run`."""
    folder.make_private()
    own = folder.root / "compose"
    for name in FOLDERS:
        (folder.root / name).mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    variables = {name: value for name, value in service_variables(settings).items() if name not in IN_THE_FILE}
    variables |= {"ALPACA_BASE_URL": url, "STRATEGY": address_in_image(settings.trading.strategy), "LOG_FORMAT": "json"}
    write_atomically(own / "settings.env", format_variables(variables), PRIVATE_FILE)
    for secret in FILES:  # an empty file sets nothing
        write_atomically(own / secret, read_secret(folder.root, secret) or "", PRIVATE_FILE)
    write_atomically(own / "FUND_API_TOKEN", folder.credentials().fund_api_token, PRIVATE_FILE)
    own.chmod(PRIVATE_FOLDER)


def interpolated_variables(folder: FundFolder, settings: FundSettings, revision: str) -> dict[str, str]:
    """The values of compose.yaml's `${...}`."""
    services = settings.services
    return {
        "FUND_HOME": str(folder.root),
        "FUND_UID": str(os.getuid()),
        "FUND_GID": str(os.getgid()),
        "REVISION": revision,
        "DATAMANAGER_PORT": str(services.datamanager_port),
        "PORTFOLIOMANAGER_PORT": str(services.portfoliomanager_port),
        "SCHEDULER_PORT": str(services.scheduler_port),
    }


def address_in_image(address: str) -> str:
    """Where a strategy of this checkout's folder `strategies` is in the container.

    Raises:
        ConfigurationError: It is in another folder.
    """
    path, _, name = find_file(address).rpartition(":")
    folder = CHECKOUT / "strategies"
    if not Path(path).is_relative_to(folder):
        raise ConfigurationError(f"{path} is not in {folder}, which the containers see: move it there")
    return f"/strategies/{Path(path).relative_to(folder)}:{name}"


def format_variables(variables: dict[str, str]) -> str:
    """Lines of an env file; in single quotes a value stays as it is.

    Raises:
        ConfigurationError: A value holds a single quote or a line break.
    """
    for name, value in variables.items():
        if "'" in value or "\n" in value:
            raise ConfigurationError(f"{name} holds a single quote or a line break, which an env file cannot hold")
    return "".join(f"{name}='{value}'\n" for name, value in variables.items())
