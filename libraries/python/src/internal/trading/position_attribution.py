"""Which of the broker's positions are the fund's own, since when, and at what average price."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import copysign, trunc

from internal.dates import next_session
from internal.trading.rows import Band, Entry, Order, OwnPositions, Position, Split

SHARE = 1.0  # splits of odd lots leave fractions or cash: a difference below one share is rounding
ROUNDING = 1e-6  # shares; a ratio such as 1 for 3 leaves a whole number this close to it


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
    splits_of = group_by_ticker(splits)
    positions: list[Position] = []
    foreign: dict[str, float] = {}
    for ticker in sorted(broker_positions):
        held, own = broker_positions[ticker], 0.0
        if own_fills := fills.get(ticker, ()):
            own_splits = splits_of.get(ticker, [])
            own = _own_part(held, sum_fills(own_fills, own_splits))
            if own:
                opened, price = _average_entries(own_fills, own_splits, price_factors)
                positions.append(Position(ticker, own, opened, price, stored_bands.get(ticker)))
        if held - own:
            foreign[ticker] = held - own
    return OwnPositions(tuple(positions), foreign)


def sum_fills(fills: Iterable[Order], splits: Sequence[Split]) -> float:
    """The signed shares that the fills leave, in today's shares."""
    return sum(_todays_shares(order, splits) for order in fills)


def _average_entries(
    fills: Sequence[Order], splits: Sequence[Split], factors: Mapping[Entry, float]
) -> tuple[date, float]:
    """The first session, and dollars a share in today's terms, averaged as a broker does: a close changes neither.

    The weights are the shares that were held in the session of each fill. A position that a split left no whole share
    of starts again with the next entry.
    """
    average, shares, opened = 0.0, 0.0, opened_date(fills[0])
    day = opened
    for order in fills:
        before, day = day, opened_date(order)
        shares = _split_shares(shares, [split for split in splits if before < split.execution_date <= day])
        added = order.signed_filled_quantity
        if order.leg.opens:
            price = _todays_price(order, splits, factors)
            if shares * added <= 0:
                opened, average = day, price
            else:
                average = (shares * average + added * price) / (shares + added)
        shares += added
    return opened, average


def _split_shares(shares: float, splits: Iterable[Split]) -> float:
    """The shares after the splits: whole shares stay whole, for the rest of a share is paid in cash."""
    for split in splits:
        exact = shares * split.shares
        shares = float(trunc(exact + copysign(ROUNDING, exact))) if shares.is_integer() else exact
    return shares


def _todays_price(order: Order, splits: Iterable[Split], factors: Mapping[Entry, float]) -> float:
    filled = opened_date(order)
    factor = factors.get(Entry(order.ticker, filled), 1 / split_ratio(splits, filled))
    return (order.filled_average_price or order.reference_price) * factor


def _todays_shares(order: Order, splits: Iterable[Split]) -> float:
    return order.signed_filled_quantity * split_ratio(splits, opened_date(order))


def group_by_ticker(splits: Iterable[Split]) -> dict[str, list[Split]]:
    """The splits of each ticker, in their order."""
    grouped: dict[str, list[Split]] = {}
    for split in splits:
        grouped.setdefault(split.ticker, []).append(split)
    return grouped


def split_ratio(splits: Iterable[Split], filled: date) -> float:
    """Today's shares for one share that was filled in a session."""
    ratio = 1.0
    for split in splits:
        ratio *= split.shares if split.execution_date > filled else 1.0
    return ratio


def _own_part(held: float, owned: float) -> float:
    if not held or not owned or copysign(1, held) != copysign(1, owned):
        return 0.0
    return held if abs(held - owned) < SHARE or abs(held) <= abs(owned) else owned
