"""The settings of the exchange, seen from the command that starts it: none is dropped without a word."""

from typer.core import TyperGroup
from typer.main import get_command

from exchange.configuration import Configuration
from fund.offline_commands import commands
from fund.service_environment import FORWARDED_SETTINGS, REFUSED_SETTINGS
from fund.settings.sections import Simulation

KEYS = {"EXCHANGE_API_KEY_ID", "EXCHANGE_API_SECRET", "EXCHANGE_MARKET_DATA_KEY"}  # the fund makes both ends' own


def test_every_setting_has_an_answer() -> None:
    """Each is an option of `fund up` and a key of `fund.toml`, or is passed on, or refused."""
    known = {name.upper() for name in Configuration.model_fields if name.startswith("exchange_")}
    group = get_command(commands)
    assert isinstance(group, TyperGroup)
    options = {str(option.envvar) for option in group.commands["up"].params if option.envvar}
    assert options == {name.upper() for name in Simulation.model_fields if name.startswith("exchange_")}
    assert known == options | set(FORWARDED_SETTINGS) | set(REFUSED_SETTINGS) | KEYS
