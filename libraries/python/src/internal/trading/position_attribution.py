"""Which of the broker's positions are the fund's own, since when, and at what average price."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import copysign

from internal.dates import next_session
from internal.trading.rows import Band, Entry, Order, OwnPositions, Position, Split

SHARE = 1.0  # splits of odd lots leave fractions or cash: a difference below one share is rounding


def opened_date(order: Order) -> date:
    """The session in which an order fills: the one after its decision."""
    return next_session(order.date)


def list_entries(fills: Iterable[Order]) -> list[Entry]:
    """The sessions in which the fills made a position larger."""
    return [Entry(order.ticker, opened_date(order)) for order in fills if order.leg.opens]


def attribute_positions(
    broker_positions: Mapping[str, float],
    fills: Mapping[str, Sequence[Order]],
    splits: Iterable[Split],
    price_factors: Mapping[Entry, float],
    stored_bands: Mapping[str, Band],
) -> OwnPositions:
    """The fund's own and the foreign part of the broker's positions, sorted by ticker.

    broker_positions: signed shares by ticker. fills: by ticker, the orders with a fill since the last one that opened
    it from flat, oldest first. splits: those up to now. price_factors: adjusted over raw close of an entry's session,
    which takes its price to today's terms; without one the splits since alone do.

    What the broker holds beyond the fund's own fills (after splits), or on the other side, is foreign.
    """
    splits_of = _group_by_ticker(splits)
    positions: list[Position] = []
    foreign: dict[str, float] = {}
    for ticker in sorted(broker_positions):
        held, own = broker_positions[ticker], 0.0
        if own_fills := fills.get(ticker, ()):
            own_splits = splits_of.get(ticker, [])
            own = _own_part(held, sum_fills(own_fills, own_splits))
            if own:
                price = _average_entry_price(own_fills, own_splits, price_factors)
                positions.append(Position(ticker, own, opened_date(own_fills[0]), price, stored_bands.get(ticker)))
        if held - own:
            foreign[ticker] = held - own
    return OwnPositions(tuple(positions), foreign)


def sum_fills(fills: Iterable[Order], splits: Sequence[Split]) -> float:
    """The signed shares that the fills leave, in today's shares."""
    return sum(_todays_shares(order, splits) for order in fills)


def _average_entry_price(fills: Iterable[Order], splits: Sequence[Split], factors: Mapping[Entry, float]) -> float:
    """Dollars a share in today's terms, averaged over the shares as a broker does: a close leaves the average alone."""
    average = shares = 0.0
    for order in fills:
        added = _todays_shares(order, splits)
        if order.leg.opens:
            price = _todays_price(order, splits, factors)
            is_first = shares * added <= 0
            average = price if is_first else (shares * average + added * price) / (shares + added)
        shares += added
    return average


def _todays_price(order: Order, splits: Iterable[Split], factors: Mapping[Entry, float]) -> float:
    filled = opened_date(order)
    factor = factors.get(Entry(order.ticker, filled), 1 / _split_ratio(splits, filled))
    return (order.filled_average_price or order.reference_price) * factor


def _todays_shares(order: Order, splits: Iterable[Split]) -> float:
    return order.signed_filled_quantity * _split_ratio(splits, opened_date(order))


def _group_by_ticker(splits: Iterable[Split]) -> dict[str, list[Split]]:
    grouped: dict[str, list[Split]] = {}
    for split in splits:
        grouped.setdefault(split.ticker, []).append(split)
    return grouped


def _split_ratio(splits: Iterable[Split], filled: date) -> float:
    """Today's shares for one share that was filled in a session."""
    ratio = 1.0
    for split in splits:
        ratio *= split.shares if split.execution_date > filled else 1.0
    return ratio


def _own_part(held: float, owned: float) -> float:
    if not held or not owned or copysign(1, held) != copysign(1, owned):
        return 0.0
    return held if abs(held - owned) < SHARE or abs(held) <= abs(owned) else owned
