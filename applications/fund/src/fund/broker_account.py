"""The account at the broker, as `fund init` and `fund run` ask about it before any service runs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx
from pydantic import BaseModel, ValidationError

from internal.errors import ConfigurationError, UnavailableError
from internal.modes import require_matching_keys

SECONDS: Final = 15.0
REFUSED: Final = (401, 403)


class BrokerAccount(BaseModel):
    """What the broker says of the account: `GET /v2/account`."""

    account_number: str
    status: str
    equity: float
    trading_blocked: bool
    account_blocked: bool


class MarketClock(BaseModel):
    """The market's clock: `GET /v2/clock`."""

    timestamp: datetime
    is_open: bool


@dataclass(frozen=True)
class BrokerApi:
    """Alpaca's trading API, asked two questions.

    Args:
        url: Its address.
        key_id: The id of the key.
        secret: The key's secret.
    """

    url: str
    key_id: str
    secret: str

    def account(self) -> BrokerAccount:
        """The account. Raises as `_get`."""
        return self._get("account", BrokerAccount)

    def clock(self) -> MarketClock:
        """The market's clock. Raises as `_get`."""
        return self._get("clock", MarketClock)

    def _get[B: BaseModel](self, name: str, body: type[B]) -> B:
        """Ask one question.

        Raises:
            ConfigurationError: The key is not of this address's kind, or the broker refuses it.
            UnavailableError: The broker does not answer, or with something else.
        """
        require_matching_keys(self.key_id, self.url)
        headers = {"APCA-API-KEY-ID": self.key_id, "APCA-API-SECRET-KEY": self.secret}
        try:
            answer = httpx.get(f"{self.url}/v2/{name}", headers=headers, timeout=SECONDS, trust_env=False)
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"the broker at {self.url} does not answer ({type(error).__name__}): look at this machine's network "
                "and at the broker's status page, then run the same command again"
            ) from error
        if answer.status_code in REFUSED:
            raise ConfigurationError(
                f"the broker at {self.url} refuses the keys ({answer.status_code}): copy key and secret again from the "
                "broker's page, from the account that you mean, and run `./fund init`"
            )
        try:
            return body.model_validate_json(answer.content)
        except ValidationError as error:
            raise UnavailableError(
                f"the broker at {self.url} answers {answer.status_code} without the {name}"
            ) from error
