"""The sections of `fund.toml`: each key with its type, default and meaning; in capitals it is a variable."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from fund.market_settings import REGIME, MarketSettings
from fund.options import Events, ModelSize, Signal
from fund.settings.problems import describe_variable
from internal.edgar_user_agent import require_declared
from internal.errors import ConfigurationError
from internal.limit_settings import LimitSettings
from internal.telegram_chats import parse_chats
from internal.trading.capital import Capital
from internal.trading.name_filter import parse_name_list, parse_types

Port = Annotated[int, Field(ge=1, le=65535)]


def _require_capital(text: str) -> str:
    try:
        if text.strip():
            Capital.parse(text)
    except ConfigurationError as error:
        raise ValueError(error.detail.removeprefix("CAPITAL is ")) from error
    return text


def _require_chats(text: str) -> str:
    return _require_parsed(parse_chats, text)


def _require_types(text: str) -> str:
    return _require_parsed(parse_types, text)


def _require_names(text: str) -> str:
    return _require_parsed(parse_name_list, text)


def _require_parsed(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except ConfigurationError as error:
        raise ValueError(error.detail) from error
    return text


class Section(BaseModel):
    """One section; an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True, use_attribute_docstrings=True)


class Broker(Section):
    """The broker. Its address follows from `mode`; its keys are secrets."""

    trade_updates: bool = True
    """Whether the broker's stream of order updates is followed."""
    lease_seconds: Annotated[float, Field(ge=1, le=600)] = 30
    """How long a dead trader's lease keeps others from trading."""


class MarketData(Section):
    """Who is asked for bars, listings, corporate actions and companies."""

    market_data_vendor: Literal["polygon", "alpaca", "files"] = "polygon"
    """The vendor; with `files` nobody is asked, and the lake is fed by `./fund data import`."""
    second_market_data_vendor: Literal["polygon", "alpaca"] | None = None
    """A vendor that each collection is compared with."""
    polygon_base_url: str = "https://api.polygon.io"
    """Polygon's address."""
    polygon_requests_per_minute: Annotated[int, Field(ge=0)] = 5
    """The limit of your plan; 0 is no limit."""
    alpaca_data_url: str = "https://data.alpaca.markets"
    """Alpaca's address for market data."""
    alpaca_data_requests_per_minute: Annotated[int, Field(ge=0)] = 200
    """The limit of your plan; 0 is no limit."""
    alpaca_data_delay_minutes: Annotated[int, Field(ge=0, le=1440)] = 15
    """How old consolidated bars are on your plan; 0 with recent data."""
    edgar_user_agent: Annotated[str, AfterValidator(require_declared)] | None = None
    """Your name and e-mail address, which the SEC asks for: `Jane Doe jane@example.com`."""
    edgar_base_url: str = "https://www.sec.gov"
    """EDGAR's address for lists."""
    edgar_data_base_url: str = "https://data.sec.gov"
    """EDGAR's address for data."""
    edgar_requests_per_second: Annotated[float, Field(ge=0, le=10)] = 10
    """The SEC's limit; 0 is no limit."""


class Storage(Section):
    """Where the lake and the models are; without an address, in the fund's folder."""

    data_bucket: str | None = None
    """The lake: a folder, or `s3://`, `az://` or `gs://bucket/prefix`."""
    registry_directory: str | None = None
    """The models: a folder, or `s3://bucket/prefix`."""
    research_directory: str | None = None
    """The backtests and sweeps that the page Research shows: a folder."""
    aws_endpoint_url: str | None = None
    """An S3 endpoint other than Amazon's."""
    aws_region: str = "us-east-1"
    """The region of the bucket."""
    azure_storage_account_name: str | None = None
    """The account of an `az://` address."""
    azure_storage_use_emulator: bool = False
    """Whether `az://` is the emulator Azurite."""


class Trading(Section):
    """What decides, and with how much."""

    strategy: str = "strategies/ten_by_ten.py:TenByTen"
    """The strategy, `FILE.py:Class`."""
    strategy_parameters: str = ""
    """Its parameters, `name=value` separated by spaces."""
    capital: Annotated[str, AfterValidator(_require_capital)] = ""
    """How much of the account the fund may use: dollars (`50000`) or a share (`50%`); empty, all of it."""
    security_types: Annotated[str, AfterValidator(_require_types)] = "CS"
    """The vendor's codes of the types that may be opened, separated by commas."""
    do_not_trade: Annotated[str, AfterValidator(_require_names)] = ""
    """What is never opened: `TSLA, sector:HEALTH CARE, type:ADRC`."""
    only_trade: Annotated[str, AfterValidator(_require_names)] = ""
    """What alone may be opened, written as above; empty, everything else."""


class Limits(LimitSettings):
    """The risk limits, outside every strategy: [what each means](settings.md#risk-limits)."""

    model_config = SettingsConfigDict(extra="forbid")


class Models(Section):
    """The model that forecasts, and its tracking."""

    model_size: ModelSize = ModelSize.FULL
    """What a first run trains; `small` takes minutes on a laptop."""
    weights_and_biases_mode: Literal["online", "offline", "disabled"] | None = None
    """How training is tracked at Weights & Biases; `offline` needs no account."""


