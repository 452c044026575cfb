"""The fund's securities in the account: their fills and splits under the tickers that they have at the broker now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from internal.trading.corporate_actions import CorporateAction, list_splits
from internal.trading.ports import Journal
from internal.trading.rows import BrokerPosition, Order, Split


@dataclass(frozen=True, slots=True)
class HeldSecurity:
    """A security of the fund that the account holds.

    Attributes:
        security_id: Its permanent id.
        fills: The fund's fills since it was opened from flat, oldest first, under the ticker that it has now.
        names: Its tickers, each with the day since which it has it.
    """

    security_id: str
    fills: tuple[Order, ...]
    names: Sequence[tuple[date, str]]

    def had(self, ticker: str, day: date) -> bool:
        """Whether it had the ticker on the session before the day."""
        return ticker == [name for since, name in self.names if since < day][-1]


def find_held(journal: Journal, positions: Iterable[BrokerPosition]) -> dict[str, HeldSecurity]:
    """By ticker at the broker, the securities that the fund has traded; a security is found once.

    A position whose asset the fund knows comes before one that has only a ticker of the fund's: a ticker is used again.
    """
    known = [(one, journal.security_of("", one.asset_id)) for one in positions]
    ordered = sorted(known, key=lambda pair: pair[1] is None)
    held: dict[str, HeldSecurity] = {}
    found: set[str] = set()
    for position, by_asset in ordered:
        security = by_asset or journal.security_of(position.ticker)
        if security is None or security in found:
            continue
        fills = journal.fills(position.ticker, position.asset_id)
        if fills:
            found.add(security)
            renamed = _under_ticker(fills, position.ticker)
            held[position.ticker] = HeldSecurity(security, renamed, journal.names(security))
    return dict(sorted(held.items()))


def _under_ticker(fills: Sequence[Order], ticker: str) -> tuple[Order, ...]:
    if fills[0].ticker == ticker == fills[-1].ticker:
        return tuple(fills)
    return tuple(replace(order, ticker=ticker) for order in fills)


def list_held_splits(held: Mapping[str, HeldSecurity], actions: Iterable[CorporateAction]) -> list[Split]:
    """The splits of held securities, under the tickers that they have now."""
    by_name: dict[str, list[str]] = {}
    for ticker, security in held.items():
        for name in {ticker, *(name for _, name in security.names)}:
            by_name.setdefault(name, []).append(ticker)
    return [
        split if ticker == split.ticker else replace(split, ticker=ticker)
        for split in list_splits(action for action in actions if action.ticker in by_name)
        for ticker in by_name[split.ticker]
        if ticker == split.ticker or held[ticker].had(split.ticker, split.execution_date)
    ]
