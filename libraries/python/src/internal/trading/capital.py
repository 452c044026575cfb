"""Capital: how much of the account the fund may use; what other people hold in the account is not the fund's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from internal.errors import ConfigurationError
from internal.trading.broker_reports import Account, BrokerPosition

WHOLE: Final = 100.0  # per cent
MARGIN: Final = 2.0  # dollars of positions a dollar of capital carries overnight (Regulation T)


@dataclass(frozen=True, slots=True)
class Capital:
    """At most so many dollars, or a share of what the account has beside the holdings of others."""

    dollars: float | None = None
    share: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """`50000` is dollars, `50%` a share. Raises ConfigurationError for anything else."""
        wrong = ConfigurationError(
            f"CAPITAL is {text!r}: write dollars above 0, such as 50000, or a share of the account, such as 50%"
        )
        is_share = text.strip().endswith("%")
        try:
            number = float(text.strip().removesuffix("%"))
        except ValueError as error:
            raise wrong from error
        if not 0 < number < float("inf") or (is_share and number > WHOLE):
            raise wrong
        return cls(share=number / WHOLE) if is_share else cls(dollars=number)

    def bound(self, pool: float) -> float:
        """The fund's capital where the account has so much beside the holdings of others; dollars."""
        if self.share is not None:
            return pool * self.share
        return pool if self.dollars is None else min(pool, self.dollars)


def bound_account(
    account: Account, positions: Sequence[BrokerPosition], foreign: Mapping[str, float], capital: Capital
) -> Account:
    """The account as far as it is the fund's: its capital, its positions, and the buying power of that capital.

    Args:
        account: The broker's totals.
        positions: All positions of the account.
        foreign: Signed shares by ticker that are not the fund's.
        capital: How much the fund may use.
    """
    whole = {held.ticker: held.market_value or 0.0 for held in positions}
    outside = {
        held.ticker: whole[held.ticker] * foreign.get(held.ticker, 0.0) / held.quantity
        for held in positions
        if held.quantity
    }
    own = [whole[ticker] - outside[ticker] for ticker in outside]
    longs, shorts = sum(max(value, 0.0) for value in own), sum(min(value, 0.0) for value in own)
    pool = account.net_asset_value - sum(outside.values())
    value = capital.bound(pool)
    return replace(
        account,
        net_asset_value=value,
        cash=value - longs - shorts,
        buying_power=min(account.buying_power, max(MARGIN * value - (longs - shorts), 0.0)),
        long_market_value=longs,
        short_market_value=shorts,
        pool=pool,
    )
