"""Which of the broker's positions are the fund's own, since when, and at what average price."""

from collections.abc import Iterable, Mapping, Sequence
from math import copysign

from internal.trading.entries import EntryMemory, OwnShares
from internal.trading.orders import Order
from internal.trading.positions import Band, Entry, OwnPositions, Position
from internal.trading.splits import Split

SHARE = 1.0  # splits of odd lots leave fractions or cash: less than one share is missing
ROUNDING = 1e-6  # shares; the broker counts nine decimals, and sums of fills and splits round


def attribute_positions(  # noqa: PLR0913, PLR0917 - what an attribution depends on, each a table of its own
    broker_positions: Mapping[str, float],
    fills: Mapping[str, Sequence[Order]],
    splits: Iterable[Split],
    price_factors: Mapping[Entry, float],
    stored_bands: Mapping[str, Band],
    memory: EntryMemory | None = None,
) -> OwnPositions:
    """The fund's own and the foreign part of the broker's positions, sorted by ticker.

    broker_positions: signed shares by ticker. fills: by ticker, the orders with a fill since the last one that opened
    it from flat, oldest first. splits: those up to now. price_factors: adjusted over raw close of an entry's session,
    which takes its price to today's terms; without one the splits since alone do. memory: what was computed before.

    What the broker holds beyond the fund's own fills (after splits), or on the other side, is foreign.
    """
    memory, splits_of = memory or EntryMemory(), group_by_ticker(splits)
    owned = find_own_shares(broker_positions, fills, splits_of, memory)
    positions: list[Position] = []
    for ticker, shares in owned.items():
        average = memory.average(tuple(fills[ticker]), splits_of.get(ticker, []), price_factors)
        positions.append(Position(ticker, shares, average.opened, average.price, stored_bands.get(ticker)))
    return OwnPositions(tuple(positions), find_foreign_shares(broker_positions, owned))


def find_own_shares(
    broker_positions: Mapping[str, float],
    fills: Mapping[str, Sequence[Order]],
    splits_of: Mapping[str, Sequence[Split]],
    memory: EntryMemory,
) -> dict[str, float]:
    """Signed shares of the fund's own positions, sorted by ticker; the last answer again where nothing changed."""
    asked = (
        dict(broker_positions),
        {ticker: tuple(orders) for ticker, orders in fills.items()},
        {ticker: tuple(splits) for ticker, splits in splits_of.items()},
    )
    if (found := memory.own_shares) is not None and found.asked == asked:
        return dict(found.shares)
    owned = _find_own_shares(*asked, memory)
    memory.own_shares = OwnShares(asked, owned)
    return dict(owned)


def _find_own_shares(
    broker_positions: Mapping[str, float],
    fills: Mapping[str, tuple[Order, ...]],
    splits_of: Mapping[str, tuple[Split, ...]],
    memory: EntryMemory,
) -> dict[str, float]:
    owned: dict[str, float] = {}
    for ticker in sorted(broker_positions):
        if own_fills := fills.get(ticker, ()):
            left = memory.sum_shares(own_fills, splits_of.get(ticker, ()))
            if own := _own_part(broker_positions[ticker], left):
                owned[ticker] = own
    return owned


def find_foreign_shares(broker_positions: Mapping[str, float], owned: Mapping[str, float]) -> dict[str, float]:
    """What is not the fund's own, signed shares, sorted by ticker."""
    rest = {ticker: broker_positions[ticker] - owned.get(ticker, 0.0) for ticker in sorted(broker_positions)}
    return {ticker: shares for ticker, shares in rest.items() if shares}


def group_by_ticker(splits: Iterable[Split]) -> dict[str, list[Split]]:
    """The splits of each ticker, in their order."""
    grouped: dict[str, list[Split]] = {}
    for split in splits:
        grouped.setdefault(split.ticker, []).append(split)
    return grouped


def _own_part(held: float, owned: float) -> float:
    """No more than the fund owns: a share, or a fraction of one, that somebody bought beside it stays theirs."""
    if not held or not owned or copysign(1, held) != copysign(1, owned):
        return 0.0
    return held if abs(held) <= abs(owned) + ROUNDING else owned
