"""Position sizing: dollars for every name of a portfolio, both sides equal, then whole shares."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, nan

from internal.trading.enums import Side, Verdict

ROUNDING = 1e-9  # a factor this close to 1 is 1: sums in another order must not cost a share

type SideTotals = dict[Verdict, float]


@dataclass(frozen=True, slots=True)
class SizingRules:
    """How a portfolio of equal sides is sized.

    Attributes:
        gross_exposure: target of long plus short market value over capital; half of it a side.
        balance_tolerance: the sides differ by at most this fraction of the larger one.
        maximum_side_share: largest part of a side's capital that one new name gets; few names make a small book,
            not a concentrated one.
        weight_spread: an inverse-volatility weight is between 1 / spread and spread times the equal weight.
    """

    gross_exposure: float = 1.0
    balance_tolerance: float = 0.05
    maximum_side_share: float = 0.2
    weight_spread: float = 2.0

    def side_target(self, capital: float) -> float:
        """Dollars that one side is meant to hold; the capital of closed positions is inside it."""
        return max(capital, 0.0) * self.gross_exposure / 2


@dataclass(frozen=True, slots=True)
class Proposal:
    """A name of the portfolio before it is sized.

    Attributes:
        ticker: Its name at the broker.
        side: The side that is or will be held.
        verdict: What becomes of it.
        held: Shares before the action.
        price: The close of the day, dollars.
        reason: One sentence for people.
        volatility: Realized volatility a session; of new names only.
    """

    ticker: str
    side: Side
    verdict: Verdict
    held: float
    price: float
    reason: str
    volatility: float = nan


def size(proposals: Sequence[Proposal], capital: float, rules: SizingRules) -> list[float]:
    """The shares of each proposal after the action; the proposals are sorted by ticker.

    Frozen positions keep every share; closed ones none; kept ones are only ever cut; new ones get whole shares (both
    sides: every order type of every broker takes them). The larger side is cut to the smaller one, new names first.
    """
    target = rules.side_target(capital)
    dollars = _wanted_dollars(proposals, target, rules)
    full = {side: _side_totals(proposals, dollars, side) for side in Side}
    cut = _cut_sides(full, target, rules.balance_tolerance)
    quantities = [
        _whole_shares(one, wanted, _kept_part(cut[one.side], full[one.side], one.verdict))
        for one, wanted in zip(proposals, dollars, strict=True)
    ]
    return _even_out(proposals, quantities, rules.balance_tolerance)


def side_values(sides: Iterable[Side], quantities: Iterable[float], prices: Iterable[float]) -> dict[Side, float]:
    """Dollars by side."""
    values = dict.fromkeys(Side, 0.0)
    for side, quantity, price in zip(sides, quantities, prices, strict=True):
        values[side] += quantity * price
    return values


def _wanted_dollars(proposals: Sequence[Proposal], target: float, rules: SizingRules) -> list[float]:
    """Dollars by name when each side is sized alone: kept ones their value, new ones a share of what is left."""
    dollars = [one.held * one.price if _is_staying(one) else 0.0 for one in proposals]
    for side in Side:
        own = [place for place, one in enumerate(proposals) if one.side is side]
        new = [place for place in own if proposals[place].verdict is Verdict.OPEN]
        free = max(target - sum(dollars[place] for place in own), 0.0)
        weights = _weights([proposals[place].volatility for place in new], rules.weight_spread)
        for place, weight in zip(new, weights, strict=True):
            dollars[place] = min(free * weight / sum(weights), rules.maximum_side_share * target)
    return dollars


def _is_staying(one: Proposal) -> bool:
    return one.verdict in {Verdict.FROZEN, Verdict.KEEP}


def _weights(volatilities: Sequence[float], spread: float) -> list[float]:
    """One over volatility, between 1 / spread and spread times the mean weight."""
    if not volatilities:
        return []
    raw = [1 / volatility for volatility in volatilities]
    equal = sum(raw) / len(raw)
    return [min(max(weight, equal / spread), equal * spread) for weight in raw]


def _side_totals(proposals: Sequence[Proposal], dollars: Sequence[float], side: Side) -> SideTotals:
    totals: SideTotals = {Verdict.FROZEN: 0.0, Verdict.KEEP: 0.0, Verdict.OPEN: 0.0}
    for one, wanted in zip(proposals, dollars, strict=True):
        if one.side is side and one.verdict in totals:
            totals[one.verdict] += wanted
    return totals


def _cut_sides(full: dict[Side, SideTotals], target: float, tolerance: float) -> dict[Side, SideTotals]:
    """The totals, each side cut to its target, then the larger side to the smaller one."""
    cut = {side: _cut(totals, target, tolerance) for side, totals in full.items()}
    smaller = min(sum(totals.values()) for totals in cut.values())
    return {side: _cut(totals, smaller, tolerance) for side, totals in cut.items()}


def _cut(totals: SideTotals, limit: float, tolerance: float) -> SideTotals:
    """One side's dollars cut to the limit: new names first, kept ones when they exceed it by more than the tolerance.

    A cut costs money, a small difference does not.
    """
    frozen, kept, new = totals[Verdict.FROZEN], totals[Verdict.KEEP], totals[Verdict.OPEN]
    new = min(new, max(limit - frozen - kept, 0.0))
    if frozen + kept > limit * (1 + tolerance):
        kept = min(kept, max(limit - frozen, 0.0))
    return {Verdict.FROZEN: frozen, Verdict.KEEP: kept, Verdict.OPEN: new}


def _kept_part(cut: SideTotals, full: SideTotals, verdict: Verdict) -> float:
    """The fraction of the dollars of a verdict that the cut leaves."""
    return min(cut[verdict] / full[verdict], 1.0) if full.get(verdict, 0.0) > 0 else 1.0


def _whole_shares(one: Proposal, dollars: float, part: float) -> float:
    """Shares: of new and cut names rounded down to whole ones, of the others exactly what is held."""
    if one.verdict is Verdict.CLOSE:
        return 0.0
    if one.verdict is Verdict.OPEN:
        return float(floor(dollars * part / one.price))
    if one.verdict is Verdict.KEEP and part < 1 - ROUNDING:
        return float(floor(one.held * part))
    return one.held


def _even_out(proposals: Sequence[Proposal], quantities: list[float], tolerance: float) -> list[float]:
    """Take shares off the larger side until both are within the tolerance: what rounding down left uneven.

    Each step takes shares off the largest adjustable name of the larger side (new ones first), so it ends: with equal
    sides, or with nothing left to take.
    """
    sides, prices = [one.side for one in proposals], [one.price for one in proposals]
    while True:
        values = side_values(sides, quantities, prices)
        excess = values[Side.LONG] - values[Side.SHORT]
        if abs(excess) <= tolerance * max(values.values()):
            return quantities
        choice = _adjustable(proposals, quantities, Side.LONG if excess > 0 else Side.SHORT)
        if not choice:
            return quantities
        largest = max(choice, key=lambda place: quantities[place] * prices[place])
        step = max(floor(abs(excess) / (prices[largest] * len(choice))), 1)
        quantities[largest] = float(max(ceil(quantities[largest]) - step, 0))


def _adjustable(proposals: Sequence[Proposal], quantities: Sequence[float], side: Side) -> list[int]:
    """The names of a side that can still give shares: its new ones, else its kept ones."""
    own = [place for place, one in enumerate(proposals) if one.side is side and quantities[place] > 0]
    new = [place for place in own if proposals[place].verdict is Verdict.OPEN]
    return new or [place for place in own if proposals[place].verdict is Verdict.KEEP]
