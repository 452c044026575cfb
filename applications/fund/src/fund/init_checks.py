"""What `fund init` checks of its answers beside their form: the strategy, and the targets of messages."""

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache

from fund.settings.fund_settings import FundSettings
from fund.settings.secrets import Secret
from fund.strategy_choice import StrategyChoice, find_file
from fund.strategy_loading import load_choice
from internal.errors import ConfigurationError

CHECK = ("-m", "portfoliomanager.notifications.check")


def check_strategy(settings: FundSettings) -> None:
    """Load the strategy as the fund will. Raises ConfigurationError, which says what is wrong with it."""
    chosen = settings.trading
    load_choice(StrategyChoice(find_file(chosen.strategy), chosen.strategy_parameters))


def check_targets(secrets: Mapping[Secret, str], chats: str) -> None:
    """Check new targets of messages by the rule of the service that sends them.

    Raises ConfigurationError, which names the line and not what it holds.
    """
    if Secret.NOTIFICATION_URLS in secrets:
        _check_urls(secrets[Secret.NOTIFICATION_URLS], needs_bot=bool(chats))


@cache
def _check_urls(urls: str, *, needs_bot: bool) -> None:
    """Ask the service's program; right ones are asked about once."""
    words = [sys.executable, *CHECK, *(["--bot"] if needs_bot else [])]
    ended = subprocess.run(words, env=os.environ, input=urls, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if ended.returncode:
        raise ConfigurationError(ended.stderr.strip())
