"""The fund's securities in the account: their fills and splits under the tickers that they have at the broker now."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from internal.trading.broker_reports import BrokerPosition
from internal.trading.corporate_actions import CorporateAction, list_splits
from internal.trading.orders import Order
from internal.trading.ports import Journal
from internal.trading.splits import Split


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


@dataclass(frozen=True)
class HeldSecurities(Mapping[str, HeldSecurity]):
    """Securities of the fund by the ticker that each has at the broker now."""

    by_ticker: Mapping[str, HeldSecurity]

    def __getitem__(self, ticker: str) -> HeldSecurity:
        return self.by_ticker[ticker]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_ticker)

    def __len__(self) -> int:
        return len(self.by_ticker)

    @cached_property
    def fills(self) -> Mapping[str, tuple[Order, ...]]:
        """By ticker, the fills since it was opened from flat, oldest first."""
        return {ticker: security.fills for ticker, security in self.by_ticker.items()}

    @cached_property
    def first_decision(self) -> date | None:
        """The session in which the oldest fill was decided; None when nothing is held."""
        return min((fills[0].date for fills in self.fills.values()), default=None)

    @cached_property
    def _tickers_by_name(self) -> Mapping[str, Sequence[str]]:
        """By each name that one of them has or had, the tickers that they have now."""
        found = {ticker: [ticker] for ticker in self.by_ticker}
        for ticker, security in self.by_ticker.items():
            for _, name in security.names:
                if name != ticker:
                    found.setdefault(name, []).append(ticker)
        return found

    def list_splits(self, actions: Iterable[CorporateAction]) -> list[Split]:
        """The splits of these securities, under the tickers that they have now."""
        by_name = self._tickers_by_name
        return [
            split if ticker == split.ticker else replace(split, ticker=ticker)
            for split in list_splits(action for action in actions if action.ticker in by_name)
            for ticker in sorted(set(by_name[split.ticker]))
            if ticker == split.ticker or self.by_ticker[ticker].had(split.ticker, split.execution_date)
        ]

    def with_fills(self, orders: Iterable[Order]) -> "HeldSecurities":
        """The same with what orders have filled since the journal was written, however little the journal has of it."""
        filled = [order for order in orders if order.filled_quantity]
        if not filled:
            return self
        return HeldSecurities({ticker: _add_fills(ticker, one, filled) for ticker, one in self.by_ticker.items()})


def _add_fills(ticker: str, held: HeldSecurity, orders: Sequence[Order]) -> HeldSecurity:
    own = [
        one for one in orders if one.security_id == held.security_id or (not one.security_id and one.ticker == ticker)
    ]
    newest = {order.client_order_id: replace(order, ticker=ticker) for order in own}
    known = {order.client_order_id: order for order in held.fills}
    return replace(held, fills=tuple((known | newest).values()))


class HeldMemory:
    """The last answer of `find_held`, which is asked several times a session; it changes with fills and names alone."""

    def __init__(self) -> None:
        self._asked: tuple[int, list[tuple[str, str | None]]] | None = None
        self._held = HeldSecurities({})

    def find(self, journal: Journal, positions: Collection[BrokerPosition]) -> HeldSecurities:
        """The answer of `find_held`."""
        asked = journal.holdings_version(), [(one.ticker, one.asset_id) for one in positions]
        if asked != self._asked:
            self._asked, self._held = asked, find_held(journal, positions)
        return self._held


def find_held(journal: Journal, positions: Collection[BrokerPosition]) -> HeldSecurities:
    """The securities in the account that the fund has traded; a security is found once.

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
    return HeldSecurities(held)


def _find_by_asset(journal: Journal, position: BrokerPosition) -> str | None:
    return None if position.asset_id is None else journal.security_of("", position.asset_id)


def _under_ticker(fills: Sequence[Order], ticker: str) -> tuple[Order, ...]:
    if fills[0].ticker == ticker == fills[-1].ticker:
        return tuple(fills)
    return tuple(replace(order, ticker=ticker) for order in fills)
