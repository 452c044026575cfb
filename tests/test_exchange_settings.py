"""The settings of the exchange, seen from the command that starts it: none is dropped without a word."""

from typer.core import TyperGroup
from typer.main import get_command

from exchange.configuration import Configuration
from fund.market_settings import DEFAULT_MULTIPLIER, DEFAULT_SESSIONS, REGIME
from fund.offline_commands import commands, through_services
from fund.service_environment import FORWARDED_SETTINGS, REFUSED_SETTINGS
from fund.settings.sections import Simulation

KEYS = {"EXCHANGE_API_KEY_ID", "EXCHANGE_API_SECRET", "EXCHANGE_MARKET_DATA_KEY"}  # the fund makes both ends' own


def test_every_setting_has_an_answer() -> None:
    """Each is an option of `up` and of a backtest through services and a key of `fund.toml`, or sent on, or refused.

    The switch of volatility is a variable and a key alone, of a fund's market.
    """
    known = {name.upper() for name in Configuration.model_fields if name.startswith("exchange_")}
    group = get_command(commands)
    assert isinstance(group, TyperGroup)
    options, others = (
        {str(option.envvar) for option in command.params if option.envvar}
        for command in (group.commands["up"], get_command(through_services))
    )
    assert options == others
    keys = {name.upper() for name in Simulation.model_fields if name.startswith("exchange_")}
    assert keys == options | {f"EXCHANGE_{name.upper()}" for name in REGIME}
    assert known == keys | set(FORWARDED_SETTINGS) | set(REFUSED_SETTINGS) | KEYS


def test_the_switch_of_volatility_has_the_exchange_s_defaults() -> None:
    """A fund compares and shows the switch that it opened with, and may not import the exchange."""
    fields = Configuration.model_fields
    assert float(DEFAULT_MULTIPLIER) == fields["exchange_regime_multiplier"].default
    assert int(DEFAULT_SESSIONS) == fields["exchange_regime_sessions"].default
