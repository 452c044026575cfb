"""The decision: a strategy's targets become the rows of a portfolio, in whole shares and within the risk limits."""

from collections.abc import Mapping
from datetime import date
from math import copysign, floor, isfinite

from internal.dates import next_session
from internal.trading.enums import Action, NameOutcome, Side
from internal.trading.limit_cuts import CutRows, apply_limits
from internal.trading.limits import RiskLimits
from internal.trading.order_planning import own_security_id
from internal.trading.portfolio import Decision, LeftOut, PortfolioRow
from internal.trading.positions import Position
from internal.trading.situation import NEVER, Situation
from internal.trading.strategy import Strategy
from internal.trading.target_checks import check_targets
from internal.trading.targets import Target, Targets

ROUNDING = 1e-9  # shares; a weight that is this close to a whole share is that share
UNWANTED = "no longer wanted"


def decide(situation: Situation, strategy: Strategy, limits: RiskLimits) -> Decision:
    """The portfolio for the situation. Raises StrategyError."""
    if not strategy.is_due(situation.day):
        return _decide(situation, _keep_all(situation, strategy.next_due(situation.day)), limits)
    return _decide(situation, strategy.decide(situation), limits)


def _keep_all(situation: Situation, due: date | None) -> Targets:
    """Positions as they are, until when; a note says so where nothing is held, as after a first session that missed."""
    when = f"the schedule decides next on {due}" if due else "the schedule decides no more before the calendar ends"
    rows = tuple(Target(position.ticker, None, f"kept: {when}") for position in situation.positions)
    return Targets(rows, () if rows else (f"nothing is held: {when}",))


def _decide(situation: Situation, targets: Targets, limits: RiskLimits) -> Decision:
    """Targets in whole shares: positions first, then what is opened; then the limits.

    - A position that is frozen today (open order, corporate action since, no price) is kept as it is, however asked;
      one without a bar for too long is closed where the broker trades it.
    - A position without a target is closed; one whose target is on the other side is closed first and opened by a
      later decision: no order flips through zero.
    - What cannot be opened (no price, not tradable, not shortable) is left out, and a position of it does not grow;
      both with a note.
    """
    wanted = check_targets(targets, situation)
    held = [_position_row(one, wanted.get(one.ticker), situation, limits) for one in situation.positions]
    names = {row.ticker for row in held}
    opened = [
        _opening_row(target, situation) for target in targets.rows if target.ticker not in names and target.weight
    ]
    rows = sorted([*held, *(row for row in opened if isinstance(row, PortfolioRow))], key=lambda row: row.ticker)
    within = apply_limits(rows, situation, limits)
    kept = tuple(row for row in within.rows if row.action is not Action.OPEN or row.quantity > 0)
    refused = [one for one in opened if isinstance(one, LeftOut)]
    left = [*_growth_notes(wanted, situation), *(f"{one.ticker} is not opened: {one.reason}" for one in refused)]
    notes = (*targets.notes, *left, *within.notes, *_missing_notes(situation, limits))
    return Decision(kept, notes, within.cuts, (*refused, *_find_vanished(within)), targets.scores)


def _find_vanished(within: CutRows) -> list[LeftOut]:
    """The openings of which no share is left, by a limit or because their weight was too small."""
    cut = {one.ticker for one in within.cuts}
    return [
        LeftOut(row.ticker, NameOutcome.CUT, row.reason)
        if row.ticker in cut
        else LeftOut(row.ticker, NameOutcome.TOO_SMALL, NameOutcome.TOO_SMALL.words)
        for row in within.rows
        if row.action is Action.OPEN and row.quantity <= 0
    ]


def _position_row(position: Position, target: Target | None, situation: Situation, limits: RiskLimits) -> PortfolioRow:
    """What becomes of a position."""
    held, frozen = abs(position.quantity), situation.freezing_reason(position)
    quantity, reason, locked = held, frozen or UNWANTED, frozen is not None
    if _must_end(position, situation, limits):
        quantity, reason, locked = 0.0, f"{_describe_missing(position, situation)}: closed", False
    elif frozen is None:
        quantity = _wanted_shares(position, target, situation)
        reason, locked = (target.reason, target.locked) if target else (UNWANTED, False)
    return PortfolioRow(
        ticker=position.ticker,
        side=position.side,
        action=Action.HOLD if quantity > 0 else Action.CLOSE,
        held=held,
        quantity=quantity,
        reference_price=situation.price_of(position),
        opened_date=position.opened_date,
        entry_price=position.entry_price,
        band=situation.band_of(position),
        frozen=locked,
        reason=reason,
        security_id=position.security_id,
    )


