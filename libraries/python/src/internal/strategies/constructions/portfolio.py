"""From chosen names to targets: sizes, closes, frozen positions, and notes about what fell short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from internal.strategies.constructions.ranking import has_too_few_scores
from internal.strategies.constructions.selection import Pick
from internal.strategies.constructions.sizing import LIMIT_TOLERANCE, Holding, size_holdings
from internal.trading.arrays import FloatArray
from internal.trading.enums import Side
from internal.trading.positions import Position
from internal.trading.situation import Situation
from internal.trading.targets import Target, Targets

NO_SCORE = "no score today"
OUTSIDE = "its rank is outside the exit band"


@dataclass(frozen=True, slots=True)
class Group:
    """Names that are sized together, such as those of one sector.

    Attributes:
        holdings: What is to be held, frozen positions included.
        limit: Dollars of each side at most.
        balanced: Whether the sides end equal.
    """

    holdings: Sequence[Holding]
    limit: float
    balanced: bool = True


def frozen_holdings(situation: Situation) -> list[Holding]:
    """The positions that cannot be traded today, as they are."""
    return [
        _hold(situation, position, reason)
        for position in situation.positions
        if (reason := situation.freezing_reason(position)) is not None
    ]


def _hold(situation: Situation, position: Position, reason: str) -> Holding:
    price, held = situation.price_of(position), abs(position.quantity)
    return Holding(position.ticker, position.side, held * price, held, price, reason, frozen=True)


def make_holding(situation: Situation, place: int, side: Side, dollars: float, reason: str) -> Holding:
    """A name that can be traded, with what is held of it on that side."""
    ticker, price = situation.tickers[place], float(situation.inputs.price[place])
    position = situation.holdings.get(ticker)
    held = abs(position.quantity) if position and position.side is side else 0.0
    return Holding(ticker, side, dollars, held, price, reason)


def size_picks(situation: Situation, picks: Sequence[Pick], dollars: FloatArray) -> list[Holding]:
    """The picks as holdings of so many dollars each."""
    return [
        make_holding(situation, one.place, one.side, value, one.reason)
        for one, value in zip(picks, dollars.tolist(), strict=True)
    ]


def open_nothing(situation: Situation, scores: FloatArray, note: str) -> Targets:
    """Positions as they are, nothing opened, and why; those without a score are closed where others have one."""
    reasons = dict[str, str]() if has_too_few_scores(situation, scores) else explain_closes(situation, scores)
    rows = tuple(
        Target(one.ticker, 0.0, NO_SCORE)
        if reasons.get(one.ticker) == NO_SCORE and not situation.freezing_reason(one)
        else Target(one.ticker, None, "kept: the score ranks nothing today")
        for one in situation.positions
    )
    return Targets(rows, (note,))


def explain_closes(situation: Situation, scores: FloatArray) -> Mapping[str, str]:
    """By ticker that is held, why it is closed where it is in no portfolio."""
    places = {ticker: situation.find(ticker) for ticker in situation.holdings}
    return {
        ticker: OUTSIDE if place is not None and isfinite(scores[place]) else NO_SCORE
        for ticker, place in places.items()
    }


def make_targets(
    situation: Situation,
    groups: Sequence[Group],
    threshold: float,
    closing: Mapping[str, str],
    notes: Sequence[str] = (),
) -> Targets:
    """Targets of all groups, sorted by ticker; positions in no group are closed. closing: By ticker, why."""
    sized = [
        (one, shares)
        for group in groups
        for one, shares in zip(
            group.holdings,
            size_holdings(group.holdings, group.limit, threshold, balanced=group.balanced),
            strict=True,
        )
    ]
    rows = [_target(one, shares, situation.capital) for one, shares in sized if shares > 0 or one.held > 0]
    named = {row.ticker for row in rows}
    closed = [Target(ticker, 0.0, closing.get(ticker, OUTSIDE)) for ticker in situation.holdings if ticker not in named]
    small = [one.ticker for one, shares in sized if shares == 0 and one.held == 0]
    return Targets(tuple(sorted([*rows, *closed], key=lambda row: row.ticker)), (*notes, *_notes(groups, sized, small)))


def _target(one: Holding, shares: float, capital: float) -> Target:
    if shares == one.held:
        return Target(one.ticker, None, one.reason, locked=one.frozen)
    sign = 1 if one.side is Side.LONG else -1
    return Target(one.ticker, sign * shares * one.price / capital if shares else 0.0, one.reason)


def _notes(groups: Sequence[Group], sized: Sequence[tuple[Holding, float]], small: Sequence[str]) -> list[str]:
    notes = [f"too little capital for one share: {', '.join(sorted(small))}"] if small else []
    values = {side: sum(shares * one.price for one, shares in sized if one.side is side) for side in Side}
    is_uneven = abs(values[Side.LONG] - values[Side.SHORT]) > LIMIT_TOLERANCE * max(values.values())
    if is_uneven and all(group.balanced for group in groups):
        notes.append(f"long {values[Side.LONG]:,.0f} and short {values[Side.SHORT]:,.0f} dollars: the sides are uneven")
    return notes
