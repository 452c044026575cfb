"""`fund models`: the commands of `models`, with the registry, datasets and datamanager of the fund's folder."""

import os
from collections.abc import Sequence

import typer

from fund.options import TYPED
from fund.passing_on import ARGUMENTS_AS_GIVEN, become

commands = typer.Typer(add_completion=False)


@commands.command(context_settings=ARGUMENTS_AS_GIVEN)
def models(context: typer.Context) -> None:
    """List, train, evaluate and promote models of this fund; `./fund models --help` lists the commands."""
    become("models.entry", context.args, choose_variables(context.args) | {"MODELS_TYPED_AS": f"{TYPED} models"})


def choose_variables(arguments: Sequence[str]) -> dict[str, str]:
    """The environment of the command: that of this fund, which must be there for anything but help.

    Raises:
        ConfigurationError: There is no fund in the folder.
    """
    if not arguments or "--help" in arguments:
        return dict(os.environ)
    from fund.addresses import Addresses
    from fund.folder import FundFolder
    from fund.real_environment import choose_environments
    from fund.unopened import require_opened

    folder = FundFolder.from_environment()
    require_opened(folder)
    return choose_environments(folder, Addresses.of_running(folder)).of_models()