def _must_end(position: Position, situation: Situation, limits: RiskLimits) -> bool:
    """Whether the position is closed because its bars have ended, where the broker trades it and it is not blocked.

    A name without any bar in the lookback is left to a person: its data may be late under a new ticker.
    """
    ticker, sessions = position.ticker, situation.sessions_without_bar(position)
    is_free = ticker in situation.assets.tradable and ticker not in situation.blocked
    return is_free and limits.missing_sessions <= sessions < NEVER


def _missing_notes(situation: Situation, limits: RiskLimits) -> list[str]:
    """An alert for each position without a bar for too long."""
    missing = [one for one in situation.positions if limits.is_missing(one, situation)]
    return [
        f"{one.ticker} has {_describe_missing(one, situation)}: worth "
        f"{one.quantity * situation.price_of(one):.2f} dollars, and the book does not grow while it is held"
        for one in missing
    ]


def _describe_missing(position: Position, situation: Situation) -> str:
    sessions = situation.sessions_without_bar(position)
    return "had no bar in the whole lookback" if sessions == NEVER else f"had no bar for {sessions} sessions"


def _wanted_shares(position: Position, target: Target | None, situation: Situation) -> float:
    """Shares after the action: as many as are held where more are wanted and none can be added."""
    held, wanted = abs(position.quantity), _asked_shares(position, target, situation)
    return wanted if _opening_problem(position.ticker, position.side, situation) is None else min(wanted, held)


def _growth_notes(wanted: Mapping[str, Target], situation: Situation) -> list[str]:
    """Why positions do not grow as was asked for; those that are frozen say so in their rows."""
    asked = [
        position
        for position in situation.positions
        if situation.freezing_reason(position) is None
        and _asked_shares(position, wanted.get(position.ticker), situation) > abs(position.quantity)
    ]
    problems = [_opening_problem(one.ticker, one.side, situation) for one in asked]
    return [f"{one.ticker} is not added to: {one.reason}" for one in problems if one is not None]


def _asked_shares(position: Position, target: Target | None, situation: Situation) -> float:
    """Shares of the target; what is added is whole shares, beside a fraction that a split may have left."""
    held = abs(position.quantity)
    if target is None:
        return 0.0
    if target.weight is None:
        return held
    if target.weight == 0 or copysign(1, target.weight) != copysign(1, position.quantity):
        return 0.0
    whole = float(floor(_shares(target.weight, situation.price_of(position), situation)))
    if whole == floor(held):
        return held
    return held + floor(whole - held) if whole > held else whole


def _shares(weight: float, price: float, situation: Situation) -> float:
    """Shares of a weight; a number that rounding left just below a whole share is that share."""
    shares = abs(weight) * situation.capital / price
    return shares + max(ROUNDING, shares * 1e-12)


def _opening_row(target: Target, situation: Situation) -> PortfolioRow | LeftOut:
    """The row that opens the target, or why it cannot be opened."""
    weight = target.weight or 0.0
    side = Side.LONG if weight > 0 else Side.SHORT
    if (problem := _opening_problem(target.ticker, side, situation)) is not None:
        return problem
    price = float(situation.inputs.price[situation.find(target.ticker) or 0])
    return PortfolioRow(
        ticker=target.ticker,
        side=side,
        action=Action.OPEN,
        held=0.0,
        quantity=float(floor(_shares(weight, price, situation))),
        reference_price=price,
        opened_date=next_session(situation.day),
        entry_price=price,
        band=situation.forecast_band(target.ticker),
        frozen=False,
        reason=target.reason,
        security_id=_security_id(target.ticker, situation),
    )


def _security_id(ticker: str, situation: Situation) -> str:
    """The data service's permanent id, else one of the holding that is opened."""
    ids, place = situation.inputs.security_ids, situation.find(ticker)
    known = None if ids is None or place is None else ids[place]
    return known or own_security_id(ticker, next_session(situation.day))


def _opening_problem(ticker: str, side: Side, situation: Situation) -> LeftOut | None:
    """Why the name cannot be opened or added to on that side; None where it can be."""
    place = situation.find(ticker)
    if place is None or not isfinite(situation.inputs.price[place]):
        return _leave_out(ticker, NameOutcome.NOT_PRICED)
    if ticker in situation.blocked:
        return _leave_out(ticker, NameOutcome.BLOCKED)
    if (refusal := situation.refused.reasons.get(ticker)) is not None:
        return LeftOut(ticker, NameOutcome.REFUSED, refusal)
    if ticker not in situation.assets.tradable:
        return _leave_out(ticker, NameOutcome.NOT_TRADABLE)
    cannot = side is Side.SHORT and ticker not in situation.assets.shortable
    return _leave_out(ticker, NameOutcome.NOT_SHORTABLE) if cannot else None


def _leave_out(ticker: str, outcome: NameOutcome) -> LeftOut:
    return LeftOut(ticker, outcome, outcome.words)
