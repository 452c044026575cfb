"""The account's own switches, as Alpaca's `/v2/account/configurations` has them.

Knows the names, their types and defaults. Knows nothing of what a switch does (`acceptance`) or of storage.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class AccountSettings(BaseModel):
    """What the account's owner may switch; `suspend_trade` refuses every new order."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

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
