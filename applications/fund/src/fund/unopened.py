"""Says that a folder holds no fund, and which command opens one there."""

from fund.folder import FundFolder
from internal.errors import ConfigurationError


def describe_unopened(folder: FundFolder) -> str:
    """A folder in which no fund has opened, and the command that opens one."""
    containers = folder.root / "compose" / "compose.env"
    if containers.exists():
        return (
            f"The fund of {folder.settings_file} was set up for containers, which this command does not see: "
            f"`docker compose --env-file {containers} ps` does. `./fund orders`, `halt` and other commands reach it."
        )
    if folder.settings_file.exists():
        return f"The fund of {folder.settings_file} was never started. Start it: ./fund run"
    return (
        f"No fund in {folder.root}. Open one: ./fund up, or ./fund init and ./fund run. FUND_HOME names the folder of "
        "another one."
    )


def require_opened(folder: FundFolder) -> None:
    """Check that a fund was opened in the folder, before a command that only reads would make keys there.

    Raises:
        ConfigurationError: None was.
    """
    if not folder.has_credentials:
        raise ConfigurationError(describe_unopened(folder))
