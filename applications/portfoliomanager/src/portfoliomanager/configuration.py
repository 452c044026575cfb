"""The settings of portfoliomanager, read from the environment and checked before anything is opened."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, override

from pydantic import AliasChoices, Field, SecretStr

from internal.backtests.folder import ResearchFolder
from internal.errors import ConfigurationError
from internal.limit_settings import LimitSettings
from internal.modes import require_matching_keys
from internal.settings import DataBucketSettings, ServiceSettings, default_registry_address
from internal.strategies.assignments import split_assignments
from internal.strategies.loading import LoadedStrategy, load_strategy
from internal.telegram_chats import parse_chats
from internal.trading.capital import Capital
from internal.trading.name_filter import NameFilter, parse_name_list, parse_types
from portfoliomanager.notifications.targets import NotificationTarget, find_bot_token, read_targets
from portfoliomanager.telegram.bot_api import BotApi


class Configuration(ServiceSettings, DataBucketSettings, LimitSettings):
    """The settings of portfoliomanager. Raises ConfigurationError for a missing or contradictory one."""

    alpaca_api_key_id: SecretStr = Field(validation_alias=AliasChoices("ALPACA_API_KEY_ID", "APCA_API_KEY_ID"))
    alpaca_api_secret: SecretStr = Field(validation_alias=AliasChoices("ALPACA_API_SECRET", "APCA_API_SECRET_KEY"))
    alpaca_base_url: str = Field(validation_alias=AliasChoices("ALPACA_BASE_URL", "APCA_API_BASE_URL"))
    datamanager_url: str = "http://127.0.0.1:8080"
    scheduler_url: str = ""
    registry_directory: str | None = None
    research_directory: str = ""
    strategy: str = "strategies/ten_by_ten.py:TenByTen"
    strategy_parameters: str = ""
    capital: str = ""
    security_types: str = "CS"
    do_not_trade: str = ""
    only_trade: str = ""
    trade_updates: bool = True
    notification_urls: SecretStr = SecretStr("")
    telegram_chats: str = ""
    telegram_base_url: str = "https://api.telegram.org"
    lease_seconds: float = Field(default=30, ge=1, le=600)

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - the fields above, checked by pydantic
        super().__init__(**values)
        require_matching_keys(self.alpaca_api_key_id.get_secret_value(), self.broker_url())
        self.registry_address()
        self.fund_capital()
        self.name_filter()
        self.telegram_bot()

    @override
    def secrets(self) -> list[SecretStr]:
        """Every secret, with the part of a URL that the requests of the Telegram bot hold."""
        token = find_bot_token(self.notification_targets())
        return [*super().secrets(), *([SecretStr(token)] if token else [])]

    def notification_targets(self) -> Sequence[NotificationTarget]:
        """Where messages to the owner go. Raises ConfigurationError, which names the line."""
        return read_targets(self.notification_urls.get_secret_value())

    def telegram_chat_ids(self) -> Sequence[int]:
        """The chats that may ask for the status and halt or reduce. Raises ConfigurationError."""
        return _parse_setting("TELEGRAM_CHATS", parse_chats, self.telegram_chats)

    def telegram_bot(self) -> BotApi | None:
        """The bot that answers the listed chats, None where none is listed. Raises ConfigurationError."""
        token, chats = find_bot_token(self.notification_targets()), self.telegram_chat_ids()
        if chats and not token:
            raise ConfigurationError(
                "TELEGRAM_CHATS is set, but no line of NOTIFICATION_URLS is tgram://TOKEN/CHAT: the bot that answers "
                "is the one that sends the messages"
            )
        return BotApi(token, self.telegram_base_url) if chats else None

    def name_filter(self) -> NameFilter:
        """Which securities the fund may open. Raises ConfigurationError, which names the setting."""
        types = _parse_setting("SECURITY_TYPES", parse_types, self.security_types)
        do_not_trade = _parse_setting("DO_NOT_TRADE", parse_name_list, self.do_not_trade)
        return NameFilter(types, do_not_trade, _parse_setting("ONLY_TRADE", parse_name_list, self.only_trade))

    def registry_address(self) -> str:
        """Where the models are: a folder, or `s3://bucket/prefix`; beside the lake where nothing is set.

        Raises:
            ConfigurationError: Nothing is set, and the lake is no bucket.
        """
        address = self.registry_directory or default_registry_address(self.data_bucket)
        if address is None:
            raise ConfigurationError("REGISTRY_DIRECTORY is not set: name the folder that `models` registers in")
        return address

    def research_folder(self) -> ResearchFolder | None:
        """Where backtests are written down; None where the fund has no such folder, as in the Swarm."""
        return ResearchFolder(Path(self.research_directory)) if self.research_directory else None

    def broker_url(self) -> str:
        """The broker's address without the version that alpaca-py adds itself."""
        return self.alpaca_base_url.rstrip("/").removesuffix("/v2")

    def fund_capital(self) -> Capital | None:
        """How much of the account the fund may use; None for all of it. Raises ConfigurationError."""
        return Capital.parse(self.capital) if self.capital.strip() else None

    def load_strategy(self) -> LoadedStrategy:
        """The strategy that decides. Raises ConfigurationError, which names the setting."""
        try:
            return load_strategy(self.strategy, split_assignments(self.strategy_parameters))
        except ConfigurationError as error:
            raise ConfigurationError(f"STRATEGY or STRATEGY_PARAMETERS is wrong: {error.detail}") from error


def _parse_setting[Value](name: str, parse: Callable[[str], Value], text: str) -> Value:
    try:
        return parse(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{name} is wrong: {error.detail}") from error
