"""The entries of positions: what the fund's fills of a ticker have come to, in shares and in average price.

`EntryMemory` goes on from what it computed before, so that a position that has grown for years costs no more than a new
one; every answer is the same, bit for bit, as from all fills at once.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import copysign, trunc
from typing import NamedTuple

from internal.dates import next_session
from internal.trading.held_securities import HeldMemory
from internal.trading.orders import Order
from internal.trading.positions import Entry
from internal.trading.splits import Split

ROUNDING = 1e-6  # shares; a ratio such as 1 for 3 leaves a whole number this close to it


@dataclass(frozen=True, slots=True)
class EntryAverage:
    """The average of a ticker's entries after some fills, from which the next fill goes on.

    Attributes:
        fills: The fills, oldest first.
        factor: Of the first entry: while it stays the same, no event has changed an entry's price. None without a bar.
        opened: The session of the first fill.
        price: Dollars a share, in today's terms.
        shares: Signed shares after the last fill, in the terms of its session.
        day: The session of the last fill.
    """

    fills: tuple[Order, ...]
    factor: float | None
    opened: date
    price: float
    shares: float
    day: date


@dataclass(frozen=True, slots=True)
class OwnShares:
    """The fund's own shares by ticker, and what they were found from: the broker's shares, fills and splits."""

    asked: tuple[dict[str, float], dict[str, tuple[Order, ...]], dict[str, tuple[Split, ...]]]
    shares: dict[str, float]


def opened_date(order: Order) -> date:
    """The session in which an order fills: the one after its decision."""
    return next_session(order.date)


def list_entries(fills: Iterable[Order]) -> list[Entry]:
    """The sessions in which the fills made a position larger."""
    return [Entry(order.ticker, opened_date(order)) for order in fills if order.leg.opens]


def split_ratio(splits: Iterable[Split], filled: date) -> float:
    """Today's shares for one share that was filled in a session."""
    ratio = 1.0
    for split in splits:
        ratio *= split.shares if split.execution_date > filled else 1.0
    return ratio


class Difference(NamedTuple):
    """Signed shares of a name that the journal's fills leave and that the account has, as seen in a session."""

    own: float
    held: float
    session: date


@dataclass(frozen=True, slots=True)
class HeldSplits:
    """The splits of what is held.

    Attributes:
        splits: Those that the account shows, stated or not.
        left: By ticker, the signed shares that the fund's fills leave after them.
        waiting: Tickers with a stated split that the account does not show yet.
        unclear: Tickers that have split in a way that nobody can tell.
        uncounted: Those of them of which the fund may have fewer shares than it opened: none is known to be its own.
    """

    splits: tuple[Split, ...]
    left: Mapping[str, float]
    waiting: frozenset[str]
    unclear: frozenset[str]
    uncounted: frozenset[str]

    @property
    def unsettled(self) -> frozenset[str]:
        """Tickers that are not traded: how many of the account's shares are the fund's may change."""
        return self.waiting | self.unclear


@dataclass(frozen=True, slots=True)
class KnownSplits:
    """The splits of what is held, and all that they were found from."""

    asked: tuple[object, ...]
    found: HeldSplits


