"""The construction of the fund's own strategy: exits by forecast band, then new names by rank, then equal sides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import floor

import numpy as np

from internal.strategies.constructions.equal_sides import Proposal, SizingRules, side_values, size
from internal.strategies.constructions.ranking import find_forecast_problem, find_ranking_problem
from internal.trading.arrays import FloatArray
from internal.trading.enums import Side, Verdict
from internal.trading.positions import Band, Position
from internal.trading.ranks import rank_names
from internal.trading.situation import Situation
from internal.trading.targets import Target, Targets

LOCKED = "opened today: locked"


@dataclass(frozen=True, slots=True)
class TenByTenRules:
    """What `construct_ten_by_ten` may do.

    Attributes:
        names_per_side: longs and shorts held at most.
        same_day_lock: a position filled in the session that is being decided on is kept; a rule, no law.
        sizing: how the names are sized.
    """

    names_per_side: int = 10
    same_day_lock: bool = True
    sizing: SizingRules = field(default_factory=SizingRules)


def construct_ten_by_ten(situation: Situation, scores: FloatArray, rules: TenByTenRules) -> Targets:
    """Exits first, then new names into the free places, then equal sides. scores: [N], NaN where there is none.

    - Positions that are frozen or inside their band are kept as they are: nothing is bought again.
    - New names take what the kept ones leave of a side's target, so that the capital of closed positions is reused,
      never added. Within a side they are weighted by inverse volatility, within bounds.
    - The larger side is cut to the smaller one: new names first, then kept positions.
    - A name closed today is not opened again today, on either side: no order flips through zero.
    - Scores that rank nothing (all alike, or in the order of the bands' widths alone) open nothing; exits go on.
    """
    judged = [judge(position, situation, rules) for position in situation.positions]
    problem = find_ranking_problem(situation, scores) or find_forecast_problem(situation, scores)
    opened = _open_names(situation, scores, judged, rules) if problem is None else []
    proposals = sorted([*judged, *opened], key=lambda one: one.ticker)
    quantities = size(proposals, situation.net_asset_value, rules.sizing)
    rows = tuple(
        _target(one, quantity, situation.capital)
        for one, quantity in zip(proposals, quantities, strict=True)
        if one.verdict is not Verdict.OPEN or quantity > 0
    )
    shortfalls = [problem] if problem is not None else _explain_shortfalls(proposals, quantities, rules)
    return Targets(rows, (*shortfalls, *_explain_imbalance(proposals, quantities, rules)))


def judge(position: Position, situation: Situation, rules: TenByTenRules) -> Proposal:
    """What becomes of a position: frozen, kept or closed, with the reason.

    The band in force is the latest forecast over its longest horizon, read as a cumulative return *from entry*; a name
    without a forecast today keeps the band stored last. A position whose cumulative return since entry is outside it
    is closed, long or short: above, the forecast has come true; below, it was wrong (and the other way for a short).
    """
    price = situation.price_of(position)
    if (reason := _freezing_reason(position, situation, rules)) is not None:
        verdict = Verdict.FROZEN
    else:
        forecast = situation.forecast_band(position.ticker)
        total_return = price / position.entry_price - 1
        verdict, reason = _compare_with_band(total_return, forecast or position.band, is_stored=forecast is None)
    return Proposal(position.ticker, position.side, verdict, abs(position.quantity), price, reason)


def _freezing_reason(position: Position, situation: Situation, rules: TenByTenRules) -> str | None:
    if (reason := situation.freezing_reason(position)) is not None:
        return reason
    return LOCKED if rules.same_day_lock and position.opened_date >= situation.day else None


def _compare_with_band(total_return: float, band: Band | None, *, is_stored: bool) -> tuple[Verdict, str]:
    """Close outside the band, keep inside it or without one."""
    if band is None:
        return Verdict.KEEP, "no forecast yet: kept"
    if not band.quantile_10 <= total_return <= band.quantile_90:
        percent = float(np.rint(total_return * 100 * 10)) / 10
        return Verdict.CLOSE, f"return since entry of {percent} % left the 10 % to 90 % band"
    return Verdict.KEEP, "no forecast today: in its stored band" if is_stored else "in band"


def _open_names(
    situation: Situation, scores: FloatArray, judged: Sequence[Proposal], rules: TenByTenRules
) -> list[Proposal]:
    """The names to open, as many as places are free on each side.

    Longs come from the better half of the ranking, shorts from the worse half.
    """
    staying = [one.side for one in judged if one.verdict is not Verdict.CLOSE]
    longs, shorts = (max(rules.names_per_side - staying.count(side), 0) for side in (Side.LONG, Side.SHORT))
    ranked = list_candidates(situation, scores, {one.ticker for one in judged})
    middle = floor(len(ranked) / 2)
    tickers = situation.tickers
    shortable = situation.assets.shortable
    worse = (rank for rank in range(len(ranked), middle, -1) if tickers[ranked[rank - 1]] in shortable)
    chosen = [
        *((rank, Side.LONG) for rank in range(1, min(longs, middle) + 1)),
        *((rank, Side.SHORT) for rank in islice(worse, shorts)),
    ]
    numbers = {place: number for number, place in enumerate(rank_names(situation, scores), 1)}
    return [_open(situation, ranked[rank - 1], numbers, side) for rank, side in chosen]


def list_candidates(situation: Situation, scores: FloatArray, excluded: set[str]) -> list[int]:
    """The places of the names that could be opened, best score first; ties go to the first ticker."""
    ranked = situation.may_open & np.isfinite(scores)
    ranked[[place for ticker in excluded if (place := situation.find(ticker)) is not None]] = False
    places = np.flatnonzero(ranked)
    return places[np.argsort(-scores[places], kind="stable")].tolist()


def _open(situation: Situation, place: int, numbers: Mapping[int, int], side: Side) -> Proposal:
    """A name at its place in the arrays, with its rank among all. numbers: Of each place that is ranked."""
    inputs = situation.inputs
    return Proposal(
        ticker=inputs.tickers[place],
        side=side,
        verdict=Verdict.OPEN,
        held=0.0,
        price=float(inputs.price[place]),
        reason=f"rank {numbers[place]} of {len(numbers)} by forecast",
        volatility=float(inputs.volatility[place]),
    )


def _target(one: Proposal, quantity: float, capital: float) -> Target:
    """The sized proposal as a target: what is left as it is is no weight."""
    if one.verdict is Verdict.FROZEN or (one.verdict is Verdict.KEEP and quantity == one.held):
        return Target(one.ticker, None, one.reason, locked=one.verdict is Verdict.FROZEN)
    sign = 1 if one.side is Side.LONG else -1
    reason = f"{one.reason}; cut to balance the sides" if one.verdict is Verdict.KEEP else one.reason
    return Target(one.ticker, sign * quantity * one.price / capital if quantity else 0.0, reason)


def _explain_shortfalls(proposals: Iterable[Proposal], quantities: Iterable[float], rules: TenByTenRules) -> list[str]:
    """Why a side has fewer names than the rules ask for, where names were looked for: one sentence each."""
    sized = list(zip(proposals, quantities, strict=True))
    notes: list[str] = []
    for side in Side:
        chosen = sum(one.side is side and one.verdict is not Verdict.CLOSE for one, _ in sized)
        count = sum(one.side is side and quantity > 0 for one, quantity in sized)
        if count < rules.names_per_side:
            reasons = [
                *(["not enough candidates"] if chosen < rules.names_per_side else []),
                *_explain_loss(count, chosen),
            ]
            notes.append(f"{count} of {rules.names_per_side} {side} names: {'; '.join(reasons)}")
    return notes


def _explain_loss(count: int, chosen: int) -> list[str]:
    """Why chosen names got no share."""
    if count == chosen:
        return []
    return [f"with both sides equal, {chosen - count} would get too little capital for one share"]


def _explain_imbalance(proposals: Sequence[Proposal], quantities: Sequence[float], rules: TenByTenRules) -> list[str]:
    """Why the sides differ, where they do."""
    sides, prices = [one.side for one in proposals], [one.price for one in proposals]
    values = side_values(sides, quantities, prices).values()
    tolerance = rules.sizing.balance_tolerance
    if max(values) - min(values) <= tolerance * max(values):
        return []
    return [f"the sides differ by more than {tolerance:.0%}: frozen positions cannot be cut"]
