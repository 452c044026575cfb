"""The environment variables of the services and of the `models` commands, for an offline fund."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fund.addresses import Addresses
from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from fund.services import Service
from fund.settings.secrets import Secret, secret_variables
from fund.strategy_choice import choose_strategy
from internal.errors import ConfigurationError

ACCOUNT_PREFIXES = (
    "ALPACA_",
    "APCA_",
    "POLYGON_",
    "MASSIVE_",
    "EDGAR_",
    "EXCHANGE_",
    "EVENT_",
    "DATA_BUCKET",
    "DUCKDB_",
    "AZURE_",
    "GOOGLE_",
    "FUND_API",
)
FORWARDED_SETTINGS = (  # of the exchange alone, which checks them too
    "EXCHANGE_BARS_STATUS",
    "EXCHANGE_REQUESTS_PER_MINUTE",
    "EXCHANGE_EDGAR_REQUESTS_PER_SECOND",
    "EXCHANGE_EDGAR_REFUSAL_STATUS",
)
REFUSED_SETTINGS: Mapping[str, str] = {  # what a simulated fund chooses itself, and what to do instead
    "EXCHANGE_START_DATE": "a simulated fund opens where its market does; `./fund backtest --through-services "
    "--first-day DATE` opens on a day of your choice",
    "EXCHANGE_SIP_DELAY_MINUTES": "a simulated fund asks for bars right after the close; start an exchange by itself "
    "for bars that are late (docs/reference/exchange.md)",
}


class Environments(Protocol):
    """The environment of each process of one fund."""

    def of_service(self, service: Service) -> dict[str, str]:
        """The environment of a service."""
        ...

    def of_models(self) -> dict[str, str]:
        """The environment of a `models` command."""
        ...


def shared_variables(folder: FundFolder, addresses: Addresses, program: str) -> dict[str, str]:
    """What every process of a fund on this machine is given: its folders, and how it reaches datamanager."""
    return {
        "DATA_BUCKET": str(folder.lake),
        "REGISTRY_DIRECTORY": str(folder.registry),
        "RESEARCH_DIRECTORY": str(folder.research),
        "STATE_DIRECTORY": str(folder.state(program)),
        "DATAMANAGER_URL": addresses.url(Service.DATAMANAGER),
        "FUND_API_TOKEN": folder.credentials().fund_api_token,
        "LOG_FORMAT": "json",
        "PYTHONUNBUFFERED": "1",
    }


@dataclass(frozen=True)
class OfflineEnvironments:
    """Those of a fund on its own exchange: without the settings of real accounts, which it must not reach by accident.

    Args:
        folder: The fund's folder.
        addresses: Where the services listen.
        market: The market that the exchange plays.
        variables: The user's environment.
        has_scheduler: Whether a scheduler runs beside the exchange, as in `fund run`.
    """

    folder: FundFolder
    addresses: Addresses
    market: MarketSettings
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)
    has_scheduler: bool = False

    def of_service(self, service: Service) -> dict[str, str]:
        """The environment of a service.

        Raises:
            ConfigurationError: The user's environment names a vendor that an offline fund cannot ask.
        """
        match service:
            case Service.EXCHANGE:
                own = self._exchange()
            case Service.DATAMANAGER:
                own = self._datamanager()
            case Service.PORTFOLIOMANAGER:
                own = self._portfoliomanager()
            case Service.SCHEDULER:
                own = self._scheduler()
        return self._shared(service) | own

    def of_models(self) -> dict[str, str]:
        """The environment of a `models` command."""
        return self._shared("models")

    def _shared(self, program: str) -> dict[str, str]:
        kept = {name: value for name, value in self.variables.items() if not name.startswith(ACCOUNT_PREFIXES)}
        return kept | shared_variables(self.folder, self.addresses, program)

    def _scheduler(self) -> dict[str, str]:
        """It finds done what the exchange's own events have started, and retrains."""
        return {
            "PORTFOLIOMANAGER_URL": self.addresses.url(Service.PORTFOLIOMANAGER),
            "BARS_DELAY_MINUTES": "0",
            "OPEN_DELAY_MINUTES": "0",
            "MODELS_STATE_DIRECTORY": str(self.folder.state("models")),
        }

    def _exchange(self) -> dict[str, str]:
        """Its market and the fund's own keys, then what the user set beside them.

        Raises:
            ConfigurationError: A setting of the exchange that a simulated fund chooses itself, or that is wrong.
        """
        for name, instead in REFUSED_SETTINGS.items():
            if self.variables.get(name):
                raise ConfigurationError(f"unset {name}: {instead}")
        keys, market = self.folder.credentials(), self.market
        optional = {
            "EXCHANGE_BARS_FILE": market.bars,
            "EXCHANGE_DETAILS_FILE": market.details,
            "EXCHANGE_START_DATE": market.start,
            "EXCHANGE_CASH": market.cash,
            "EXCHANGE_EVENTS": market.events,
            "EXCHANGE_SIGNAL": market.signal,
            "EXCHANGE_REGIME_DATE": market.regime_date,
            "EXCHANGE_REGIME_MULTIPLIER": market.regime_multiplier,
            "EXCHANGE_REGIME_SESSIONS": market.regime_sessions,
        }
        subscribers = (self.addresses.url(service) for service in (Service.DATAMANAGER, Service.PORTFOLIOMANAGER))
        return {
            "EXCHANGE_API_KEY_ID": keys.api_key_id,
            "EXCHANGE_API_SECRET": keys.api_secret,
            "EXCHANGE_MARKET_DATA_KEY": keys.market_data_key,
            "EXCHANGE_SEED": str(market.seed),
            "EXCHANGE_TICKER_COUNT": str(market.tickers),
            "EXCHANGE_SIP_DELAY_MINUTES": "0",
            "EVENT_SUBSCRIBERS": ",".join(f"{url}/events" for url in subscribers),
            **{name: value for name, value in optional.items() if value},
            **{name: value for name in FORWARDED_SETTINGS if (value := self.variables.get(name))},
        }

    def _datamanager(self) -> dict[str, str]:
        """Either vendor's interface of the exchange."""
        if self.variables.get("MARKET_DATA_VENDOR") == "files":
            raise ConfigurationError(
                "MARKET_DATA_VENDOR is files, and `./fund up` plays a market of which it asks its own exchange for "
                "bars: set it to polygon or alpaca, or play your own bars with `./fund up --bars FILE`"
            )
        keys, exchange = self.folder.credentials(), self.addresses.url(Service.EXCHANGE)
        return {
            "POLYGON_API_KEY": keys.market_data_key,
            "POLYGON_BASE_URL": exchange,
            "POLYGON_REQUESTS_PER_MINUTE": "0",
            "ALPACA_API_KEY_ID": keys.api_key_id,
            "ALPACA_API_SECRET": keys.api_secret,
            "ALPACA_BASE_URL": exchange,
            "ALPACA_DATA_URL": exchange,
            "ALPACA_DATA_REQUESTS_PER_MINUTE": "0",
            "ALPACA_DATA_DELAY_MINUTES": "0",
            "EDGAR_USER_AGENT": "A fund without accounts admin@example.com",  # the exchange takes any
            "EDGAR_BASE_URL": exchange,
            "EDGAR_DATA_BASE_URL": exchange,
            "EDGAR_REQUESTS_PER_SECOND": "0",
            "EVENT_SUBSCRIBERS": f"{self.addresses.url(Service.PORTFOLIOMANAGER)}/events",
        }

    def _portfoliomanager(self) -> dict[str, str]:
        """The exchange as the broker; messages go to the targets that the folder holds, as those of any fund."""
        keys = self.folder.credentials()
        targets = f"{Secret.NOTIFICATION_URLS}_FILE"
        secrets = secret_variables(self.folder.root, self.variables)
        return {
            **({targets: secrets[targets]} if targets in secrets else {}),
            "ALPACA_API_KEY_ID": keys.api_key_id,
            "ALPACA_API_SECRET": keys.api_secret,
            "ALPACA_BASE_URL": self.addresses.url(Service.EXCHANGE),
            "SCHEDULER_URL": self.addresses.url(Service.SCHEDULER) if self.has_scheduler else "",
            "TRADE_UPDATES": "false",  # the exchange sends events, and a run is to be repeatable
            "EVENT_SUBSCRIBERS": f"{self.addresses.url(Service.PORTFOLIOMANAGER)}/events",
            **choose_strategy(self.folder.read_strategy(), self.variables).variables(),
        }
