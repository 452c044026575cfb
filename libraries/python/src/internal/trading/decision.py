"""The decision: from a day's inputs and the fund's positions to the wanted portfolio, both sides equal in dollars."""

from collections.abc import Iterable, Sequence
from math import floor

import numpy as np

from internal.dates import next_session
from internal.trading.day_table import rank_candidates
from internal.trading.enums import Action, Side, Verdict
from internal.trading.exits import judge_position
from internal.trading.policy import Policy
from internal.trading.rows import Band, Decision, PortfolioRow, Situation
from internal.trading.sizing import Proposal, side_values, size


def decide(situation: Situation, policy: Policy) -> Decision:
    """The portfolio for the situation: exits first, then new names into the free places, then equal sides.

    - Positions that are frozen or inside their band are kept as they are: nothing is bought again.
    - New names take what the kept ones leave of a side's target, so that the capital of closed positions is reused,
      never added. Within a side they are weighted by inverse volatility, within bounds.
    - The larger side is cut to the smaller one: new names first, then kept positions.
    - A name closed today is not opened again today, on either side: no order flips through zero.
    """
    judged = [judge_position(position, situation, policy) for position in situation.positions]
    proposals = sorted([*judged, *_open_names(situation, judged, policy)], key=lambda one: one.ticker)
    quantities = size(proposals, situation.net_asset_value, policy)
    rows = tuple(
        _row(one, quantity)
        for one, quantity in zip(proposals, quantities, strict=True)
        if one.verdict is not Verdict.OPEN or quantity > 0
    )
    return Decision(rows, tuple(_notes(rows, policy)))


def _open_names(situation: Situation, judged: Sequence[Proposal], policy: Policy) -> list[Proposal]:
    """The names to open, as many as places are free on each side.

    Longs come from the better half of the ranking, shorts from the worse half.
    """
    staying = [one.side for one in judged if one.verdict is not Verdict.CLOSE]
    longs, shorts = (max(policy.names_per_side - staying.count(side), 0) for side in (Side.LONG, Side.SHORT))
    ranked = _rank_tradable(situation, {one.ticker for one in judged} | situation.blocked)
    middle = floor(len(ranked) / 2)
    tickers = situation.inputs.tickers
    worse = [rank for rank in range(len(ranked), middle, -1) if tickers[ranked[rank - 1]] in situation.assets.shortable]
    chosen = [
        *((rank, Side.LONG) for rank in range(1, min(longs, middle) + 1)),
        *((rank, Side.SHORT) for rank in worse[:shorts]),
    ]
    return [_open(situation, ranked, rank, side) for rank, side in chosen]


def _rank_tradable(situation: Situation, excluded: frozenset[str] | set[str]) -> list[int]:
    """The places of the names that could be opened, best score first."""
    inputs = situation.inputs
    may_open = inputs.liquid & np.isfinite(inputs.volatility)
    tickers, tradable = inputs.tickers, situation.assets.tradable
    ranked = rank_candidates(inputs.bands, may_open).tolist()
    return [place for place in ranked if tickers[place] in tradable and tickers[place] not in excluded]


def _open(situation: Situation, ranked: Sequence[int], rank: int, side: Side) -> Proposal:
    inputs, place = situation.inputs, ranked[rank - 1]
    price = float(inputs.price[place])
    return Proposal(
        ticker=inputs.tickers[place],
        side=side,
        verdict=Verdict.OPEN,
        held=0.0,
        price=price,
        opened_date=next_session(inputs.day),
        entry_price=price,
        band=Band(*inputs.bands[place].tolist()),
        reason=f"rank {rank} of {len(ranked)} by forecast",
        volatility=float(inputs.volatility[place]),
    )


def _row(one: Proposal, quantity: float) -> PortfolioRow:
    """The sized proposal with what happens to it."""
    is_cut = one.verdict is Verdict.KEEP and quantity < one.held
    return PortfolioRow(
        ticker=one.ticker,
        side=one.side,
        action=_action(one, quantity),
        held=one.held,
        quantity=quantity,
        reference_price=one.price,
        opened_date=one.opened_date,
        entry_price=one.entry_price,
        band=one.band,
        frozen=one.verdict is Verdict.FROZEN,
        reason=f"{one.reason}; cut to balance the sides" if is_cut else one.reason,
    )


def _action(one: Proposal, quantity: float) -> Action:
    if one.verdict is Verdict.OPEN:
        return Action.OPEN
    emptied = one.verdict is Verdict.KEEP and quantity == 0
    return Action.CLOSE if one.verdict is Verdict.CLOSE or emptied else Action.HOLD


def _notes(rows: Iterable[PortfolioRow], policy: Policy) -> list[str]:
    """What fell short of the policy, one sentence each."""
    after = [row for row in rows if row.quantity > 0]
    counts = {side: sum(row.side is side for row in after) for side in Side}
    notes = [
        f"{count} of {policy.names_per_side} {side} names: not enough candidates or too little capital a name"
        for side, count in counts.items()
        if count < policy.names_per_side
    ]
    values = side_values(
        [row.side for row in after], [row.quantity for row in after], [row.reference_price for row in after]
    ).values()
    if max(values) - min(values) > policy.balance_tolerance * max(values):
        limit = f"{policy.balance_tolerance:.0%}"
        notes.append(f"the sides differ by more than {limit}: frozen positions cannot be cut")
    return notes
