"""The settings of one backtest, which are its identity: equal settings give equal results."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

from pydantic import JsonValue, TypeAdapter, ValidationError

from internal.errors import InvalidRequestError
from internal.security_types import COMMON_STOCK
from internal.strategies.parameter_text import write_parameters

SIMULATED: Final = "simulated, "  # how the description of a simulated market begins
WITHOUT_SIGNAL: Final = "signal none"  # in the description of one that was opened with `--signal none`
PLANTED_SIGNAL: Final = (
    "The prices are simulated and hold a planted signal (momentum): what is found here says nothing of a real market."
)


@dataclass(frozen=True)
class BacktestSettings:
    """Everything that decides a backtest's outcome: two runs with equal settings give equal results.

    Attributes:
        strategy: Its name, such as `strategies/reversal.py:Reversal`.
        parameters: The values of all its parameters, defaults included.
        strategy_digest: SHA-256 of the strategy's file.
        code_digest: SHA-256 of the code that ran it: engine and library.
        market: Where the bars come from, in words that stay the same when sessions are added: a file's path, `lake`,
            or `simulated, seed 7, 482 tickers`.
        bars_digest: SHA-256 of the bars and corporate actions that were played.
        forecasts: The key of the table of forecasts that the strategy read; empty without one.
        capital: Dollars at the opening.
        cost_multiple: What the venue's spread, impact, fees and borrow rates were multiplied by; 1 leaves them.
        first_session: The opening session: the strategy decides at its close, nothing is traded in it.
        last_session: The last session, included.
        security_types: The types that may be opened, sorted, as `SECURITY_TYPES` writes them.
        do_not_trade: What is never opened, as `DO_NOT_TRADE` writes it.
        only_trade: What alone is opened, as `ONLY_TRADE` writes it; empty, everything.
    """

    strategy: str
    parameters: Mapping[str, JsonValue]
    strategy_digest: str
    code_digest: str
    market: str
    bars_digest: str
    forecasts: str
    capital: float
    cost_multiple: float
    first_session: date
    last_session: date
    security_types: str = COMMON_STOCK
    do_not_trade: str = ""
    only_trade: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """The settings as JSON values, in the order of the fields."""
        return _SETTINGS.dump_python(self, mode="json")

    @classmethod
    def from_json(cls, plain: JsonValue) -> "BacktestSettings":
        """The settings that `to_json` wrote.

        Raises:
            InvalidRequestError: A field is missing or has a value of another type.
        """
        try:
            return _SETTINGS.validate_python(plain)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise InvalidRequestError(f"these are not the settings of a backtest: {field}: {first['msg']}") from error

    def describe(self) -> str:
        """Strategy, parameters and sessions in one line."""
        return f"{self.strategy} ({write_parameters(self.parameters)}), {self.first_session} to {self.last_session}"

    @property
    def planted_signal(self) -> str:
        """That the prices hold a planted signal, in a sentence; empty where they are not simulated."""
        return describe_planted_signal(self.market)

    @cached_property
    def key(self) -> str:
        """The content key: SHA-256 of the settings, in hexadecimal digits."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def describe_planted_signal(market: str) -> str:
    """That the prices of a described market hold a planted signal, in a sentence; empty where they hold none."""
    return PLANTED_SIGNAL if market.startswith(SIMULATED) and WITHOUT_SIGNAL not in market else ""


_SETTINGS = TypeAdapter(BacktestSettings)
