"""Which names a side holds: what is held stays inside an exit band, free places go to the best new names."""

from collections.abc import Sequence
from dataclasses import dataclass

from internal.trading.enums import Side
from internal.trading.positions import Position
from internal.trading.situation import Situation


@dataclass(frozen=True, slots=True)
class Pick:
    """A name that a side is to hold: its place in the day's arrays, and why."""

    place: int
    side: Side
    reason: str


def pick_side(  # noqa: PLR0913, PLR0917 - what a selection depends on
    situation: Situation,
    ranked: Sequence[int],
    order: Sequence[int],
    side: Side,
    places: int,
    exit_rank: int,
) -> list[Pick]:
    """The names of one side, `places` of them at most; held ones stay up to `exit_rank` of the order.

    ranked: Places in the day's arrays of all names that have a rank, best first. order: Those that the side may hold,
    its own best name first.

    A name that is held on the other side is not taken: its position is closed first, and no order flips through zero.
    """
    allowed = situation.may_open if side is Side.LONG else situation.may_short
    positions = {place: situation.holdings.get(situation.tickers[place]) for place in order}
    kept = [place for place in order[:exit_rank] if _is_on(side, positions[place])][: max(places, 0)]
    free = max(places - len(kept), 0)
    opened = [place for place in order if allowed[place] and positions[place] is None][:free]
    chosen = {*kept, *opened}
    return [
        Pick(place, side, f"rank {number} of {len(ranked)}")
        for number, place in enumerate(ranked, 1)
        if place in chosen
    ]


def _is_on(side: Side, position: Position | None) -> bool:
    return position is not None and position.side is side
