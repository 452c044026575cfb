"""The fund's securities in the account: their fills and splits under the tickers that they have at the broker now."""

from collections.abc import Collection, Iterable, Mapping, Sequence
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


def find_held(journal: Journal, positions: Collection[BrokerPosition]) -> dict[str, HeldSecurity]:
    """By ticker at the broker, the securities that the fund has traded; a security is found once.

    A position of an asset that the fund traded comes before one that has only its ticker: tickers are used again.
    """
    by_asset = {one.ticker: found for one in positions if (found := _find_by_asset(journal, one)) is not None}
    taken = frozenset(by_asset.values())
    held: dict[str, HeldSecurity] = {}
    for position in positions:
        ticker = position.ticker
        security = by_asset.get(ticker) or journal.security_of(ticker)
        if security is None or (security in taken and ticker not in by_asset):
            continue
        if fills := journal.fills(ticker, position.asset_id):
            held[ticker] = HeldSecurity(security, _under_ticker(fills, ticker), journal.names(security))
    return held


def _find_by_asset(journal: Journal, position: BrokerPosition) -> str | None:
    return None if position.asset_id is None else journal.security_of("", position.asset_id)


def _under_ticker(fills: Sequence[Order], ticker: str) -> tuple[Order, ...]:
    if fills[0].ticker == ticker == fills[-1].ticker:
        return tuple(fills)
    return tuple(replace(order, ticker=ticker) for order in fills)


def list_held_splits(held: Mapping[str, HeldSecurity], actions: Iterable[CorporateAction]) -> list[Split]:
    """The splits of held securities, under the tickers that they have now."""
    splits = list_splits(actions)
    if not splits:
        return []
    by_name: dict[str, set[str]] = {}
    for ticker, security in held.items():
        for name in (ticker, *(name for _, name in security.names)):
            by_name.setdefault(name, set()).add(ticker)
    return [
        split if ticker == split.ticker else replace(split, ticker=ticker)
        for split in splits
        for ticker in sorted(by_name.get(split.ticker, ()))
        if ticker == split.ticker or held[ticker].had(split.ticker, split.execution_date)
    ]
