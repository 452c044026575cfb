"""Whole shares for chosen names: kept ones are left alone where they can be, and both sides end equal in dollars."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from internal.trading.enums import Side

LIMIT_TOLERANCE = 0.05  # a side that moved above its limit by less is not cut: a cut costs money
ROUNDING = 1e-9  # shares; dollars that are this close to a whole share are that share


@dataclass(frozen=True, slots=True)
class Holding:
    """A name that is to be held, before it is sized.

    Attributes:
        ticker: Its name at the broker.
        side: The side that it is held on.
        dollars: What it should be worth; of a frozen one what it is worth.
        held: Shares held now; 0 for a new name.
        price: The close of the day, dollars.
        reason: One sentence for people.
        frozen: Whether the shares must stay as they are.
    """

    ticker: str
    side: Side
    dollars: float
    held: float
    price: float
    reason: str
    frozen: bool = False

    @property
    def value(self) -> float:
        """Dollars that are held now."""
        return self.held * self.price


def size_holdings(holdings: Sequence[Holding], limit: float, threshold: float, *, balanced: bool = True) -> list[float]:
    """The shares of each holding of one group, in the order given.

    - A side's dollars are scaled down to `limit`, and to the smaller side's where `balanced`; frozen ones count.
    - A kept name within `threshold` of its dollars keeps its shares, fractions included.
    - Sides that would be unequal then are evened out: the kept names that are furthest from their dollars move towards
      them, then names that are traded anyway give up whole shares of the larger side. What is left is less than one
      share of the cheapest of them, or frozen.
    """
    wanted = _scale_sides(holdings, limit, balanced=balanced)
    shares = [_first_shares(one, dollars, threshold) for one, dollars in zip(holdings, wanted, strict=True)]
    for side in Side:
        excess = _side_value(holdings, shares, side) - limit
        if excess > LIMIT_TOLERANCE * limit:
            _move_towards(holdings, wanted, shares, {side: excess})
    if balanced:
        excess = _excess(holdings, shares)
        _move_towards(holdings, wanted, shares, {Side.LONG: excess, Side.SHORT: -excess})
        _trim_larger_side(holdings, shares)
    return shares


def _scale_sides(holdings: Sequence[Holding], limit: float, *, balanced: bool) -> list[float]:
    """The wanted dollars, each side cut to the limit and, where balanced, to the smaller side."""
    totals = {side: sum(one.dollars for one in holdings if one.side is side) for side in Side}
    smaller = min(totals.values()) if balanced else limit
    parts = {side: _free_part(holdings, side, min(limit, smaller)) for side in Side}
    return [one.dollars if one.frozen else one.dollars * parts[one.side] for one in holdings]


def _free_part(holdings: Sequence[Holding], side: Side, limit: float) -> float:
    """The fraction of a side's free dollars that the limit leaves beside the frozen ones."""
    frozen = sum(one.dollars for one in holdings if one.side is side and one.frozen)
    free = sum(one.dollars for one in holdings if one.side is side and not one.frozen)
    return min(max(limit - frozen, 0.0) / free, 1.0) if free > 0 else 1.0


def _first_shares(one: Holding, dollars: float, threshold: float) -> float:
    if one.frozen or (one.held > 0 and dollars > 0 and abs(one.value - dollars) <= threshold * dollars):
        return one.held
    return float(floor(dollars / one.price + ROUNDING))


def _side_value(holdings: Sequence[Holding], shares: Sequence[float], side: Side) -> float:
    return sum(count * one.price for one, count in zip(holdings, shares, strict=True) if one.side is side)


def _excess(holdings: Sequence[Holding], shares: Sequence[float]) -> float:
    """Dollars that the long side holds above the short side; below 0 when the short side is larger."""
    return _side_value(holdings, shares, Side.LONG) - _side_value(holdings, shares, Side.SHORT)


def _move_towards(
    holdings: Sequence[Holding], wanted: Sequence[float], shares: list[float], excess: dict[Side, float]
) -> None:
    """Move names towards their wanted dollars, the furthest first, until a side has lost its excess.

    excess: Dollars to take off each side, below 0 to add; with two sides, both are used up together.
    """
    left = max(abs(dollars) for dollars in excess.values())
    distances = {
        place: shares[place] * one.price - wanted[place]
        for place, one in enumerate(holdings)
        if one.side in excess and not one.frozen
    }
    for place in sorted(distances, key=lambda place: -abs(distances[place])):
        distance, side = distances[place], holdings[place].side
        if distance * excess[side] > 0:
            count = floor(min(abs(distance), left) / holdings[place].price + ROUNDING)
            shares[place] = max(shares[place] - (count if distance > 0 else -count), 0.0)
            left -= count * holdings[place].price


def _trim_larger_side(holdings: Sequence[Holding], shares: list[float]) -> None:
    """Take whole shares off the larger side: of names that are traded anyway, else of the largest kept ones."""
    while True:
        excess = _excess(holdings, shares)
        choice = _adjustable(holdings, shares, Side.LONG if excess > 0 else Side.SHORT, abs(excess))
        if not choice:
            return
        largest = max(choice, key=lambda place: shares[place] * holdings[place].price)
        price = holdings[largest].price
        count = max(floor(abs(excess) / (price * len(choice))), 1)
        shares[largest] = max(shares[largest] - count, 0.0)


def _adjustable(holdings: Sequence[Holding], shares: Sequence[float], side: Side, excess: float) -> list[int]:
    """The places of a side's names that can give up a share without making it the smaller side.

    Names that are kept are among them only where no other name of the side is left: each would be one more order.
    """
    own = [place for place, one in enumerate(holdings) if one.side is side and not one.frozen and shares[place] >= 1]
    traded = [place for place in own if shares[place] != holdings[place].held]
    return [place for place in traded or own if holdings[place].price <= excess + ROUNDING]
