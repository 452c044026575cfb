"""A decision without what would make positions larger, for a fund that may only reduce."""

from dataclasses import replace

from internal.trading.enums import Action, NameOutcome
from internal.trading.portfolio import Decision, LeftOut, PortfolioRow
from internal.trading.trading_state import TradingState, TradingStateChange


def find_reduction(change: TradingStateChange, ended: str | None) -> str | None:
    """Why positions may only become smaller: the trading state, or the arming that has ended; None where they may grow.

    ended: How the arming has ended; None where none has, or none is needed.
    """
    return f"trading is {change.describe()}" if change.state is TradingState.REDUCE_ONLY else ended


def keep_closes(decision: Decision, why: str | None) -> Decision:
    """The decision, or, where positions may only become smaller, its closes alone, and a note that names the rest."""
    if why is None:
        return decision
    left = [row.ticker for row in decision.rows if row.quantity > row.held]
    rows = tuple(_without_increase(row) for row in decision.rows if row.action is not Action.OPEN)
    note = f"{why}; not opened or added to: {', '.join(left) or 'nothing was to be'}"
    opened = (LeftOut(row.ticker, NameOutcome.REDUCED, why) for row in decision.rows if row.action is Action.OPEN)
    return replace(decision, rows=rows, notes=(*decision.notes, note), left_out=(*decision.left_out, *opened))


def _without_increase(row: PortfolioRow) -> PortfolioRow:
    if row.quantity <= row.held:
        return row
    return replace(row, quantity=row.held, reason=f"{row.reason}; not added to: positions may only become smaller")
