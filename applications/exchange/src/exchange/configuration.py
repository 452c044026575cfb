"""The exchange's settings, with their defaults."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from internal.errors import ConfigurationError
from internal.settings import ServiceSettings
from internal.venue.market.volatility_regime import LARGEST_MULTIPLIER, VolatilityRegime


class Configuration(ServiceSettings):
    """Which market the exchange runs, and which keys its account accepts.

    With `EXCHANGE_BARS_FILE` the market is replayed from that file; seed, ticker count, signal, events and regime are
    not used.
    `EXCHANGE_EVENTS` is how often corporate actions of every kind and other types of securities are simulated.
    `EXCHANGE_REGIME_DATE` is the day from which the simulated market's volatility is multiplied by
    `EXCHANGE_REGIME_MULTIPLIER` for `EXCHANGE_REGIME_SESSIONS` sessions; without it volatility stays in its range.
    `EXCHANGE_START_DATE` names the session at whose close a fresh exchange's clock starts.
    Without `EXCHANGE_MARKET_DATA_KEY` the market data API accepts any key.
    `EXCHANGE_SIP_DELAY_MINUTES` is how old Alpaca's consolidated bars are when they are served (0 as on a paid plan);
    `EXCHANGE_REQUESTS_PER_MINUTE` is the request limit of its data API (0 is none).
    """

    exchange_bars_file: Path | None = None
    exchange_details_file: Path | None = None
    exchange_seed: int = Field(7, ge=0)
    exchange_ticker_count: int = Field(120, ge=1)
    exchange_signal: Literal["none", "momentum"] = "momentum"
    exchange_start_date: date | None = None
    exchange_cash: Decimal = Field(Decimal(100_000), gt=0, decimal_places=2, max_digits=18)
    exchange_edgar_requests_per_second: int = Field(0, ge=0)  # the SEC's limit is 10; 0 is unlimited
    exchange_edgar_refusal_status: Literal[403, 429] = 403
    exchange_sip_delay_minutes: int = Field(15, ge=0, le=1440)
    exchange_bars_status: Literal["OK", "DELAYED"] = "OK"  # of Polygon's answers with bars
    exchange_events: Literal["none", "realistic", "frequent"] = "none"
    exchange_regime_date: date | None = None
    exchange_regime_multiplier: float = Field(3.0, gt=0, le=LARGEST_MULTIPLIER)
    exchange_regime_sessions: int = Field(60, ge=1)
    exchange_requests_per_minute: int = Field(0, ge=0)
    exchange_api_key_id: SecretStr = Field(min_length=1)
    exchange_api_secret: SecretStr = Field(min_length=1)
    exchange_market_data_key: SecretStr = SecretStr("")

    @property
    def volatility_regime(self) -> VolatilityRegime | None:
        """The sessions of the simulated market with another volatility."""
        if self.exchange_regime_date is None:
            if self.model_fields_set & {"exchange_regime_multiplier", "exchange_regime_sessions"}:
                raise ConfigurationError(
                    "EXCHANGE_REGIME_MULTIPLIER and EXCHANGE_REGIME_SESSIONS belong to EXCHANGE_REGIME_DATE: set it too"
                )
            return None
        return VolatilityRegime(
            self.exchange_regime_date, self.exchange_regime_sessions, self.exchange_regime_multiplier
        )
