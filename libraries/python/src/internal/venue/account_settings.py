"""What the account's owner may set, under the names of Alpaca's account configurations."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """The account's settings; `suspend_trade` refuses every new order, `no_shorting` every short sale."""

    disable_overnight_trading: bool = False
    fractional_trading: bool = True
    max_margin_multiplier: Literal["1", "2", "4"] = "2"
    max_options_trading_level: int | None = None
    no_shorting: bool = False
    ptp_no_exception_entry: bool = False
    suspend_trade: bool = False
    trade_confirm_email: Literal["all", "none"] = "none"

    @property
    def margin_multiplier(self) -> int:
        """The multiplier as a number."""
        return int(self.max_margin_multiplier)