class Schedule(Section):
    """When the scheduler starts each run."""

    retrain_every: Annotated[int, Field(ge=0, le=250)] = 0
    """Sessions between two trainings of the model; 0 is never."""
    bars_delay_minutes: Annotated[int | None, Field(ge=0, le=960)] = None
    """Minutes after the close at which bars are collected; without a value, by the vendor."""
    open_delay_minutes: Annotated[int, Field(ge=0, le=120)] = 5
    """Minutes after the open at which fills are recorded."""
    turn_seconds: Annotated[float, Field(gt=0, le=60)] = 15
    """The pause between two looks at the market's clock."""


class Messages(Section):
    """Messages to the owner; their targets are the secret `NOTIFICATION_URLS`."""

    telegram_chats: Annotated[str, AfterValidator(_require_chats)] = ""
    """The ids of the Telegram chats that may send `status`, `halt` and `reduce` to the bot, separated by commas."""
    telegram_base_url: str = "https://api.telegram.org"
    """The address of Telegram's Bot API."""


class Services(Section):
    """The services on this machine and their logs."""

    datamanager_port: Port = 8080
    """The port of datamanager on loopback."""
    portfoliomanager_port: Port = 8081
    """The port of portfoliomanager on loopback."""
    scheduler_port: Port = 8082
    """The port of the scheduler on loopback."""
    exchange_port: Port = 8090
    """The port of the simulated exchange on loopback."""
    log_megabytes: Annotated[int, Field(ge=1, le=10_000)] = 20
    """The size at which a log file is rotated."""
    log_files: Annotated[int, Field(ge=1, le=100)] = 5
    """How many rotated files of each log are kept."""


class Simulation(Section):
    """The market of a simulated fund; fixed once it has opened."""

    exchange_seed: Annotated[int, Field(ge=0)] = 1
    """The simulated market's seed."""
    exchange_ticker_count: Annotated[int, Field(ge=40, le=8000)] = 120
    """How many tickers it has."""
    exchange_cash: Annotated[float, Field(ge=1)] | None = None
    """Dollars that the account opens with."""
    exchange_events: Events | None = None
    """How often corporate actions of every kind happen."""
    exchange_signal: Signal | None = None
    """What predictable signal the simulated prices hold."""
    exchange_bars_file: Path | None = None
    """A file of real bars that is replayed instead of the simulated market."""
    exchange_details_file: Path | None = None
    """Sectors and industries of its tickers."""
    exchange_regime_date: date | None = None
    """The day from which the simulated market's volatility is multiplied; without it, it stays in its range."""
    exchange_regime_multiplier: Annotated[float, Field(gt=0, le=10)] | None = None
    """How many times as large its moves are from then on; 3 without a value."""
    exchange_regime_sessions: Annotated[int, Field(ge=1)] | None = None
    """For how many sessions; 60 without a value."""
    session_seconds: Annotated[float, Field(ge=0)] = 60
    """Seconds of a simulated session at least; each waits until the scheduler has done the one before."""

    @field_validator("exchange_details_file")
    @classmethod
    def _require_bars(cls, details: Path | None, info: ValidationInfo) -> Path | None:
        if details is not None and info.data.get("exchange_bars_file", details) is None:
            raise ValueError("it belongs to exchange_bars_file: set both, or neither")
        return details

    @field_validator("exchange_regime_date")
    @classmethod
    def _require_simulated(cls, day: date | None, info: ValidationInfo) -> date | None:
        if day is None:
            return day
        if info.data.get("exchange_bars_file") is not None:
            raise ValueError("it is for the simulated market: leave it out where a file of bars is replayed")
        from internal.venue.market.simulated import FIRST_DAY, LAST_DAY  # noqa: PLC0415 - every command reads settings

        if not FIRST_DAY <= day <= LAST_DAY:
            raise ValueError(f"{day} is not a day of the simulated market: choose one from {FIRST_DAY} to {LAST_DAY}")
        return day

    @field_validator("exchange_regime_multiplier", "exchange_regime_sessions")
    @classmethod
    def _require_regime_date[Number: float](cls, value: Number | None, info: ValidationInfo) -> Number | None:
        if value is not None and info.data.get("exchange_regime_date", value) is None:
            raise ValueError("it needs exchange_regime_date: set that too, or leave this out")
        return value

    @property
    def switch(self) -> dict[str, str | None]:
        """The switch of volatility by its names in a market; empty where there is none."""
        if self.exchange_regime_date is None:
            return {}
        values = {name: getattr(self, f"exchange_{name}") for name in REGIME}
        return {
            name: f"{value:g}" if isinstance(value, float) else value and str(value) for name, value in values.items()
        }


def switch_volatility(market: MarketSettings, variables: Mapping[str, str]) -> MarketSettings:
    """The market with the switch of volatility that variables name; with its own where they name none.

    Raises:
        ConfigurationError: The files, or variables of the switch, do not fit together.
    """
    files = {"exchange_bars_file": market.bars, "exchange_details_file": market.details}
    keys = (f"exchange_{name}" for name in REGIME)
    try:
        chosen = Simulation.model_validate(
            files | {key: value for key in keys if (value := variables.get(key.upper()))}
        )
    except ValidationError as error:
        wrong = (describe_variable(str(one["loc"][0]), one["msg"]) for one in error.errors())
        raise ConfigurationError("\n".join(wrong)) from None
    return replace(market, **chosen.switch)