class EntryMemory:
    """Sums and averages of fills, by ticker, computed again when earlier fills or their prices changed.

    `own_shares` is the last answer of `find_own_shares`, which is asked several times a session; `carried_out` are new
    splits that the broker was seen to have carried out; `held` remembers which securities the account holds;
    `differing` are the names of which the account was last seen to have more or less shares than the journal; `waiting`
    those whose trades by hand wait until a split is agreed on, None where that is not known yet; `unstated` those
    with a split that nobody had stated when it was last looked for; `splits` are those of what is held, as they were
    last found in this step.
    """

    def __init__(self) -> None:
        self._shares: dict[str, tuple[tuple[Order, ...], tuple[Split, ...], float]] = {}
        self._averages: dict[str, EntryAverage] = {}
        self.own_shares: OwnShares | None = None
        self.carried_out: set[Split] = set()
        self.held = HeldMemory()
        self.differing: Mapping[str, Difference] = {}
        self.waiting: frozenset[str] | None = None
        self.unstated: Collection[str] = ()
        self.splits: KnownSplits | None = None

    def begin_step(self) -> None:
        """Forget what the data service and the broker have said of splits: they may know more by now."""
        self.splits = None

    def may_hide_split(self, ticker: str) -> bool:
        """Whether a trade by hand may have made up for a split of the name that nobody has stated."""
        return self.waiting is None or ticker in self.waiting or ticker in self.unstated

    def sum_shares(self, fills: tuple[Order, ...], splits: tuple[Split, ...]) -> float:
        """The signed shares that a ticker's fills leave, in today's shares, as the broker counts them.

        At each split a whole position stays whole: for the rest of a share the broker pays cash.
        """
        known, shares = 0, 0.0
        found = self._shares.get(fills[0].ticker)
        if found is not None and not splits and not found[1] and _begins_with(fills, found[0]):
            known, shares = len(found[0]), found[2]
        day = opened_date(fills[0])
        for order in fills[known:]:
            before, day = day, opened_date(order)
            shares = _split_shares(shares, [split for split in splits if before < split.execution_date <= day])
            shares += order.signed_filled_quantity
        shares = _split_shares(shares, [split for split in splits if split.execution_date > day])
        self._shares[fills[0].ticker] = fills, splits, shares
        return shares

    def list_unknown(self, fills: tuple[Order, ...]) -> list[Entry]:
        """The ticker's entries whose price factors are needed: the first one, and those that are not averaged yet."""
        known = self._find(fills)
        return list_entries(fills if known is None else (fills[0], *fills[len(known.fills) :]))

    def list_changed(self, fills: tuple[Order, ...], factors: Mapping[Entry, float]) -> list[Entry]:
        """All entries of a ticker where an event has changed the prices of the averaged ones; none where it has not."""
        known = self._find(fills)
        return [] if known is None or _is_current(known, factors) else list_entries(fills)

    def average(
        self, fills: tuple[Order, ...], splits: Sequence[Split], factors: Mapping[Entry, float]
    ) -> EntryAverage:
        """The average of a ticker's entries in today's terms."""
        known = self._find(fills)
        start = known if known is not None and _is_current(known, factors) else _start(fills[0], factors)
        if len(start.fills) == len(fills):
            return start
        found = self._averages[fills[0].ticker] = _average(start, fills, splits, factors)
        return found

    def _find(self, fills: tuple[Order, ...]) -> EntryAverage | None:
        known = self._averages.get(fills[0].ticker)
        return known if known is not None and _begins_with(fills, known.fills) else None


def _begins_with(fills: tuple[Order, ...], known: tuple[Order, ...]) -> bool:
    return fills[: len(known)] == known


def _first_factor(first: Order, factors: Mapping[Entry, float]) -> float | None:
    return factors.get(Entry(first.ticker, opened_date(first)))


def _is_current(known: EntryAverage, factors: Mapping[Entry, float]) -> bool:
    return known.factor is not None and known.factor == _first_factor(known.fills[0], factors)


def _start(first: Order, factors: Mapping[Entry, float]) -> EntryAverage:
    """Nothing yet."""
    return EntryAverage((), _first_factor(first, factors), opened_date(first), 0.0, 0.0, opened_date(first))


def _average(
    start: EntryAverage, fills: tuple[Order, ...], splits: Sequence[Split], factors: Mapping[Entry, float]
) -> EntryAverage:
    """The average as a broker has it: weighted by the shares of each session; a close leaves it alone.

    A position that a split left no whole share of starts again with the next entry.
    """
    opened, price, shares, day = start.opened, start.price, start.shares, start.day
    for order in fills[len(start.fills) :]:
        before, day = day, opened_date(order)
        shares = _split_shares(shares, [split for split in splits if before < split.execution_date <= day])
        added = order.signed_filled_quantity
        if order.leg.opens:
            paid = _todays_price(order, splits, factors)
            if shares * added <= 0:
                opened, price = day, paid
            else:
                price = (shares * price + added * paid) / (shares + added)
        shares += added
    return EntryAverage(fills, start.factor, opened, price, shares, day)


def _split_shares(shares: float, splits: Iterable[Split]) -> float:
    """The shares after the splits."""
    for split in splits:
        shares = resize_shares(shares, split.shares)
    return shares


def resize_shares(shares: float, ratio: float) -> float:
    """The shares that come for these: whole shares stay whole, for the rest of a share the broker pays cash."""
    exact = shares * ratio
    return float(trunc(exact + copysign(ROUNDING, exact))) if shares.is_integer() else exact


def _todays_price(order: Order, splits: Iterable[Split], factors: Mapping[Entry, float]) -> float:
    filled = opened_date(order)
    factor = factors.get(Entry(order.ticker, filled), 1 / split_ratio(splits, filled))
    return (order.filled_average_price or order.reference_price) * factor
