"""The environment variables of the services and of the `models` commands in an offline fund."""

import os
from collections.abc import Mapping

from fund.addresses import Addresses, Service
from fund.folder import FundFolder
from fund.market_settings import MarketSettings
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


def service_environment(
    folder: FundFolder, addresses: Addresses, market: MarketSettings, service: Service
) -> dict[str, str]:
    """The user's environment without the settings of real accounts, plus what one service of this fund needs."""
    match service:
        case Service.EXCHANGE:
            own = _exchange_variables(folder, addresses, market)
        case Service.DATAMANAGER:
            own = _datamanager_variables(folder, addresses, os.environ)
        case Service.PORTFOLIOMANAGER:
            own = _portfoliomanager_variables(folder, addresses)
    return _shared_variables(folder, addresses, service) | own


def models_environment(folder: FundFolder, addresses: Addresses) -> dict[str, str]:
    """The environment of a `models` command."""
    return _shared_variables(folder, addresses, "models")


def _shared_variables(folder: FundFolder, addresses: Addresses, program: str) -> dict[str, str]:
    return _without_accounts(os.environ) | {
        "DATA_BUCKET": str(folder.lake),
        "REGISTRY_DIRECTORY": str(folder.registry),
        "STATE_DIRECTORY": str(folder.state(program)),
        "DATAMANAGER_URL": addresses.url(Service.DATAMANAGER),
        "FUND_API_TOKEN": folder.credentials().fund_api_token,
        "LOG_FORMAT": "json",
        "PYTHONUNBUFFERED": "1",
    }


def _without_accounts(variables: Mapping[str, str]) -> dict[str, str]:
    """Drop what points at real accounts: the offline fund must never reach one by accident."""
    return {name: value for name, value in variables.items() if not name.startswith(ACCOUNT_PREFIXES)}


def _exchange_variables(folder: FundFolder, addresses: Addresses, market: MarketSettings) -> dict[str, str]:
    keys = folder.credentials()
    optional = {
        "EXCHANGE_BARS_FILE": market.bars,
        "EXCHANGE_DETAILS_FILE": market.details,
        "EXCHANGE_START_DATE": market.start,
        "EXCHANGE_CASH": market.cash,
        "EXCHANGE_EVENTS": market.events,
        "EXCHANGE_SIGNAL": market.signal,
    }
    return {
        "EXCHANGE_API_KEY_ID": keys.api_key_id,
        "EXCHANGE_API_SECRET": keys.api_secret,
        "EXCHANGE_MARKET_DATA_KEY": keys.market_data_key,
        "EXCHANGE_SEED": str(market.seed),
        "EXCHANGE_TICKER_COUNT": str(market.tickers),
        "EXCHANGE_SIP_DELAY_MINUTES": "0",
        "EVENT_SUBSCRIBERS": ",".join(
            f"{addresses.url(service)}/events" for service in (Service.DATAMANAGER, Service.PORTFOLIOMANAGER)
        ),
        **{name: value for name, value in optional.items() if value},
    }


def _datamanager_variables(folder: FundFolder, addresses: Addresses, variables: Mapping[str, str]) -> dict[str, str]:
    """Either vendor's interface of the exchange; ConfigurationError for a lake that asks no vendor."""
    if variables.get("MARKET_DATA_VENDOR") == "files":
        raise ConfigurationError(
            "MARKET_DATA_VENDOR is files, and `./fund up` plays a market of which it asks its own exchange for bars: "
            "set it to polygon or alpaca, or play your own bars with `./fund up --bars FILE`"
        )
    keys, exchange = folder.credentials(), addresses.url(Service.EXCHANGE)
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
        "EVENT_SUBSCRIBERS": f"{addresses.url(Service.PORTFOLIOMANAGER)}/events",
    }


def _portfoliomanager_variables(folder: FundFolder, addresses: Addresses) -> dict[str, str]:
    keys = folder.credentials()
    return {
        "ALPACA_API_KEY_ID": keys.api_key_id,
        "ALPACA_API_SECRET": keys.api_secret,
        "ALPACA_BASE_URL": addresses.url(Service.EXCHANGE),
        "TRADE_UPDATES": "false",  # the exchange sends events, and a run is to be repeatable
        "EVENT_SUBSCRIBERS": f"{addresses.url(Service.PORTFOLIOMANAGER)}/events",
        **choose_strategy(folder.read_strategy(), os.environ).variables(),
    }
