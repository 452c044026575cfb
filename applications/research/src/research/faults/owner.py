"""The owner of a fund in a fault run: halts, reduces, resumes and closes everything at random moments."""

from collections import Counter
from random import Random

from internal.simulation.fund import SimulatedFund
from internal.trading.state_changes import change_state
from internal.trading.trading_state import StateCause, TradingState
from research.faults.chaos import FaultKind

RATE, RESUMING_RATE = 0.01, 0.05  # of the calls of a port, before each of which the owner may act
BETWEEN = 0.3  # of the steps, before each of which the owner may act too
WISHES = {
    FaultKind.HALTED: (TradingState.HALTED, StateCause.OWNER),
    FaultKind.REDUCED: (TradingState.REDUCE_ONLY, StateCause.OWNER),
    FaultKind.RESUMED: (TradingState.ACTIVE, StateCause.OWNER),
    FaultKind.FLATTENED: (TradingState.HALTED, StateCause.FLATTEN),
}


class Owner:
    """Acts by the stored trading state alone, as `fund halt` does; draws of its own leave those of the chaos alone."""

    def __init__(self, fund: SimulatedFund, seed: int) -> None:
        self._fund, self._random = fund, Random(f"owner {seed}")  # noqa: S311 - a seed, no secret
        self.acts = True
        self.drawn = Counter[FaultKind]()

    def maybe_act(self) -> None:
        """Before a call: change the trading state now and then."""
        is_active = self._fund.journal.trading_state().state is TradingState.ACTIVE
        if self.acts and self._random.random() < (RATE if is_active else RESUMING_RATE):
            self.ask(self._random.choice(list(WISHES)) if is_active else FaultKind.RESUMED)

    def wish(self) -> FaultKind | None:
        """Before a step: what the owner asks for, if anything."""
        if not self.acts or self._random.random() >= BETWEEN:
            return None
        kind = self._random.choice(list(WISHES))
        self.ask(kind)
        return kind

    def ask(self, kind: FaultKind) -> None:
        """Ask for it."""
        state, cause = WISHES[kind]
        change_state(self._fund.journal, state, "the owner", cause, kind, self._fund.core.state.moment)
        self.drawn[kind] += 1
