"""Which of the broker's positions are the fund's own, since when, and at what price."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import copysign

from internal.dates import next_session
from internal.trading.rows import Band, Order, OwnPositions, Position, Split

SHARE = 1.0  # splits of odd lots leave fractions or cash: a difference below one share is rounding


def opened_date(order: Order) -> date:
    """The session in which an order fills: the one after its decision."""
    return next_session(order.date)


def attribute_positions(  # noqa: PLR0913, PLR0917 - what an attribution depends on, each a table of its own
    broker_positions: Mapping[str, float],
    openings: Mapping[str, Order],
    closings: Mapping[str, Sequence[Order]],
    splits: Iterable[Split],
    price_factors: Mapping[str, float],
    stored_bands: Mapping[str, Band],
) -> OwnPositions:
    """The fund's own and the foreign part of the broker's positions, sorted by ticker.

    broker_positions: signed shares by ticker. openings and closings: by ticker, the last opening that has a fill, and
    the closing fills since; names are opened from flat and never added to, so that a holding starts at its last
    opening. splits: those up to now. price_factors: adjusted over raw close of the opening session, which takes an
    entry price to today's terms; without one the splits since alone do.

    What the broker holds beyond the fund's own fills (after splits), or on the other side, is foreign.
    """
    splits_of = _group_by_ticker(splits)
    positions: list[Position] = []
    foreign: dict[str, float] = {}
    for ticker in sorted(broker_positions):
        held, own = broker_positions[ticker], 0.0
        if (opening := openings.get(ticker)) is not None:
            own_splits = splits_of.get(ticker, [])
            own = _own_part(held, _owned_shares(opening, closings.get(ticker, ()), own_splits))
            if own:
                factor = price_factors.get(ticker, 1 / _split_ratio(own_splits, opened_date(opening)))
                entry_price = (opening.filled_average_price or opening.reference_price) * factor
                positions.append(Position(ticker, own, opened_date(opening), entry_price, stored_bands.get(ticker)))
        if held - own:
            foreign[ticker] = held - own
    return OwnPositions(tuple(positions), foreign)


def _group_by_ticker(splits: Iterable[Split]) -> dict[str, list[Split]]:
    grouped: dict[str, list[Split]] = {}
    for split in splits:
        grouped.setdefault(split.ticker, []).append(split)
    return grouped


def _owned_shares(opening: Order, closings: Iterable[Order], splits: Sequence[Split]) -> float:
    """The signed shares left after the closing fills, in today's shares."""
    owned = 0.0
    for order in [opening, *closings]:
        owned += order.signed_filled_quantity * _split_ratio(splits, opened_date(order))
    return owned


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
