"""A decision without what would make positions larger, for a fund that may only reduce."""

from dataclasses import replace

from internal.trading.enums import Action
from internal.trading.rows import Decision, PortfolioRow
from internal.trading.trading_state import TradingState, TradingStateChange


def keep_closes(decision: Decision, change: TradingStateChange) -> Decision:
    """The decision as the trading state allows it; while it is reduce-only, closes alone, and a note names the rest."""
    if change.state is not TradingState.REDUCE_ONLY:
        return decision
    left = [row.ticker for row in decision.rows if row.quantity > row.held]
    rows = tuple(_without_increase(row) for row in decision.rows if row.action is not Action.OPEN)
    note = f"trading is {change.describe()}; not opened or added to: {', '.join(left) or 'nothing was to be'}"
    return replace(decision, rows=rows, notes=(*decision.notes, note))


def _without_increase(row: PortfolioRow) -> PortfolioRow:
    if row.quantity <= row.held:
        return row
    return replace(row, quantity=row.held, reason=f"{row.reason}; not added to: trading is reduce-only")
